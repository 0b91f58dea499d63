import type { OperatorFunction } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import type { CountWindows, InWindows, Window } from '../src/model/window';
import { isCountWindows } from '../src/state/windows';
import { checkKind } from './rows/check-kind';
import { assignWindows } from './windowed/assign-windows';

const found: readonly Window[] = [];

/**
 * Puts each record into the windows of its key that count records: every `records` of them, a new window every `every`.
 *
 * ```text
 * in   --a---b---a---a---a----|      by key; records 2, every 1, counted
 * out  --w---v--(wx)(xy)(yz)--|      w = [0, 2): 1, then 2; v = [0, 2) of b: 1; x = [1, 3): 1, then 2; y = [2, 4); z = [3, 5)
 * ```
 * Bounds count the records of the key, from 0: window i holds the records [i * every, i * every + records). They are updated by ascending
 * start; with emit 'close' a window is emitted by the record that completes it. There is no event time in it: nothing is late, and the
 * last windows of a key stay open until there are more records. The aggregate that follows counts, in a store declared for the same
 * windows. Null keys are dropped and counted; null values are records like any other; the timestamp is the greatest of the window's.
 *
 * @param windows `records`: how many a window holds, > 0. `every`: how many records from one start to the next, > 0 and <= records,
 *   default `records`
 * @throws WINDOW_RECORDS at assembly. INVALID_TIMESTAMP in the stream: a timestamp that is negative, a fraction or beyond 2^53 - 1
 * @example
 * const lastTen = { records: 10, every: 1 };
 * const averages = windowStore('last-ten-prices', { key: string, value: json(Sum), windows: lastTen });
 * stream(prices).pipe(windowEvery(lastTen), aggregateWithStore(store(averages), { initial: () => none, add: plus, emit: 'close' }));
 */
export function windowEvery<K, V>(windows: CountWindows): OperatorFunction<KafkaRecord<K, V>, InWindows<K, V>> {
  checkKind('windowEvery', windows, isCountWindows, '{ records }');
  return assignWindows('windowEvery', windows, { windowsOf: () => found });
}
