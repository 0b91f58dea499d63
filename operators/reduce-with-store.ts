import type { OperatorFunction } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import type { KeyValueStore, SessionStore, WindowStore } from '../src/model/store-definition';
import type { InSession, InWindows, Windowed } from '../src/model/window';
import { ReduceFold } from './fold/fold';
import { type FoldOperator, foldWithStore } from './fold/fold-with-store';
import type { Emit, Reduction, Retraction, State, Windowing } from './fold/options';

/**
 * Keeps one value for each key, or for each key and window or session, made of two at a time. The first value is taken as it is.
 *
 * ```text
 * in   --a3---a1---a8--|      greatest by key
 * out  --a3---a3---a8--|
 * ```
 * Order, timestamps, lateness and what is dropped are those of `aggregateWithStore`. A null result deletes and is emitted as null; in
 * windows other than sliding ones, and in sessions, a null value counts as any other. The same function makes one value of two sessions.
 *
 * @throws STORE_WINDOWS when records come in other windows than the store's; CONFIG for emit 'close' over windows that never do. In the
 *   stream: STORE_IN_USE, PROCESSING
 * @example
 * stream(prices).pipe(reduceWithStore(store(highest), { reduce: Math.max }), to(highestPrices));
 * @see Kafka Streams' `reduce`
 */
export function reduceWithStore<K, V extends State>(
  store: WindowStore<K, V>,
  options: Reduction<V> & Windowing<K, V, Emit>,
): OperatorFunction<InWindows<K, V>, KafkaRecord<Windowed<K>, V>>;
/** Over a session store: a null takes back each session that was emitted before and has grown. */
export function reduceWithStore<K, V extends State, E extends Emit = 'update'>(
  store: SessionStore<K, V>,
  options: Reduction<V> & Windowing<K, V, E>,
): OperatorFunction<InSession<K, V>, KafkaRecord<Windowed<K>, V | Retraction[E]>>;
/** Over a key-value store: one value a key. */
export function reduceWithStore<K, V extends State>(
  store: KeyValueStore<K, V>,
  options: Reduction<V>,
): OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, V>>;
export function reduceWithStore<K, V extends State>(
  store: WindowStore<K, V> | SessionStore<K, V> | KeyValueStore<K, V>,
  options: Reduction<V> & Windowing<K, V, Emit>,
): FoldOperator<K, V, V> {
  return foldWithStore('reduceWithStore', store, new ReduceFold(options), options);
}
