import type { OperatorFunction } from 'rxjs';
import type { KafkaRecord, PlacementTag } from '../src/model/record';
import { type AnyRecord, mapInputs } from './operator';

/**
 * Gives each record another value; the key stays, and with it the placement.
 *
 * ```text
 * in   --a1---b2--|      doubled
 * out  --a2---b4--|
 * ```
 * No state; order, timestamps and headers stay. A null value is given to `project` like any other.
 *
 * @throws PROCESSING in the stream when `project` throws
 * @example
 * stream(clicks).pipe(mapValues((click) => click.page.length), to(lengths));
 */
export function mapValues<R extends AnyRecord, V2>(
  project: (value: R['value'], record: R) => V2,
): OperatorFunction<R, KafkaRecord<R['key'], V2, R[PlacementTag]>> {
  return mapInputs(
    'mapValues',
    (record: R) => record.withValue(project(record.value, record)) as KafkaRecord<R['key'], V2, R[PlacementTag]>,
  );
}
