import type { OperatorFunction } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import type { SuppressStore } from '../src/model/store-definition';
import type { SuppressRuntime } from '../src/state/handle';
import { receiveWithStore, runtimeOf } from './operator';
import { checkSuppression, optionError } from './suppress/check-options';
import type { Suppression, UntilWindowCloses } from './suppress/options';
import { SuppressResults } from './suppress/suppress-results';

const operator = 'suppress';

/**
 * Holds results back and emits the latest of each key alone: once its window has closed, or at most once in a stretch of event time.
 *
 * ```text
 * in    --a1---b2---a3---a20--|      number = event time; until { limit: 10 }
 * out   -----------------(a3 b2)--|  in order of the first result held of a key
 * ```
 * Until 'windowCloses': a result is emitted when event time, less the grace of the windows (sessions: less gap and grace too), has come
 * to the end of its window; of windows whose end belongs to them (sliding ones, sessions) when it is past it. Nothing is emitted that is
 * updated later. Null results are not emitted. Of several windowed aggregates before it the longest wait counts. A store of sessions or
 * sliding windows that states the least `retention` there is (that of the JVM) has them released when event time is at their end already,
 * as Kafka Streams does; a second result of such a window is dropped and counted (reason `late`).
 *
 * Until a limit: what was held first of a key is emitted, in its latest state, when event time - its time >= limit; nulls too.
 *
 * Order: by that time (the end of the window), then key bytes, then window start. Timestamp and headers are those of the latest result.
 * Event time is the greatest timestamp among the results, or their watermark; it moves with them alone. Over `maxRecords` or `maxBytes`
 * the oldest are emitted early, or `SUPPRESS_FULL` is thrown. Null keys are dropped and counted.
 *
 * @throws CONFIG for options that cannot be, and where nothing says of which windows the results are; STORE_WINDOWS when they come in
 *   windows other than the store's. In the stream: STORE_IN_USE at a second subscription while one is active; SUPPRESS_FULL;
 *   INVALID_TIMESTAMP
 * @example
 * const pageCounts = windowStore('page-counts', { key: string, value: int64, windows: perMinute });
 * const finalCounts = suppressStore('final-counts', pageCounts.output);
 * stream(clicks).pipe(
 *   windowTumbling(perMinute),
 *   countWithStore(store(pageCounts)),
 *   suppress(store(finalCounts), { until: 'windowCloses' }),
 *   to(counts),
 * );
 * @see KIP-328
 */
export function suppress<K, V>(
  store: SuppressStore<K, V>,
  options: UntilWindowCloses,
): OperatorFunction<KafkaRecord<K, V | null>, KafkaRecord<K, V>>;
/** Until a time limit has passed in event time, within bounds of records and bytes. */
export function suppress<K, V>(store: SuppressStore<K, V>, options: Suppression): OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, V>>;
export function suppress<K, V>(store: SuppressStore<K, V>, options: Suppression): OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, V>> {
  const held = runtimeOf(store, operator) as SuppressRuntime<K, V>;
  checkSuppression(operator, options);
  const { kind } = held.shape;
  if (kind !== 'suppress') throw optionError(operator, 'store', `is a store of the kind ${kind}; declare it with suppressStore`);
  return receiveWithStore(operator, held, (destination) => new SuppressResults(operator, held, options, destination));
}
