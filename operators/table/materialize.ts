import { map, type Observable, share, Subject, type Subscriber, tap } from 'rxjs';
import { identityOf } from '../../src/codec/identity';
import type { Codec } from '../../src/model/codec';
import type { KafkaRecord } from '../../src/model/record';
import type { Change } from '../../src/model/table';
import type { KeyValueRuntime, Stamped } from '../../src/state/handle';
import type { Counter, Scope } from '../../src/state/scope';
import { type Progress, tableRuntime, type TableHandle, type TableRuntime } from '../../src/state/table';
import { type Receiver, receiveWithStore, receiveWithStores, seenByPlanner } from '../operator';

type Updates<K, V> = Observable<KafkaRecord<K, Change<V>>>;

/** What is behind a table, but for its updates. */
export type Behind<K, V> = Omit<TableRuntime<K, V>, 'updates'>;

/** A handle over rows of its own and the updates that have changed them; `updates` is made hot and shared. */
export function keptTable<K, V>(behind: Omit<Behind<K, V>, 'progress'>, key: Codec<K>, updates: Updates<K, V>): TableHandle<K, V> {
  const progress = new Emitting<K, V>(identityOf(key));
  return handleOver({ ...behind, progress }, updates.pipe(share({ connector: () => new UpdateSubject(progress) })));
}

/** The same over rows that are worked out from others'. */
export function tableOver<K, V>(behind: Behind<K, V>, updates: Updates<K, V>): TableHandle<K, V> {
  return handleOver(behind, updates.pipe(share()));
}

function handleOver<K, V>(behind: Behind<K, V>, shared: Updates<K, V>): TableHandle<K, V> {
  const updates = seenByPlanner('table', behind.name, shared);
  return {
    get: (key) => behind.find(key)?.value,
    updates: updates.pipe(tap({ subscribe: behind.takeBack })),
    changes: updates.pipe(map((update) => update.withValue(update.value.after ?? null))),
    [tableRuntime]: { ...behind, updates },
  };
}

/** The updates of a kept table, of which at most one is being emitted. */
class Emitting<K, V> implements Progress<K, V> {
  update: KafkaRecord<K, Change<V>> | undefined;
  emitted = 0;

  constructor(readonly identity: (key: K) => string) {}

  readonly changes = (): number => this.emitted;

  readonly changing = (key: K): Change<V> | undefined => {
    const { update, identity } = this;
    return update !== undefined && identity(update.key) === identity(key) ? update.value : undefined;
  };
}

class UpdateSubject<K, V> extends Subject<KafkaRecord<K, Change<V>>> {
  constructor(private readonly emitting: Emitting<K, V>) {
    super();
  }

  override next(update: KafkaRecord<K, Change<V>>): void {
    const { emitting } = this;
    emitting.emitted++;
    emitting.update = update;
    super.next(update);
    emitting.update = undefined;
  }
}

/** A table whose rows are those of a store. */
export function tableInStore<K, V>(store: KeyValueRuntime<K, V>, updates: Updates<K, V>, takeBack = noTakingBack): TableHandle<K, V> {
  const { shape, scope } = store;
  const find = (key: K): Stamped<V> | undefined => store.find(key);
  const behind = { name: shape.sourceTopic ?? shape.name, scope, isKept: true, codecs: shape, find, takeBack };
  return keptTable(behind, shape.key as Codec<K>, updates);
}

/** Its changelog is its own already. */
const noTakingBack = (): void => undefined;

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
  takeBack?: () => void,
): TableHandle<K, V> {
  const keep = (destination: Subscriber<KafkaRecord<K, Change<V>>>): KeepRows<K, V> => new KeepRows(operator, store, destination);
  return tableInStore(store, source.pipe(receiveWithStore(operator, store, keep)), takeBack);
}

/** The same without rows: changes pass, and what was before them is not known. */
export function passOn<K, V>(
  operator: string,
  name: string,
  source: Observable<KafkaRecord<K, V | null>>,
  scope: Scope,
): TableHandle<K, V> {
  return tableOver(
    withoutRows(name, scope),
    source.pipe(receiveWithStores(operator, [], (destination) => new PassOn(operator, scope, destination))),
  );
}

/** What is behind a table that only passes changes on. */
export function withoutRows<K, V>(name: string, scope: Scope): Behind<K, V> {
  const nothing = (): undefined => undefined;
  return { name, scope, isKept: false, codecs: undefined, find: nothing, progress: undefined, takeBack: nothing };
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
