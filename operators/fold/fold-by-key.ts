import type { Subscriber } from 'rxjs';
import { KafkaRecord } from '../../src/model/record';
import type { KeyValueRuntime } from '../../src/state/handle';
import type { Counter } from '../../src/state/scope';
import type { Receiver } from '../operator';
import type { Fold } from './fold';

/**
 * One value a key. Every record that counts is emitted as the new value, with the greater of its own and the stored timestamp;
 * a deleted value is emitted as null. Null keys and null values are dropped and counted.
 */
export class FoldByKey<K, V, A> implements Receiver<KafkaRecord<K, V>> {
  private readonly store: KeyValueRuntime<K, A>;
  private readonly fold: Fold<K, V, A>;
  private readonly destination: Subscriber<KafkaRecord<K, A>>;
  private readonly nullKeys: Counter;
  private readonly nullValues: Counter;

  constructor(operator: string, store: KeyValueRuntime<K, A>, fold: Fold<K, V, A>, destination: Subscriber<KafkaRecord<K, A>>) {
    this.store = store;
    this.fold = fold;
    this.destination = destination;
    this.nullKeys = store.scope.counter('dropped-records-total', operator, 'null-key');
    this.nullValues = store.scope.counter('dropped-records-total', operator, 'null-value');
  }

  receive(record: KafkaRecord<K, V>): void {
    const { key } = record;
    if (key === null || key === undefined) {
      this.nullKeys.value += 1;
      return;
    }
    if (record.value === null || record.value === undefined) {
      this.nullValues.value += 1;
      return;
    }
    const stored = this.store.find(key);
    const next = this.fold.next(stored === undefined ? undefined : stored.value, record);
    const timestamp = stored !== undefined && stored.timestamp > record.timestamp ? stored.timestamp : record.timestamp;
    const result = (next ?? null) as A;
    // A null written is a removal.
    this.store.write(key, result, timestamp);
    this.destination.next(KafkaRecord.of(key, result, timestamp, record.origin));
  }
}
