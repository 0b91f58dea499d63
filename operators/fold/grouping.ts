import type { Observable } from 'rxjs';
import type { KafkaRecord } from '../../src/model/record';
import type { InSession, InWindows } from '../../src/model/window';

/** How the values of one stream are added to an aggregate that others are added to as well. */
interface Addition<A> {
  readonly add: (aggregate: A, value: never, record: never) => A;
}

/** One stream of a cogroup, and how its records enter the aggregate that it shares with others. */
export interface Grouped<K, A> extends Addition<A> {
  readonly source: Observable<KafkaRecord<K, unknown>>;
}

/** The same in windows. */
export interface GroupedInWindows<K, A> extends Addition<A> {
  readonly source: Observable<InWindows<K, unknown>>;
}

/** The same in sessions. */
export interface GroupedInSessions<K, A> extends Addition<A> {
  readonly source: Observable<InSession<K, unknown>>;
}
