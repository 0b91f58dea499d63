import type { Observable } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import type { InSession, InWindows } from '../src/model/window';
import type { Grouped, GroupedInSessions, GroupedInWindows } from './fold/grouping';

/**
 * One of the streams that `cogroupWithStore` makes one aggregate of, and how its values are added.
 *
 * ```ts
 * grouped(stream(orders), (customer: Customer, order) => ({ ...customer, orders: customer.orders + 1 }))
 * ```
 * Does nothing by itself. The type of the aggregate has to be written once, at the first parameter of `add`.
 *
 * @param source records by key, or in windows as they come from `windowTumbling` and its kin, or in sessions from `sessionize`
 * @param add may not change the aggregate it is given; null deletes
 * @see Kafka Streams' `CogroupedKStream.cogroup`, KIP-150
 */
export function grouped<K, V, A>(
  source: Observable<KafkaRecord<K, V>>,
  add: (aggregate: A, value: V, record: KafkaRecord<K, V>) => A,
): Grouped<K, A>;
/** Records in windows. */
export function grouped<K, V, A>(
  source: Observable<InWindows<K, V>>,
  add: (aggregate: A, value: V, record: KafkaRecord<K, V>) => A,
): GroupedInWindows<K, A>;
/** Records on their way into sessions. */
export function grouped<K, V, A>(
  source: Observable<InSession<K, V>>,
  add: (aggregate: A, value: V, record: KafkaRecord<K, V>) => A,
): GroupedInSessions<K, A>;
export function grouped<K, V, A>(
  source: Observable<KafkaRecord<K, V>> | Observable<InWindows<K, V>> | Observable<InSession<K, V>>,
  add: (aggregate: A, value: V, record: KafkaRecord<K, V>) => A,
): Grouped<K, A> | GroupedInWindows<K, A> | GroupedInSessions<K, A> {
  return { source, add } as Grouped<K, A> | GroupedInWindows<K, A> | GroupedInSessions<K, A>;
}
