import type { OperatorFunction } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import type { KeyValueStore, SessionStore, WindowStore } from '../src/model/store-definition';
import type { InSession, InWindows, Windowed } from '../src/model/window';
import { CountFold } from './fold/fold';
import { type FoldOperator, foldWithStore } from './fold/fold-with-store';
import type { Emit, Retraction, Windowing } from './fold/options';

/**
 * Counts the records of each key, or of each key and window or session, in a store.
 *
 * ```text
 * in   --a----a----b---|      by key
 * out  --a1---a2---b1--|
 * ```
 * Order, timestamps, lateness and what is dropped are those of `aggregateWithStore`: in windows other than sliding ones, and in sessions,
 * a record with a null value counts. Sessions need no `merge` here.
 *
 * @throws STORE_WINDOWS when records come in other windows than the store's; CONFIG for emit 'close' over windows that never do. In the
 *   stream: STORE_IN_USE
 * @example
 * stream(clicks).pipe(countWithStore(store(clicksPerUser)), to(clickCounts));
 * @see Kafka Streams' `count`
 */
export function countWithStore<K, V>(
  store: WindowStore<K, number>,
  options?: Windowing<K, V, Emit>,
): OperatorFunction<InWindows<K, V>, KafkaRecord<Windowed<K>, number>>;
/** Over a session store: a null takes back each session that was emitted before and has grown. */
export function countWithStore<K, V, E extends Emit = 'update'>(
  store: SessionStore<K, number>,
  options?: Windowing<K, V, E>,
): OperatorFunction<InSession<K, V>, KafkaRecord<Windowed<K>, number | Retraction[E]>>;
/** Over a key-value store: one count a key. */
export function countWithStore<K, V>(store: KeyValueStore<K, number>): OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, number>>;
export function countWithStore<K, V>(
  store: WindowStore<K, number> | SessionStore<K, number> | KeyValueStore<K, number>,
  options: Windowing<K, V, Emit> = {},
): FoldOperator<K, V, number> {
  return foldWithStore('countWithStore', store, new CountFold<K, V>(), options);
}
