import { readInt64 } from '../codec/int64-bytes';
import { toBytes } from '../codec/utf8';
import type { BufferStore } from '../model/buffer';
import type { Codec } from '../model/codec';
import type { StoreShape } from '../model/store-definition';
import { DueIndex } from './due-index';
import type { StoreContext } from './layered-store';
import { runtime, type Scheduled, type StoreRuntime } from './handle';
import { bufferTimeOf, Held, heldCodec, type Headers } from './held';
import { compareNumbered, NumberedKey, numberedKeyCodec } from './numbered-key';
import { ScheduledEntries } from './scheduled-entries';
import type { Cell } from './scope';
import { StoreCodecs } from './store-codecs';

/** A record that waits. */
export type Waiting<K, V> = Scheduled<NumberedKey<K>, Held<V>>;

/** Records that wait: by time, then key bytes, then arrival. Those of one key and time are rows of their own. */
export interface BufferRuntime<K, V> extends StoreRuntime {
  keep(key: K, value: V, timestamp: number, headers: Headers): void;
  /** Nothing waits that is older; Infinity: nothing at all. No disk. */
  readonly earliest: number;
  /** The first one up to `until`. */
  next(until: number): Waiting<K, V> | undefined;
  /** Removes what `next` has just given. */
  letGo(waiting: Waiting<K, V>, timestamp: number): void;
}

export interface BufferHandle<K, V> extends BufferStore<K, V> {
  readonly [runtime]: BufferRuntime<K, V>;
}

const noHeaders: Headers = new Map();

export class BufferEntries<K, V> extends ScheduledEntries<NumberedKey<K>, Held<V>> implements BufferRuntime<K, V> {
  override readonly due = new DueIndex(compareNumbered);
  private readonly valueCodecs: StoreCodecs<K, V>;
  /** How many have come: the number of the next. */
  private readonly arrivals: Cell<number>;
  /** Behind every number on disk: holds where what is kept with the offsets is not. */
  private free = 0;

  constructor(shape: StoreShape, id: number, context: StoreContext) {
    const [key, value] = [numberedKeyCodec(shape.key) as Codec<unknown>, heldCodec(shape.value) as Codec<unknown>];
    super(shape, id, context, new StoreCodecs<NumberedKey<K>, Held<V>>({ ...shape, key, value }));
    this.valueCodecs = new StoreCodecs<K, V>(shape);
    this.arrivals = context.scope.cell(shape.name, 'arrivals', 0);
  }

  keep(key: K, value: V, timestamp: number, headers: Headers): void {
    const number = Math.max(this.arrivals.value, this.free);
    const encoded = toBytes(this.valueCodecs.encodeValue(key, value));
    this.schedule(new NumberedKey(key, number), new Held(timestamp, value, headers, encoded), timestamp);
    this.arrivals.value = number + 1;
  }

  letGo({ key }: Waiting<K, V>, timestamp: number): void {
    this.due.take();
    this.remove(key, timestamp);
  }

  protected timeOf({ bufferTime }: Held<V>): number {
    return bufferTime;
  }

  protected timeIn(bytes: Uint8Array, at: number): number {
    return bufferTimeOf(bytes, at);
  }

  protected override indexed(identity: string): void {
    const bytes = this.codecs.identityBytes(identity);
    this.free = Math.max(this.free, readInt64(bytes, bytes.length - 8) + 1);
  }

  protected override clearSegments(): void {
    super.clearSegments();
    this.free = 0;
  }
}

/** What `task.store` gives for a store that buffers. */
export function bufferHandle<K, V>(entries: BufferEntries<K, V>): BufferHandle<K, V> {
  const handle = {
    [runtime]: entries,
    put: (key: K, value: V) => {
      entries.keep(key, value, entries.scope.timestamp, noHeaders);
    },
  };
  return handle as unknown as BufferHandle<K, V>;
}
