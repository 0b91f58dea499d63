import { toBytes } from '../codec/utf8';
import type { Codec } from '../model/codec';
import type { StoreShape } from '../model/store-definition';
import type { Cell } from './cell';
import { DueIndex } from './due-index';
import type { StoreContext } from './layered-store';
import { runtime, type Scheduled, type SuppressHandle, type SuppressRuntime } from './handle';
import { bufferTimeOf, Held, heldCodec, type Headers } from './held';
import { ScheduledEntries } from './scheduled-entries';
import type { Entry } from './segment';
import { StoreCodecs } from './store-codecs';
import { timestampOf } from './store-layout';
import { absent } from './version';

const noHeaders: Headers = new Map();

/** Results held back, one a key: by the time of the first of them, then key bytes. */
export class SuppressEntries<K, V> extends ScheduledEntries<K, Held<V>> implements SuppressRuntime<K, V> {
  /** By timestamp: lower bounds too. */
  private readonly byTimestamp = new DueIndex();
  private readonly valueCodecs: StoreCodecs<K, V>;
  private readonly records: Cell<number>;
  private readonly bytes: Cell<number>;

  constructor(shape: StoreShape, id: number, context: StoreContext) {
    const value = heldCodec(shape.value) as Codec<unknown>;
    super(shape, id, context, new StoreCodecs<K, Held<V>>({ ...shape, value }));
    this.valueCodecs = new StoreCodecs<K, V>(shape);
    this.records = context.scope.cell(shape.name, 'records', 0);
    this.bytes = context.scope.cell(shape.name, 'bytes', 0);
  }

  hold(key: K, value: V | null, bufferTime: number, timestamp: number, headers: Headers): void {
    const before = this.find(key)?.value;
    const encoded = value === null || value === undefined ? undefined : toBytes(this.valueCodecs.encodeValue(key, value));
    const held = new Held(before?.bufferTime ?? bufferTime, encoded === undefined ? null : value, headers, encoded);
    const identity = this.identityOf(key);
    this.records.value += before === undefined ? 1 : 0;
    this.bytes.value += held.size + (before === undefined ? this.keySize(identity) : -before.size);
    this.schedule(key, held, timestamp);
    this.byTimestamp.add(identity, timestamp);
  }

  released({ key, identity, entry }: Scheduled<K, Held<V>>, timestamp: number): void {
    this.due.take();
    this.byTimestamp.remove(identity);
    this.remove(key, timestamp);
    if (entry.value.isReleased) return;
    this.records.value -= 1;
    this.bytes.value -= entry.value.size + this.keySize(identity);
  }

  releasedAtEnd(result: Scheduled<K, Held<V>>): void {
    const { key, time, entry } = result;
    this.released(result, entry.timestamp);
    this.schedule(key, Held.released<V>(time + 1), entry.timestamp);
  }

  isReleased(key: K): boolean {
    return this.find(key)?.value.isReleased === true;
  }

  get leastTimestamp(): number {
    const { byTimestamp, codecs } = this;
    for (let identity = byTimestamp.first; identity !== undefined; identity = byTimestamp.first) {
      const found = this.find(codecs.decodeKey(codecs.identityBytes(identity), 0));
      const held = found?.value.isReleased === false ? found : undefined;
      if (held?.timestamp === byTimestamp.earliest) return held.timestamp;
      byTimestamp.take();
      if (held !== undefined) byTimestamp.add(identity, held.timestamp);
    }
    return Infinity;
  }

  private keySize(identity: string): number {
    const key = this.codecs.keyOf(identity);
    return typeof key === 'string' ? Buffer.byteLength(key) : key.length;
  }

  protected timeOf({ bufferTime }: Held<V>): number {
    return bufferTime;
  }

  protected timeIn(bytes: Uint8Array, at: number): number {
    return bufferTimeOf(bytes, at);
  }

  override reverted(entry: Entry<K, Held<V>>): void {
    super.reverted(entry);
    const { value, timestamp } = entry.current;
    if (value !== absent) this.byTimestamp.add(entry.identity, timestamp);
  }

  protected override indexed(identity: string, value: Uint8Array): void {
    this.byTimestamp.add(identity, timestampOf(value));
  }

  protected override clearSegments(): void {
    super.clearSegments();
    this.byTimestamp.clear();
  }
}

/** What `task.store` gives for a suppress store. */
export function suppressHandle<K, V>(entries: SuppressEntries<K, V>): SuppressHandle<K, V> {
  const handle = {
    [runtime]: entries,
    put: (key: K, value: V) => {
      const { timestamp } = entries.scope;
      entries.hold(key, value, timestamp, timestamp, noHeaders);
    },
  };
  return handle as unknown as SuppressHandle<K, V>;
}
