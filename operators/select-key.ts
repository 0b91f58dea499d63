import type { OperatorFunction } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import { type AnyRecord, mapInputs } from './operator';

/**
 * Gives each record another key. Its partition is no longer decided by its key: stores and joins take it after `repartition`.
 *
 * ```text
 * in   --a1---b2--|      key: value
 * out  --1----2---|
 * ```
 * No state; order, timestamps and headers stay.
 *
 * @throws PROCESSING in the stream when `select` throws
 * @example
 * stream(orders).pipe(selectKey((order) => order.product), repartition(ordersByProduct));
 */
export function selectKey<R extends AnyRecord, K2>(
  select: (value: R['value'], record: R) => K2,
): OperatorFunction<R, KafkaRecord<K2, R['value'], 'moved'>> {
  return mapInputs('selectKey', (record: R) => record.withKey(select(record.value, record)) as KafkaRecord<K2, R['value'], 'moved'>);
}
