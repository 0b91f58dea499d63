import type { OperatorFunction } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import type { InWindows, SlidingWindows, Window } from '../src/model/window';
import { isSlidingWindows } from '../src/state/windows';
import { checkKind } from './rows/check-kind';
import { assignWindows } from './windowed/assign-windows';

const found: readonly Window[] = [];

/**
 * Puts each record into the windows of its key that slide along with the records (KIP-450): one for every distinct set of records that
 * lie within `difference` of each other.
 *
 * ```text
 * in   --a20---a25------|      number = event time; difference 10, grace 0, counted
 * out  --w-----(xy)-----|      w = [10, 20]: 1; x = [21, 31]: 1, y = [15, 25]: 2
 * ```
 * Both ends belong to a window. Each time at which the key has records ends a window, and another begins just behind it if a record lies
 * there; no window starts below 0: [0, difference] stands for all that would. They depend on the records, so the aggregate that follows
 * finds them, in a store declared for the same windows. It updates the windows that hold the record from the last to the first, then
 * makes those that are missing: the one behind the record before, the one that the record ends, the one behind the record. Null keys and
 * null values are dropped and counted.
 *
 * @param windows `difference`: ms that lie at most between the first and the last record of a window, >= 0. `grace`: ms that a window
 *   waits for late records after its end, >= 0, default 0: a window takes a record iff its end >= stream time - grace, and closes when
 *   its end < stream time - grace
 * @throws WINDOW_DIFFERENCE, WINDOW_GRACE at assembly. INVALID_TIMESTAMP in the stream: a timestamp that is negative, a fraction or beyond
 *   2^53 - 1
 * @example
 * const lastMinute = { difference: minutes(1), grace: seconds(10) };
 * const failures = windowStore('failures-in-a-minute', { key: string, value: int64, windows: lastMinute });
 * stream(logins).pipe(windowSliding(lastMinute), countWithStore(store(failures)));
 * @see Kafka Streams' `SlidingWindows.ofTimeDifferenceAndGrace`
 */
export function windowSliding<K, V>(windows: SlidingWindows): OperatorFunction<KafkaRecord<K, V>, InWindows<K, V>> {
  checkKind('windowSliding', windows, isSlidingWindows, '{ difference }');
  return assignWindows('windowSliding', windows, { windowsOf: () => found });
}
