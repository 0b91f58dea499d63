import { bytes } from '../codec/primitives';
import { readInt32, writeInt32 } from '../codec/int64-bytes';
import { toBytes } from '../codec/utf8';
import type { Codec } from '../model/codec';
import type { ForeignKeyStore } from '../model/foreign-key';
import type { StoreShape } from '../model/store-definition';
import type { StoreContext } from './layered-store';
import { runtime, type StoreRuntime, type WindowCursor } from './handle';
import { KeyValueEntries } from './key-value-entries';
import { StoreCodecs } from './store-codecs';

/** Who refers to a row, by the bytes of the referring key; the value says what is known of the row that refers. */
export interface ForeignKeyRuntime<K, F> extends StoreRuntime {
  readonly codecs: { readonly key: Codec<K>; readonly foreignKey: Codec<F> };
  subscribe(foreignKey: F, key: Uint8Array, hash: Uint8Array, timestamp: number): void;
  unsubscribe(foreignKey: F, key: Uint8Array, timestamp: number): void;
  /** All that refer to a row, ascending by the bytes of their keys, as they are now. */
  openSubscribers(foreignKey: F): Subscribers;
}

/** As a cursor; `key` are the bytes of the key that refers. */
export interface Subscribers {
  next(): boolean | Promise<void>;
  readonly key: Uint8Array;
  readonly hash: Uint8Array;
  close(): void;
}

export interface ForeignKeyHandle<K, F> extends ForeignKeyStore<K, F> {
  readonly [runtime]: ForeignKeyRuntime<K, F>;
}

const LENGTH = 4;

/**
 * An entry for each pair, its key as Kafka Streams lays it out: i32 length ‖ foreign key ‖ key. One foreign key is a range, of which no
 * other, be it longer or shorter, is a part.
 */
export class ForeignKeyEntries<K, F> {
  readonly entries: KeyValueEntries<Uint8Array, Uint8Array>;
  readonly runtime: ForeignKeyRuntime<K, F>;

  constructor(shape: StoreShape, id: number, context: StoreContext) {
    const raw = { ...shape, key: bytes as Codec<unknown> };
    const entries = new KeyValueEntries<Uint8Array, Uint8Array>(raw, id, context, new StoreCodecs(raw));
    const codecs = { key: shape.key as Codec<K>, foreignKey: shape.foreignKey as Codec<F> };
    this.entries = entries;
    this.runtime = {
      shape,
      scope: entries.scope,
      codecs,
      claim: (token, operator) => entries.claim(token, operator),
      subscribe: (foreignKey, key, hash, timestamp) => {
        entries.write(pairOf(codecs.foreignKey, foreignKey, key), hash, timestamp);
      },
      unsubscribe: (foreignKey, key, timestamp) => {
        entries.remove(pairOf(codecs.foreignKey, foreignKey, key), timestamp);
      },
      openSubscribers: (foreignKey) => {
        const first = pairOf(codecs.foreignKey, foreignKey, new Uint8Array());
        return new SubscriberCursor(entries.openRange(first, behind(first)), first);
      },
    };
  }
}

/** What `task.store` gives for a foreign-key store. */
export function foreignKeyHandle<K, F>({ runtime: behindIt }: ForeignKeyEntries<K, F>): ForeignKeyHandle<K, F> {
  const { codecs, scope } = behindIt;
  const handle = {
    [runtime]: behindIt,
    put: (key: K, foreign: F) => {
      behindIt.subscribe(foreign, toBytes(codecs.key.encode(key)), new Uint8Array(), scope.timestamp);
    },
  };
  return handle as unknown as ForeignKeyHandle<K, F>;
}

class SubscriberCursor implements Subscribers {
  key!: Uint8Array;
  hash!: Uint8Array;

  constructor(
    private readonly cursor: WindowCursor<Uint8Array, Uint8Array>,
    private readonly prefix: Uint8Array,
  ) {}

  next(): boolean | Promise<void> {
    const more = this.cursor.next();
    if (more !== true) return more;
    const { key, entry } = this.cursor;
    // The upper bound is in the range, and may be a pair of another foreign key.
    if (readInt32(key, 0) !== readInt32(this.prefix, 0) || !startsWith(key, this.prefix)) return this.next();
    this.key = key.subarray(this.prefix.length);
    this.hash = entry.value;
    return true;
  }

  close(): void {
    this.cursor.close();
  }
}

function pairOf<F>(codec: Codec<F>, foreignKey: F, key: Uint8Array): Uint8Array {
  const foreign = toBytes(codec.encode(foreignKey));
  const pair = new Uint8Array(LENGTH + foreign.length + key.length);
  writeInt32(pair, foreign.length, 0);
  pair.set(foreign, LENGTH);
  pair.set(key, LENGTH + foreign.length);
  return pair;
}

/** The smallest bytes of this length above all that begin with `prefix`. Its first byte is that of a length below 2^31: it never overflows. */
function behind(prefix: Uint8Array): Uint8Array {
  const bound = prefix.slice();
  for (let at = bound.length - 1; at >= 0; at--) {
    bound[at] = bound[at]! + 1;
    if (bound[at] !== 0) break;
  }
  return bound;
}

function startsWith(all: Uint8Array, prefix: Uint8Array): boolean {
  if (all.length < prefix.length) return false;
  for (let at = prefix.length - 1; at >= 0; at--) if (all[at] !== prefix[at]) return false;
  return true;
}
