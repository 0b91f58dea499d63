import type { Observable, Subscriber } from 'rxjs';
import type { KafkaRecord } from '../../src/model/record';
import type { KeyValueStore } from '../../src/model/store-definition';
import type { Change, Table } from '../../src/model/table';
import type { KeyValueRuntime } from '../../src/state/handle';
import { announceTable } from '../../src/state/wiring';
import { type Receiver, receiveWithStore, runtimeOf } from '../operator';
import { type Behind, tableInStore, tableOver } from './materialize';

/** A table that is worked out from others: whenever a row is asked for, or, with a store, once. With a store it says itself what was before. */
export function derivedTable<K, V>(
  operator: string,
  behind: Behind<K, V>,
  updates: Observable<KafkaRecord<K, Change<V>>>,
  store: KeyValueStore<K, V> | undefined,
  passesVainDeletions = true,
): Table<K, V> {
  if (store === undefined) return tableOver(behind, updates);
  const kept = runtimeOf(store, operator) as KeyValueRuntime<K, V>;
  announceTable(kept.shape.name, operator);
  const keep = (destination: Subscriber<KafkaRecord<K, Change<V>>>): KeepUpdates<K, V> =>
    new KeepUpdates(kept, passesVainDeletions, destination);
  return tableInStore(kept, updates.pipe(receiveWithStore(operator, kept, keep)));
}

/** What was before, the store says. */
class KeepUpdates<K, V> implements Receiver<KafkaRecord<K, Change<V>>> {
  constructor(
    private readonly store: KeyValueRuntime<K, V>,
    private readonly passesVainDeletions: boolean,
    private readonly destination: Subscriber<KafkaRecord<K, Change<V>>>,
  ) {}

  receive(record: KafkaRecord<K, Change<V>>): void {
    const { store, destination } = this;
    const { key, value, timestamp } = record;
    const before = store.find(key)?.value;
    if (before === undefined && value.after === undefined && !this.passesVainDeletions) return;
    store.write(key, (value.after ?? null) as V, timestamp);
    destination.next(record.withValue({ before, after: value.after }));
  }
}
