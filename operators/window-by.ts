import type { OperatorFunction } from 'rxjs';
import { MillraceError } from '../src/errors/millrace-error';
import type { KafkaRecord } from '../src/model/record';
import type { InWindows, WindowAssigner } from '../src/model/window';
import { checkWindows, isWindowAssigner } from '../src/state/windows';
import { assignWindows } from './windowed/assign-windows';
import { CheckedAssigner } from './windowed/checked-assigner';

/**
 * Puts each record into windows of one's own: calendar days, say, or the hours of a shop.
 *
 * ```text
 * in   --a1---a4---a9--a5--|      number = event time; windows [0, 4), [4, 9) and none from 9 on; counted with emit 'close', grace 0
 * out  -------v----w-------|      v = [0, 4): 1; w = [4, 9): 1; a9 is in no window; a5 is late
 * ```
 * A record in no window is left out: it is neither counted nor late, but stream time moves with it. The windows of a record are updated
 * by ascending start; each is late, closes and is emitted as those of `windowTumbling`. One with the end Infinity never is: emit 'close'
 * refuses it. No state: the store of the aggregate that follows must be declared for the very same object.
 *
 * Unless the store states a `retention`, a window is removed from it when it closes.
 *
 * @param assigner `windowsOf` and `endOf` must be pure and agree with each other; `grace`: ms, >= 0, default 0
 * @throws WINDOW_GRACE, CONFIG (this is no assigner) at assembly. In the stream: WINDOW_ASSIGNER when the windows given cannot be or do
 *   not hold the record, INVALID_TIMESTAMP, PROCESSING when a function throws
 * @example
 * const days = calendarDays({ timeZone: 'Europe/Berlin', grace: hours(1) });
 * const perDay = windowStore('views-per-day', { key: string, value: int64, windows: days });
 * stream(views).pipe(windowBy(days), countWithStore(store(perDay)));
 *
 * @example
 * // One window, from a given moment on; what came before is left out.
 * const since: WindowAssigner = { windowsOf: (time) => (time < from ? [] : [{ start: from, end: Infinity }]), endOf: () => Infinity };
 * @see Kafka Streams' `Windows`, and `UnlimitedWindows.startOn`
 */
export function windowBy<K, V>(assigner: WindowAssigner): OperatorFunction<KafkaRecord<K, V>, InWindows<K, V>> {
  const operator = 'windowBy';
  checkWindows(assigner, operator, { operator });
  if (!isWindowAssigner(assigner)) {
    throw new MillraceError(
      'CONFIG',
      'windowBy: the assigner has no windowsOf and endOf; windows of a fixed size have operators of their own',
      {
        where: { operator, option: 'windowsOf' },
      },
    );
  }
  return assignWindows(operator, assigner, new CheckedAssigner(assigner));
}
