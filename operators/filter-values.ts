import type { OperatorFunction } from 'rxjs';
import type { KafkaRecord, Placement } from '../src/model/record';
import { filterInputs, type Project } from './operator';

/**
 * Lets the records through whose value is wanted; a type guard narrows it.
 *
 * ```text
 * in   --a1---b2---a3--|      odd
 * out  --a1--------a3--|
 * ```
 * No state; order, timestamps and headers stay. What is left out still moves the task's offsets, but not the stream time of a windowed
 * operator behind this one.
 *
 * @throws PROCESSING in the stream when the function throws
 * @example
 * stream(events).pipe(filterValues((event) => event.kind === 'click'), to(clicks));
 */
export function filterValues<K, V, P extends Placement, W extends V>(
  guard: (value: V, record: KafkaRecord<K, V, P>) => value is W,
): OperatorFunction<KafkaRecord<K, V, P>, KafkaRecord<K, W, P>>;
/** Without narrowing. */
export function filterValues<K, V, P extends Placement>(
  predicate: Project<K, V, P, boolean>,
): OperatorFunction<KafkaRecord<K, V, P>, KafkaRecord<K, V, P>>;
export function filterValues<K, V, P extends Placement>(
  predicate: Project<K, V, P, boolean>,
): OperatorFunction<KafkaRecord<K, V, P>, KafkaRecord<K, V, P>> {
  return filterInputs('filterValues', (record: KafkaRecord<K, V, P>) => predicate(record.value, record));
}
