import { toBytes } from '../codec/utf8';
import type { StoreShape } from '../model/store-definition';
import { DiskEntries } from './disk-entries';
import type { DueIndex } from './due-index';
import { type Entry, Segment } from './segment';
import { type EntryCursor, Pinned } from './entry-cursor';
import { EntryStore } from './entry-store';
import type { StoreContext } from './layered-store';
import type { KeyValueRuntime, Stamped } from './handle';
import type { StoreCodecs } from './store-codecs';
import { bytesAfter, StoreLayout } from './store-layout';

/** Ranges over stores with more entries in memory than this pin the dirty ones only, and read the others from disk. */
const MANY_ENTRIES = 10_000;

/** A store with one value a key: one segment. */
export class KeyValueEntries<K, A> extends EntryStore<K, A> implements KeyValueRuntime<K, A> {
  /** When something is to be done with a key; only stores that something happens to by time have one. */
  readonly due: DueIndex | undefined = undefined;
  protected segment = new Segment<K, A>(0, true);

  constructor(shape: StoreShape, id: number, context: StoreContext, codecs?: StoreCodecs<K, A>) {
    super(shape, id, context, new StoreLayout(id, false), codecs);
  }

  find(key: K): Stamped<A> | undefined {
    return this.read(key, 0);
  }

  /** A null or undefined value removes, as Kafka's null does. */
  write(key: K, value: A, timestamp: number): void {
    if (value === null || value === undefined) this.bury(key, 0, timestamp);
    else this.put(key, 0, value, timestamp);
  }

  remove(key: K, timestamp: number): void {
    this.bury(key, 0, timestamp);
  }

  /** False: a reader does not see it any more. */
  isReadable(_found: Stamped<A>): boolean {
    return true;
  }

  /** Ascending by key bytes, both ends in; undefined is open. Sees the moment of the call. */
  openRange(from: K | undefined, to: K | undefined): EntryCursor<K, A> {
    const { codecs, layout, segment } = this;
    const [low, high] = [from, to].map((key) => (key === undefined ? undefined : codecs.identityOf(key)));
    if (low !== undefined && high !== undefined && codecs.compare(low, high) > 0) {
      this.context.logger.warn({ store: this.name }, 'a range whose lower bound is above its upper bound is empty');
      return this.cursorOver(segment, this.sorted([]), undefined);
    }
    if (segment.complete && segment.entries.size <= MANY_ENTRIES) {
      return this.cursorOver(segment, this.sorted(this.pin(segment.entries.values(), low, high)), undefined);
    }
    const range = {
      from: from === undefined ? layout.first : layout.keyBound(toBytes(codecs.encodeKey(from)), 0),
      to: to === undefined ? layout.last : bytesAfter(layout.keyBound(toBytes(codecs.encodeKey(to)), 0)),
    };
    const pinned = this.sorted(this.pin(this.dirtyEntries(), low, high));
    return this.cursorOver(segment, pinned, new DiskEntries(this.context.bytes, range));
  }

  private pin(entries: Iterable<Entry<K, A>>, low: string | undefined, high: string | undefined): Pinned<K, A>[] {
    const { compare } = this.codecs;
    const pinned: Pinned<K, A>[] = [];
    for (const entry of entries) {
      const { identity } = entry;
      if (low !== undefined && compare(identity, low) < 0) continue;
      if (high !== undefined && compare(identity, high) > 0) continue;
      pinned.push(new Pinned(identity, entry, entry.current));
    }
    return pinned;
  }

  /** Whatever a snapshot of the disk does not show, each once. */
  private dirtyEntries(): Set<Entry<K, A>> {
    return new Set([...this.layers.activeEntries, ...this.layers.sealedEntries, ...this.behind.entries()]);
  }

  get isEmpty(): boolean {
    return !this.segment.hasEntries;
  }

  async reload(): Promise<void> {
    const { layout, context } = this;
    const found = await context.bytes.read({ from: layout.first, to: layout.last }, 1);
    this.segment = new Segment<K, A>(0, found.length === 0);
    if (this.due !== undefined) await this.indexDisk(this.due);
  }

  /** Reads every entry once. */
  protected async indexDisk(due: DueIndex): Promise<void> {
    const { codecs, layout } = this;
    const disk = new DiskEntries(this.context.bytes, { from: layout.first, to: layout.last });
    try {
      for (;;) {
        for (let wait = disk.ready(); wait !== undefined; wait = disk.ready()) await wait;
        const found = disk.peek();
        if (found === undefined) return;
        disk.take();
        const time = this.dueTimeOnDisk(found[1]);
        if (time === Infinity) continue;
        const identity = codecs.identityOf(codecs.decodeKey(found[0], layout.keyAt));
        due.add(identity, time);
        this.indexed(identity, found[1]);
      }
    } finally {
      await disk.close();
    }
  }

  /** When something is to be done with an entry as it lies on disk; Infinity: never. Stores with `due` say it. */
  protected dueTimeOnDisk(_value: Uint8Array): number {
    return Infinity;
  }

  /** For stores that keep a second order: an entry as it lies on disk. */
  protected indexed(_identity: string, _value: Uint8Array): void {
    // one order is enough
  }

  changed(): void {
    // The one segment stays, empty or not.
  }

  probe(): Promise<void> {
    return Promise.resolve();
  }

  protected segments(): Iterable<Segment<K, A>> {
    return [this.segment];
  }

  protected segmentAt(): Segment<K, A> {
    return this.segment;
  }

  protected newSegment(): Segment<K, A> {
    return this.segment;
  }

  protected clearSegments(): void {
    this.due?.clear();
    this.segment = new Segment<K, A>(0, false);
  }
}
