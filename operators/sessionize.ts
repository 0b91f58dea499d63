import type { OperatorFunction } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import type { InSession, SessionWindows } from '../src/model/window';
import { isSessionWindows } from '../src/state/windows';
import { checkKind } from './rows/check-kind';
import { assignSessions } from './session/assign-sessions';

/**
 * Puts each record on its way into a session of its key: records that lie at most `gap` apart.
 *
 * ```text
 * in   --a1---a4----a20--|      number = event time; gap 5, grace 0, counted
 * out  --w---(xy)---z----|      w = [1, 1]: 1; x = [1, 1]: null, y = [1, 4]: 2; z = [20, 20]: 1
 * ```
 * A session is [first, last]: both are times of records, both belong to it. It grows, and a record between two of them makes them one:
 * with emit 'update' each session that was emitted before is taken back first, by a null, even where its bounds stay; with 'change' only
 * where they do not; with 'close' sessions are emitted once. No state: the store of the aggregate that follows must be declared for the
 * same sessions, and an aggregate needs `merge`.
 *
 * With a `retention` beyond gap + grace, a record in time still meets sessions that have closed and takes them into its own, as in
 * Kafka Streams: what was emitted on close stays emitted, and no session with the same bounds is emitted twice.
 *
 * @param windows `gap`: ms without a record that part two sessions, > 0. `grace`: ms that a session waits for late records after its end
 *   and the gap, >= 0, default 0: a record is late iff the session it would make ends < stream time - grace - gap
 * @throws WINDOW_GAP, WINDOW_GRACE at assembly. INVALID_TIMESTAMP in the stream: a timestamp that is negative, a fraction or beyond
 *   2^53 - 1
 * @example
 * const visit = { gap: minutes(30), grace: minutes(1) };
 * const visits = sessionStore('visits', { key: string, value: int64, windows: visit });
 * stream(clicks).pipe(sessionize(visit), countWithStore(store(visits), { emit: 'close' }));
 * @see Kafka Streams' `SessionWindows.ofInactivityGapAndGrace`
 */
export function sessionize<K, V>(windows: SessionWindows): OperatorFunction<KafkaRecord<K, V>, InSession<K, V>> {
  checkKind('sessionize', windows, isSessionWindows, '{ gap }');
  return assignSessions('sessionize', windows);
}
