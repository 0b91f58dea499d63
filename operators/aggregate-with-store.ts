import type { OperatorFunction } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import type { KeyValueStore, SessionStore, WindowStore } from '../src/model/store-definition';
import type { InSession, InWindows, Windowed } from '../src/model/window';
import { AggregateFold } from './fold/fold';
import { type FoldOperator, foldWithStore } from './fold/fold-with-store';
import type { Aggregation, Emit, Merging, Retraction, State, Windowing } from './fold/options';

/**
 * Keeps an aggregate of the values of each key, or of each key and window, in a store.
 *
 * ```text
 * in   --a1---a2---b5--|      sum by key: initial 0, add
 * out  --a1---a3---b5--|
 * ```
 * Emits after every record, or as `emit` says: with 'close', once for each key and window, by window start, then key bytes, when
 * end <= stream time - grace. The timestamp is the greatest of the values' timestamps. Stream time is the greatest timestamp this
 * operator has seen, late records included, and survives restarts: a window closed stays closed.
 *
 * An aggregate of null deletes and is emitted as null. Dropped and counted (`dropped-records-total`): null keys; null values, unless
 * there are windows; late records, which `late` is given.
 *
 * @param options `initial` and `add` must not change the aggregate they are given
 * @throws STORE_WINDOWS when records come in other windows than the store's. In the stream: STORE_IN_USE at a second subscription while
 *   one is active, PROCESSING when a function throws
 * @example
 * stream(views).pipe(
 *   aggregateWithStore(store(totals), { initial: () => 0, add: (total, view) => total + view.seconds }),
 *   to(totalsTopic),
 * );
 */
export function aggregateWithStore<K, V, A extends State>(
  store: WindowStore<K, A>,
  options: Aggregation<K, V, A> & Windowing<K, V, Emit>,
): OperatorFunction<InWindows<K, V>, KafkaRecord<Windowed<K>, A>>;
export function aggregateWithStore<K, V, A extends State, E extends Emit = 'update'>(
  store: SessionStore<K, A>,
  options: Aggregation<K, V, A> & Merging<A> & Windowing<K, V, E>,
): OperatorFunction<InSession<K, V>, KafkaRecord<Windowed<K>, A | Retraction[E]>>;
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
