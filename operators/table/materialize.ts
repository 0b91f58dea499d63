import { map, type Observable, share, type Subscriber } from 'rxjs';
import type { KafkaRecord } from '../../src/model/record';
import type { Change } from '../../src/model/table';
import type { KeyValueRuntime } from '../../src/state/handle';
import type { Counter, Scope } from '../../src/state/scope';
import { tableRuntime, type TableHandle, type TableRuntime } from '../../src/state/table';
import { type Receiver, receiveWithStore, receiveWithStores } from '../operator';

type Updates<K, V> = Observable<KafkaRecord<K, Change<V>>>;

/** A handle over rows and the updates that change them; `updates` is made hot and shared. */
export function tableOver<K, V>(behind: TableRuntime<K, V>, updates: Updates<K, V>): TableHandle<K, V> {
  const shared = updates.pipe(share());
  return {
    get: (key) => behind.find(key)?.value,
    updates: shared,
    changes: shared.pipe(map((update) => update.withValue(update.value.after ?? null))),
    [tableRuntime]: behind,
  };
}

/** The rows of a store that a table is kept in. */
export function keptTable<K, V>(store: KeyValueRuntime<K, V>, takeBack: () => void = () => undefined): TableRuntime<K, V> {
  const { shape, scope } = store;
  return { name: shape.sourceTopic ?? shape.name, scope, isKept: true, codecs: shape, find: (key) => store.find(key), takeBack };
}

/**
 * The table of a stream: each record is the new row of its key, a null deletes, an older one overwrites. Null keys are dropped and
 * counted.
 *
 * @param takeBack somebody takes rows back
 */
export function materialize<K, V>(
  operator: string,
  source: Observable<KafkaRecord<K, V | null>>,
  store: KeyValueRuntime<K, V>,
  takeBack: () => void = () => undefined,
): TableHandle<K, V> {
  return tableOver(
    keptTable(store, takeBack),
    source.pipe(receiveWithStore(operator, store, (destination) => new KeepRows(operator, store, destination))),
  );
}

/** The same without rows: changes pass, and what was before them is not known. */
export function passOn<K, V>(
  operator: string,
  name: string,
  source: Observable<KafkaRecord<K, V | null>>,
  scope: Scope,
): TableHandle<K, V> {
  const behind: TableRuntime<K, V> = { name, scope, isKept: false, codecs: undefined, find: () => undefined, takeBack: () => undefined };
  return tableOver(behind, source.pipe(receiveWithStores(operator, [], (destination) => new PassOn(operator, scope, destination))));
}

class KeepRows<K, V> implements Receiver<KafkaRecord<K, V | null>> {
  private readonly isSource: boolean;
  private readonly nullKeys: Counter;

  constructor(
    operator: string,
    private readonly store: KeyValueRuntime<K, V>,
    private readonly destination: Subscriber<KafkaRecord<K, Change<V>>>,
  ) {
    this.isSource = store.shape.sourceTopic !== undefined;
    this.nullKeys = store.scope.counter('dropped-records-total', operator, 'null-key');
  }

  receive(record: KafkaRecord<K, V | null>): void {
    const { store, destination } = this;
    const { key, value } = record;
    if (key === null || key === undefined) {
      this.nullKeys.value += 1;
      return;
    }
    const before = store.find(key)?.value;
    store.write(key, value as V, record.timestamp);
    const update = record.withValue({ before, after: value ?? undefined });
    if (!this.isSource) {
      destination.next(update);
      return;
    }
    // An emission of its own: what it leads to may be undone and skipped, but the row stays, as the topic has it for whoever restores.
    const { scope, shape } = store;
    if (!scope.begin(shape.name, 'change', record.origin.offset, '')) return;
    destination.next(update);
    scope.end();
  }
}

class PassOn<K, V> implements Receiver<KafkaRecord<K, V | null>> {
  private readonly nullKeys: Counter;

  constructor(
    operator: string,
    scope: Scope,
    private readonly destination: Subscriber<KafkaRecord<K, Change<V>>>,
  ) {
    this.nullKeys = scope.counter('dropped-records-total', operator, 'null-key');
  }

  receive(record: KafkaRecord<K, V | null>): void {
    const { key, value } = record;
    if (key === null || key === undefined) this.nullKeys.value += 1;
    else this.destination.next(record.withValue({ before: undefined, after: value ?? undefined }));
  }
}
