import type { OperatorFunction } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import type { KeyValueStore, SessionStore, WindowStore } from '../src/model/store-definition';
import type { InSession, InWindows, Windowed } from '../src/model/window';
import { AggregateFold } from './fold/fold';
import { type FoldOperator, foldWithStore } from './fold/fold-with-store';
import type { Aggregation, Emit, Merging, Retraction, State, Windowing } from './fold/options';

/**
 * Keeps an aggregate of the values of each key, or of each key and window or session, in a store.
 *
 * ```text
 * in   --a1---a2---b5--|      sum by key: initial 0, add
 * out  --a1---a3---b5--|
 * ```
 * Emits after every record, for each of its windows in turn, or as `emit` says. 'change': only what changes the bytes of the result.
 * 'close': once for each key and window, when event time, less grace, has come to its end (sliding windows, sessions: has passed it;
 * sessions: by the gap, too); by window start (sessions: by end, then start), then key bytes. The timestamp is the greatest of the values'
 * timestamps, a session's its end.
 *
 * Event time is the greatest timestamp that this operator has seen, late records included; in watermark mode the least watermark of the
 * inputs that reach it. It survives restarts: what was late stays late, and what was emitted on close is not emitted again.
 *
 * An aggregate of null deletes and is emitted as null. Dropped and counted (`dropped-records-total`): null keys; null values by key and
 * in sliding windows; late records, which `late` is given.
 *
 * @param options `initial` and `add` must not change the aggregate they are given, nor `merge` its two, which a session store needs: it
 *   makes one aggregate of those of the sessions that a record joins
 * @throws STORE_WINDOWS when records come in other windows than the store's; CONFIG without `merge` over a session store, and for emit
 *   'close' over windows that never do. In the stream: STORE_IN_USE at a second subscription while one is active, PROCESSING when a
 *   function throws
 * @example
 * stream(views).pipe(
 *   aggregateWithStore(store(totals), { initial: () => 0, add: (total, view) => total + view.seconds }),
 *   to(totalsTopic),
 * );
 * @see Kafka Streams' `aggregate`; KIP-557 ('change'), KIP-825 ('close')
 */
export function aggregateWithStore<K, V, A extends State>(
  store: WindowStore<K, A>,
  options: Aggregation<K, V, A> & Windowing<K, V, Emit>,
): OperatorFunction<InWindows<K, V>, KafkaRecord<Windowed<K>, A>>;
/** Over a session store: `merge` makes one aggregate of those that a record joins; a null takes back each that was emitted before. */
export function aggregateWithStore<K, V, A extends State, E extends Emit = 'update'>(
  store: SessionStore<K, A>,
  options: Aggregation<K, V, A> & Merging<A> & Windowing<K, V, E>,
): OperatorFunction<InSession<K, V>, KafkaRecord<Windowed<K>, A | Retraction[E]>>;
/** Over a key-value store: one aggregate a key. */
export function aggregateWithStore<K, V, A extends State>(
  store: KeyValueStore<K, A>,
  options: Aggregation<K, V, A>,
): OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, A>>;
export function aggregateWithStore<K, V, A extends State>(
  store: WindowStore<K, A> | SessionStore<K, A> | KeyValueStore<K, A>,
  options: Aggregation<K, V, A> & Partial<Merging<A>> & Windowing<K, V, Emit>,
): FoldOperator<K, V, A> {
  return foldWithStore('aggregateWithStore', store, new AggregateFold(options), options);
}
