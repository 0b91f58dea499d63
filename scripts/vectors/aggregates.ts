/** The aggregates that vectors are made with, as options of the exported operators. */
import type { Aggregation, Merging, Reduction } from '../../operators';
import type { Job, Json } from './format';
import { NotBuilt } from './running-job';

export type NamedAggregate =
  | { readonly kind: 'count' }
  | { readonly kind: 'reduce'; readonly options: Reduction<Json> }
  | { readonly kind: 'aggregate'; readonly options: Aggregation<string, Json, Json> & Merging<Json> };

export function aggregateOf(job: Job): NamedAggregate {
  const { aggregate, initial = 0 } = job;
  switch (aggregate) {
    case 'count':
      return { kind: 'count' };
    case 'max':
      return { kind: 'reduce', options: { reduce: greater } };
    case 'sum':
      return { kind: 'aggregate', options: { initial: () => initial, add: plus, merge: plus } };
    case 'sumNullAtZero':
      return { kind: 'aggregate', options: { initial: () => initial, add: (sum, value) => plus(sum, value) || null, merge: plus } };
    case 'collect':
      return {
        kind: 'aggregate',
        options: {
          initial: () => [],
          add: (list, value) => [...(list as readonly Json[]), value],
          merge: (a, b) => [...(a as readonly Json[]), ...(b as readonly Json[])],
        },
      };
    default:
      throw new NotBuilt(`aggregate ${JSON.stringify(aggregate)} is not built yet`);
  }
}

/** A null counts as 0. */
function plus(sum: Json, value: Json): number {
  return (sum as number) + ((value as number | null) ?? 0);
}

/** A null is ignored. */
function greater(a: Json, b: Json): Json {
  if (a === null || b === null) return a ?? b;
  return Math.max(a as number, b as number);
}

/** @throws NotBuilt when the job has a field that nobody here reads: ignoring it would run another job */
export function knowsOnly(job: Job, fields: readonly string[]): void {
  const unknown = Object.keys(job).filter((field) => field !== 'operator' && !fields.includes(field));
  if (unknown.length > 0) throw new NotBuilt(`${job.operator} with ${unknown.join(', ')} is not built yet`);
}
