import { compareIdentity } from '../codec/identity';
import type { KeyValueStore, StoreDefinition, StoreShape, WindowStore } from '../model/store-definition';
import type { TimeWindows, Window } from '../model/window';
import { runtime, type StoreRuntime } from '../state/handle';
import { boundsOf } from '../state/windows';
import { MemoryKeyValueStore, MemoryWindowStore } from './memory-rows';
import { MemoryScope } from './memory-scope';

/**
 * A store in memory that belongs to no application: what an operator alone is tested with. What a task would run before its next
 * record (closing windows, say) runs within the push.
 *
 * @example
 * cold('-a-b|', records).pipe(countWithStore(memoryStore(clicksPerUser)))
 */
export function memoryStore<S>(definition: StoreDefinition<S>): S {
  const { shape } = definition as unknown as { readonly shape: StoreShape };
  const scope = new MemoryScope();
  const behind =
    shape.kind === 'window'
      ? new MemoryWindowStore<unknown, unknown>(shape, scope)
      : new MemoryKeyValueStore<unknown, unknown>(shape, scope);
  const handle = behind instanceof MemoryWindowStore ? windowHandle(behind) : keyValueHandle(behind);
  return handle as unknown as S;
}

function keyValueHandle<K, A>(behind: MemoryKeyValueStore<K, A>): object {
  return {
    [runtime]: behind,
    get: (key: K) => behind.find(key)?.value,
    put: (key: K, value: A) => behind.write(key, value, 0),
    delete: (key: K) => behind.remove(key),
  };
}

function windowHandle<K, A>(behind: MemoryWindowStore<K, A>): object {
  return {
    [runtime]: behind,
    get: (key: K, start: number) => behind.find(key, start)?.value,
    put: (key: K, window: { readonly start: number }, value: A) => behind.write(key, window.start, value, window.start),
  };
}

/** @internal What the operators on this store have dropped. */
export function droppedRecords(store: object): number {
  return memoryRuntime(store).scope.total('dropped-records-total');
}

interface StoredRow<K, A> {
  readonly key: K;
  readonly value: A;
  readonly timestamp: number;
}

/** @internal Every row, ascending by key. */
export async function keyValueRows<K, A>(store: KeyValueStore<K, A>): Promise<StoredRow<K, A>[]> {
  return (memoryRuntime(store) as MemoryKeyValueStore<K, A>)
    .sorted()
    .map(({ key, entry }) => ({ key, value: entry.value, timestamp: entry.timestamp }));
}

interface StoredWindow<K, A> extends StoredRow<K, A> {
  readonly window: Window;
}

/** @internal The rows of visible windows, ascending by key, then window; on request also those of the window where visibility ends. */
export async function windowRows<K, A>(
  store: WindowStore<K, A>,
  { andAtTheBound }: { readonly andAtTheBound: boolean },
): Promise<StoredWindow<K, A>[]> {
  const behind = memoryRuntime(store) as MemoryWindowStore<K, A>;
  const compare = compareIdentity(behind.shape.key);
  const { endOf } = boundsOf(behind.shape.windows as TimeWindows);
  const rows: { identity: string; row: StoredWindow<K, A> }[] = [];
  for (let start = behind.nextStart(0); start !== Infinity; start = behind.nextStart(start + 1)) {
    if (start < behind.invisibleUpTo || (start === behind.invisibleUpTo && !andAtTheBound)) continue;
    const cursor = behind.open(start);
    while (cursor.next()) {
      const { key, identity, entry } = cursor;
      rows.push({ identity, row: { key, window: { start, end: endOf(start) }, value: entry.value, timestamp: entry.timestamp } });
    }
    cursor.close();
  }
  return rows.sort((a, b) => compare(a.identity, b.identity)).map(({ row }) => row);
}

function memoryRuntime(store: object): StoreRuntime & { readonly scope: MemoryScope } {
  return (store as { readonly [runtime]: StoreRuntime & { readonly scope: MemoryScope } })[runtime];
}
