import type { OperatorFunction } from 'rxjs';
import { MillraceError } from '../src/errors/millrace-error';
import type { Duration } from '../src/model/duration';
import type { KafkaRecord } from '../src/model/record';
import type { InWindows, TimeWindows } from '../src/model/window';
import { checkWindows } from '../src/state/windows';
import { assignWindows } from './windowed/assign-windows';
import { tumbling } from './windowed/time-windows';

/**
 * Puts each record into the one fixed window that holds its event time.
 *
 * ```text
 * in   --a1---a4---a6--|      number = event time; size 5, grace 0, counted with emit 'close'
 * out  ------------w---|      w = [0, 5): 2
 * ```
 * Windows are [start, start + size), and start is a multiple of size since the epoch. No state: the store of the aggregate that
 * follows must be declared for the same windows.
 *
 * The size Infinity is one window, from 0 on, that takes every record: it never closes, so emit 'close' refuses it, and stays in the store.
 *
 * @param windows `size`: length in ms, > 0, or Infinity. `grace`: ms that a window waits for late records after its end, >= 0, default 0:
 *   a record is late iff end <= stream time - grace
 * @throws WINDOW_SIZE, WINDOW_GRACE, WINDOW_ADVANCE (there is none here) at assembly. INVALID_TIMESTAMP in the stream: a timestamp that is
 *   negative, a fraction or beyond 2^53 - 1
 * @example
 * const perMinute = { size: minutes(1), grace: seconds(10) };
 * const counts = windowStore('page-counts', { key: string, value: int64, windows: perMinute });
 * stream(views).pipe(windowTumbling(perMinute), countWithStore(store(counts)));
 * @see Kafka Streams' `TimeWindows.ofSizeAndGrace`
 */
export function windowTumbling<K, V>(windows: {
  readonly size: Duration;
  readonly grace?: Duration;
  readonly advance?: undefined;
}): OperatorFunction<KafkaRecord<K, V>, InWindows<K, V>> {
  // The very object, so that it is recognised as the store's; `advance` has to be undefined in the types only to refuse hopping windows.
  const spec = windows as unknown as TimeWindows;
  checkWindows(spec, 'windowTumbling', { operator: 'windowTumbling' });
  if (spec.advance !== undefined && spec.advance !== spec.size) throw overlapping(spec);
  return assignWindows('windowTumbling', spec, tumbling(spec.size));
}

function overlapping({ size, advance }: TimeWindows): MillraceError {
  return new MillraceError(
    'WINDOW_ADVANCE',
    `windowTumbling: the option advance is ${advance ?? size}; tumbling windows have none, they advance by their size, which is ${size}`,
    { where: { operator: 'windowTumbling', option: 'advance' } },
  );
}
