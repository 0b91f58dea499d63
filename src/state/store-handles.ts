import type { Clock } from '../time/clock';
import { type KeyValueHandle, runtime, type WindowHandle } from './handle';
import type { KeyValueEntries } from './key-value-entries';
import type { WindowEntries } from './window-entries';

/** What `task.store` gives for a key-value store. Writes through it carry the wall clock's time; operators write their record's. */
export function keyValueHandle<K, A>(entries: KeyValueEntries<K, A>, clock: Clock): KeyValueHandle<K, A> {
  const handle: Omit<KeyValueHandle<K, A>, KindOf<KeyValueHandle<K, A>>> = {
    [runtime]: entries,
    get: (key) => entries.find(key)?.value,
    put: (key, value) => {
      entries.write(key, value, clock.now());
    },
    delete: (key) => {
      entries.remove(key, clock.now());
    },
    range: (from, to) => ({ [Symbol.asyncIterator]: () => walk(entries, from, to) }),
  };
  return handle as KeyValueHandle<K, A>;
}

/** What `task.store` gives for a window store. */
export function windowHandle<K, A>(entries: WindowEntries<K, A>, clock: Clock): WindowHandle<K, A> {
  const handle: Omit<WindowHandle<K, A>, KindOf<WindowHandle<K, A>>> = {
    [runtime]: entries,
    get: (key, windowStart) => entries.find(key, windowStart)?.value,
    put: (key, window, value) => {
      entries.write(key, window.start, value, clock.now());
    },
  };
  return handle as WindowHandle<K, A>;
}

/** The mark of a kind of handle exists in types only. */
type KindOf<H> = Exclude<keyof H, string | typeof runtime>;

async function* walk<K, A>(entries: KeyValueEntries<K, A>, from: K | undefined, to: K | undefined): AsyncGenerator<[K, A], void> {
  const cursor = entries.openRange(from, to);
  try {
    for (;;) {
      const more = cursor.next();
      if (typeof more !== 'boolean') await more;
      else if (more) yield [cursor.key, cursor.entry.value];
      else return;
    }
  } finally {
    cursor.close();
  }
}
