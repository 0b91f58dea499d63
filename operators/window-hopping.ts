import type { OperatorFunction } from 'rxjs';
import { MillraceError } from '../src/errors/millrace-error';
import type { Duration } from '../src/model/duration';
import type { KafkaRecord } from '../src/model/record';
import type { InWindows, TimeWindows } from '../src/model/window';
import { checkWindows } from '../src/state/windows';
import { assignWindows } from './windowed/assign-windows';
import { hopping } from './windowed/time-windows';

/**
 * Puts each record into every fixed window that holds its event time; windows overlap when they advance by less than their size.
 *
 * ```text
 * in   --a1---a4---a7----|      number = event time; size 6, advance 3, grace 0, counted
 * out  --w---(wx)-(xy)---|      w = [0, 6): 1, then 2; x = [3, 9): 1, then 2; y = [6, 12): 1
 * ```
 * Windows are [start, start + size), and start is a multiple of `advance` since the epoch, 0 or greater. They are updated by ascending
 * start. Each window decides for itself whether a record is late: it may update some and be refused by others. No state: the store of
 * the aggregate that follows must be declared for the same windows, and keeps one value for each.
 *
 * @param windows `size`: length in ms, > 0. `advance`: ms from one start to the next, > 0 and <= size. `grace`: ms that a window waits
 *   for late records after its end, >= 0, default 0: a record is late for a window iff its end <= stream time - grace
 * @throws WINDOW_SIZE, WINDOW_ADVANCE, WINDOW_GRACE at assembly. INVALID_TIMESTAMP in the stream: a timestamp that is negative, a fraction
 *   or beyond 2^53 - 1
 * @example
 * const lastHour = { size: hours(1), advance: minutes(10), grace: minutes(1) };
 * const counts = windowStore('views-last-hour', { key: string, value: int64, windows: lastHour });
 * stream(views).pipe(windowHopping(lastHour), countWithStore(store(counts)));
 * @see Kafka Streams' `TimeWindows.advanceBy`
 */
export function windowHopping<K, V>(windows: {
  readonly size: Duration;
  readonly advance: Duration;
  readonly grace?: Duration;
}): OperatorFunction<KafkaRecord<K, V>, InWindows<K, V>> {
  const operator = 'windowHopping';
  checkWindows(windows, operator, { operator });
  const { size, advance } = windows as TimeWindows;
  if (advance === undefined || advance === Infinity) throw noAdvance(advance);
  return assignWindows(operator, windows, hopping(size, advance));
}

function noAdvance(advance: Duration | undefined): MillraceError {
  return new MillraceError(
    'WINDOW_ADVANCE',
    `windowHopping: the option advance is ${String(advance)}; it must be a whole number of ms > 0 and <= size; windowTumbling needs none`,
    { where: { operator: 'windowHopping', option: 'advance' } },
  );
}
