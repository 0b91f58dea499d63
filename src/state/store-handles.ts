import {
  type CountedWindowHandle,
  type KeyValueHandle,
  type RowWindowHandle,
  runtime,
  type SessionHandle,
  type WindowHandle,
  type WindowRuntime,
} from './handle';
import { Counted } from './counted';
import type { KeyValueEntries } from './key-value-entries';
import type { RowEntries } from './row-entries';
import { Row } from './rows';

/** What `task.store` gives for a key-value store. Writes carry the timestamp of the record being pushed. */
export function keyValueHandle<K, A>(entries: KeyValueEntries<K, A>): KeyValueHandle<K, A> {
  const handle: Omit<KeyValueHandle<K, A>, KindOf<KeyValueHandle<K, A>>> = {
    [runtime]: entries,
    get: (key) => entries.find(key)?.value,
    put: (key, value) => {
      entries.write(key, value, entries.scope.timestamp);
    },
    delete: (key) => {
      entries.remove(key, entries.scope.timestamp);
    },
    range: (from, to) => ({ [Symbol.asyncIterator]: () => walk(entries, from, to) }),
  };
  return handle as KeyValueHandle<K, A>;
}

/** What `task.store` gives for a window store. */
export function windowHandle<K, A>(entries: WindowRuntime<K, A>): WindowHandle<K, A> {
  const handle: Omit<WindowHandle<K, A>, KindOf<WindowHandle<K, A>>> = {
    [runtime]: entries,
    get: (key, windowStart) => entries.find(key, windowStart)?.value,
    put: (key, window, value) => {
      entries.write(key, window.start, value, entries.scope.timestamp);
    },
  };
  return handle as WindowHandle<K, A>;
}

/** What `task.store` gives for a window store whose windows belong to their key. */
export function rowWindowHandle<K, A>(entries: RowEntries<K, A>): RowWindowHandle<K, A> {
  const handle: Omit<RowWindowHandle<K, A>, KindOf<RowWindowHandle<K, A>>> = {
    [runtime]: entries,
    get: (key, windowStart) => {
      const row = entries.rows(key).find(({ start }) => start === windowStart);
      return row !== undefined && entries.timeOf(row) > entries.invisibleUpTo ? row.value : undefined;
    },
    put: (key, window, value) => {
      put(entries, key, new Row(window.start, window.end, value, entries.scope.timestamp));
    },
  };
  return handle as RowWindowHandle<K, A>;
}

/** What `task.store` gives for a store of counted windows: aggregates, without the numbers of records they lie with. */
export function countedWindowHandle<K, A>(entries: RowEntries<K, Counted<A>>): CountedWindowHandle<K, A> {
  const handle: Omit<CountedWindowHandle<K, A>, KindOf<CountedWindowHandle<K, A>>> = {
    [runtime]: entries,
    get: (key, windowStart) => entries.rows(key).find(({ start }) => start === windowStart)?.value.value ?? undefined,
    put: (key, window, value) => {
      const { start, end } = window;
      const known = entries.rows(key).find((row) => row.start === start)?.value.records;
      put(entries, key, new Row(start, end, new Counted(known ?? end - start, value ?? null), entries.scope.timestamp));
    },
  };
  return handle as CountedWindowHandle<K, A>;
}

/** What `task.store` gives for a session store. */
export function sessionHandle<K, A>(entries: RowEntries<K, A>): SessionHandle<K, A> {
  const handle: Omit<SessionHandle<K, A>, KindOf<SessionHandle<K, A>>> = {
    [runtime]: entries,
    find: (key, from, to) => {
      const bound = entries.invisibleUpTo;
      const found = entries.rows(key).filter((row) => row.end > bound && row.end >= from && row.start <= to);
      return found.map(({ start, end, value }) => [{ start, end }, value] as const);
    },
    put: (key, window, value) => {
      put(entries, key, new Row(window.start, window.end, value, entries.scope.timestamp));
    },
  };
  return handle as SessionHandle<K, A>;
}

/** In the place of the row with the same bounds; a null removes it. */
function put<K, A>(entries: RowEntries<K, A>, key: K, row: Row<A>): void {
  const rows = entries.rows(key).filter((other) => entries.order(other, row) !== 0);
  if (row.value !== null && row.value !== undefined) rows.push(row);
  rows.sort((a, b) => entries.order(a, b));
  entries.replace(key, rows, row.timestamp);
}

/** The mark of a kind of handle exists in types only. */
type KindOf<H> = Exclude<keyof H, string | typeof runtime>;

async function* walk<K, A>(entries: KeyValueEntries<K, A>, from: K | undefined, to: K | undefined): AsyncGenerator<[K, A], void> {
  const cursor = entries.openRange(from, to);
  try {
    for (;;) {
      const more = cursor.next();
      if (typeof more !== 'boolean') await more;
      else if (!more) return;
      else if (entries.isReadable(cursor.entry)) yield [cursor.key, cursor.entry.value];
    }
  } finally {
    cursor.close();
  }
}
