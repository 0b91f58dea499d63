import { compareIdentity } from '../codec/identity';
import type { KeyValueStore, SessionStore, WindowStore } from '../model/store-definition';
import type { Window, Windows } from '../model/window';
import { type KeyValueHandle, type RowRuntime, runtime, type WindowHandle } from '../state/handle';
import type { KeyValueEntries } from '../state/key-value-entries';
import type { Row } from '../state/rows';
import { boundsOf, isWindowAssigner } from '../state/windows';

export interface StoredRow<K, A> {
  readonly key: K;
  readonly value: A;
  readonly timestamp: number;
}

export interface StoredWindowRow<K, A> extends StoredRow<K, A> {
  readonly window: Window;
}

/** @internal Every row, ascending by key bytes. */
export async function keyValueRows<K, A>(store: KeyValueStore<K, A>): Promise<StoredRow<K, A>[]> {
  const behind = (store as KeyValueHandle<K, A>)[runtime];
  const rows: StoredRow<K, A>[] = [];
  for await (const [key, value] of store.range()) rows.push({ key, value, timestamp: behind.find(key)!.timestamp });
  return rows;
}

/** @internal The rows of visible windows, by key bytes, then window; on request also those of the window where visibility ends. */
export async function windowRows<K, A>(
  store: WindowStore<K, A>,
  { andAtTheBound }: { readonly andAtTheBound: boolean },
): Promise<StoredWindowRow<K, A>[]> {
  const behind = (store as WindowHandle<K, A>)[runtime];
  const windows = behind.shape.windows as Windows;
  const bounds = boundsOf(windows);
  const found: { readonly identity: string; readonly row: StoredWindowRow<K, A> }[] = [];
  const bound = isWindowAssigner(windows) ? -Infinity : behind.invisibleUpTo;
  for (let start = behind.nextStart(andAtTheBound ? bound : bound + 1); start !== Infinity; start = behind.nextStart(start + 1)) {
    const cursor = behind.open(start);
    for (let more = cursor.next(); more !== false; more = cursor.next()) {
      if (typeof more !== 'boolean') {
        await more;
        continue;
      }
      const { key, identity, entry } = cursor;
      const window = { start, end: bounds.endOf(start) };
      found.push({ identity, row: { key, window, value: entry.value, timestamp: entry.timestamp } });
    }
    cursor.close();
  }
  const compare = compareIdentity(behind.shape.key);
  return found.sort((a, b) => compare(a.identity, b.identity)).map(({ row }) => row);
}

type AllRows<K, A> = RowRuntime<K, A> & Pick<KeyValueEntries<K, readonly Row<A>[]>, 'openRange'>;

/**
 * @internal The visible rows of a store whose windows belong to their key (sliding or counted windows, sessions), by key bytes, then
 * window; on request also those exactly where visibility ends, or all.
 */
export async function rowsByKey<K, A>(
  store: WindowStore<K, A> | SessionStore<K, A>,
  { andAtTheBound, hidden = false }: { readonly andAtTheBound: boolean; readonly hidden?: boolean },
): Promise<StoredWindowRow<K, A>[]> {
  const behind = (store as unknown as { readonly [runtime]: AllRows<K, A> })[runtime];
  const bound = hidden ? -Infinity : behind.invisibleUpTo;
  const found: StoredWindowRow<K, A>[] = [];
  const cursor = behind.openRange(undefined, undefined);
  for (let more = cursor.next(); more !== false; more = cursor.next()) {
    if (typeof more !== 'boolean') {
      await more;
      continue;
    }
    const { key, entry } = cursor;
    for (const row of entry.value) {
      const time = behind.timeOf(row);
      if (time < bound || (time === bound && !andAtTheBound)) continue;
      found.push({ key, window: { start: row.start, end: row.end }, value: row.value, timestamp: row.timestamp });
    }
  }
  cursor.close();
  return found;
}
