import { filterTable, groupTable, joinTables, mapTable, toTable } from '../../operators';
import { internalTopic } from '../../src/codec/topic';
import type { KeyValueDefinition } from '../../src/model/store-definition';
import type { Table } from '../../src/model/table';
import { keyValueStore } from '../../src/state/definition';
import type { Task } from '../../src/task/topology';
import { knowsOnly } from './aggregates';
import type { Job, Json } from './format';
import { jobCodecs } from './job-codecs';
import { NotBuilt, type RunningJob } from './running-job';
import { jobTopic, topologyJob } from './topology-job';

type JobTable = Table<string, Json>;
type JobStore = KeyValueDefinition<string, Json>;
type Step = Readonly<Record<string, Json>>;

const input = jobTopic('input');
const stored = (name: string): JobStore => keyValueStore(name, jobCodecs);

/** `builder.table(topic)` without a store, then steps. */
export function tableJob(job: Job): RunningJob {
  return withSteps(job, undefined, ({ table }) => table(input, { materialized: false }));
}

/** `stream.toTable()` with a store, then steps. */
export function toTableJob(job: Job): RunningJob {
  const rows = stored('rows');
  return withSteps(job, rows, ({ stream, store }) => toTable(stream(input), store(rows)));
}

function withSteps(job: Job, first: JobStore | undefined, tableOf: (task: Task) => JobTable): RunningJob {
  knowsOnly(job, ['steps']);
  const steps = (job['steps'] as readonly Step[]).map((step, at) => ({
    step,
    rows: step['materialized'] === true ? stored(`rows-${at}`) : undefined,
  }));
  const assemble = (task: Task): JobTable['changes'] => {
    let table = tableOf(task);
    for (const { step, rows } of steps) table = after(step, table, rows === undefined ? {} : { store: task.store(rows) });
    return table.changes;
  };
  return topologyJob([input], assemble, first);
}

function after(step: Step, table: JobTable, options: Parameters<typeof filterTable<string, Json>>[2]): JobTable {
  const number = (name: string): number => step[name] as number;
  if ('filter' in step) return filterTable(table, (value) => (value as number) >= number('filter'), options);
  if ('filterNot' in step) return filterTable(table, (value) => (value as number) < number('filterNot'), options);
  if ('mapValues' in step) return mapTable(table, (value): Json => (value as number) * number('mapValues'), options);
  throw new NotBuilt(`the step ${JSON.stringify(step)} is not built yet`);
}

/** A table regrouped by a field of its value, with what another field adds and subtracts. */
export function groupTableJob(job: Job): RunningJob {
  knowsOnly(job, ['groupBy', 'of', 'aggregate']);
  const [group, number] = [fieldOf(job, 'groupBy'), fieldOf(job, 'of')];
  const groups = stored('groups');
  const through = internalTopic('grouped', jobCodecs);
  const folds = groupFolds(job);
  return topologyJob(
    [input],
    ({ table, store }) =>
      groupTable(table(input) as JobTable, store(groups), {
        by: (value) => [group(value) as string, number(value)] as const,
        through,
        ...folds,
      }).changes,
    groups,
  );
}

interface GroupFolds {
  readonly initial: () => Json;
  readonly add: (aggregate: Json, value: Json) => Json;
  readonly subtract: (aggregate: Json, value: Json) => Json;
}

function groupFolds(job: Job): GroupFolds {
  const sum = (a: Json, b: Json): Json => (a as number) + (b as number);
  switch (job['aggregate']) {
    case 'count':
      return { initial: () => 0, add: (count) => sum(count, 1), subtract: (count) => sum(count, -1) };
    case 'sum':
    case 'reduceSum':
      return { initial: () => 0, add: sum, subtract: (a, b) => (a as number) - (b as number) };
    case 'trace':
      return {
        initial: () => [],
        add: (list, value) => [...(list as readonly Json[]), `+${value as number}`],
        subtract: (list, value) => [...(list as readonly Json[]), `-${value as number}`],
      };
    default:
      throw new NotBuilt(`the aggregate ${JSON.stringify(job['aggregate'])} is not built yet`);
  }
}

/** Two tables by key. */
export function joinTablesJob(job: Job): RunningJob {
  knowsOnly(job, ['kind', 'materialized']);
  const [left, right] = [jobTopic('left'), jobTopic('right')];
  const rows = job['materialized'] === true ? stored('joined') : undefined;
  const kind = job['kind'] as 'outer';
  if (!['inner', 'left', 'outer'].includes(kind)) throw new NotBuilt(`a join of the kind ${kind} is not built yet`);
  const both = (a: Json | undefined, b: Json | undefined): Json => [a ?? null, b ?? null];
  return topologyJob(
    [left, right],
    ({ table, store }) => {
      const options = rows === undefined ? { kind } : { kind, store: store(rows) };
      return joinTables(table(left) as JobTable, table(right) as JobTable, both, options).changes;
    },
    rows,
  );
}

/** `value.x`: gives the field x, null where there is none. */
export function fieldOf(job: Job, option: string): (value: Json) => Json {
  const said = job[option];
  const name = typeof said === 'string' ? /^value\.(\w+)$/.exec(said)?.[1] : undefined;
  if (name === undefined) throw new NotBuilt(`${option} ${JSON.stringify(said)} is not built yet`);
  return (value) => (value as Readonly<Record<string, Json>> | null)?.[name] ?? null;
}
