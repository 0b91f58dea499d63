import type { ByteSlab } from './byte-slab';
import type { DiskEntries } from './disk-entries';
import type { EntryCursor, PinnedEntries } from './entry-cursor';
import type { Stamped } from './handle';
import { LayeredStore } from './layered-store';
import type { SealedEntry } from './layers';
import type { BytesOperation } from './port';
import { type Entry, ENTRY_BYTES, type Segment } from './segment';
import { diskValue } from './store-layout';
import { absent, nothing, Version } from './version';
import type { EncodedValue, Flush } from './write-behind';

/** Equal to no key. */
export const nowhere: unknown = Symbol('nowhere');

/** A store with an entry for each key, in segments: kinds of stores differ in these and in what they show to operators. */
export abstract class EntryStore<K, A> extends LayeredStore<K, A, A> {
  /** What was looked for last, and the entry found: a write mostly follows the read of its key. */
  private lastKey: unknown = nowhere;
  private lastStart = 0;
  private lastEntry: Entry<K, A> | undefined;
  /**
   * The entry of `lastKey` that was found last. Windows that overlap are asked for in order: each is remembered with the one before it,
   * so that the next record of the key finds all but the first without a look-up.
   */
  private earlier: Entry<K, A> | undefined;
  /** Made last: the entries of a window are mostly removed with one timestamp. */
  private lastTombstone = new Version<A>(absent, -1);

  /** The segment of a window; undefined: it has no entries, not on disk either. */
  protected abstract segmentAt(start: number): Segment<K, A> | undefined;
  /** Makes the segment of a window that has none. */
  protected abstract newSegment(start: number): Segment<K, A>;

  // ---- layers

  encode(entry: Entry<K, A>, version: Version<A>, append: SealedEntry): EncodedValue | null | undefined {
    const value = version.value === absent ? null : this.valueToAppend(entry, version.value);
    append(this.layout.changelogKey(this.codecs.keyOf(entry.identity), entry.segment.start), value, version.timestamp);
    return value;
  }

  /** What could be changed in place is kept, until it is on disk. */
  private valueToAppend({ key }: Entry<K, A>, value: A): EncodedValue {
    return typeof value === 'object' ? this.codecs.encodeValue(key, value) : this.codecs.encodeValueInPassing(key, value);
  }

  flushInto(operations: BytesOperation[], flush: Flush<K, A>, at: number, slab: ByteSlab): void {
    const entry = flush.entries[at]!;
    const { value, timestamp } = flush.versions[at]!;
    // A tombstone for what never reached the disk.
    if (value === absent && !entry.onDisk) return;
    const key = this.layout.diskKey(this.codecs.keyOf(entry.identity), entry.segment.start, slab);
    if (value === absent) {
      operations.push({ type: 'delete', key });
      return;
    }
    const encoded = flush.encoded.get(at) ?? this.codecs.encodeValue(entry.key, value);
    operations.push({ type: 'put', key, value: diskValue(slab, encoded, timestamp) });
  }

  // ---- entries

  /** Undefined: nothing is known of the key, and it has no value. */
  protected locate(key: K, start: number): Entry<K, A> | undefined {
    if (key === this.lastKey) {
      if (start === this.lastStart) return this.lastEntry;
      const later = this.earlier?.later;
      if (later !== undefined && later.segment.start === start && !later.forgotten) {
        this.lastStart = start;
        return (this.earlier = this.lastEntry = later);
      }
    }
    const segment = this.segmentAt(start);
    let entry: Entry<K, A> | undefined;
    if (segment !== undefined) {
      const identity = this.codecs.identityOf(key);
      entry = segment.entries.get(identity);
      if (entry === undefined && !segment.complete) entry = this.load(segment, identity, key);
    }
    this.remember(key, start, entry);
    return entry;
  }

  /** The entry to write to, which need not be read first. @throws ENCODE when the key has no bytes */
  protected entryToWrite(key: K, start: number): Entry<K, A> {
    const remembered = key === this.lastKey && start === this.lastStart;
    if (remembered && this.lastEntry !== undefined) return this.lastEntry;
    const known = this.segmentAt(start);
    const identity = this.codecs.identityOf(key);
    let entry = remembered ? undefined : known?.entries.get(identity);
    if (entry === undefined) {
      this.codecs.encodeKey(key);
      const segment = known ?? this.newSegment(start);
      // One text for all windows of a key.
      const same = key === this.lastKey ? this.earlier : undefined;
      entry = this.add(segment, same?.identity ?? identity, same?.key ?? key, segment.complete ? nothing : undefined);
    }
    this.remember(key, start, entry);
    return entry;
  }

  /** Not for keys that are objects: one changed in place would find the entry of what it was. Nor for 0, which is equal to -0. */
  private remember(key: K, start: number, entry: Entry<K, A> | undefined): void {
    if (key !== this.lastKey) this.earlier = entry;
    else if (entry !== undefined) {
      const { earlier } = this;
      if (earlier !== undefined && earlier.segment.start < start) earlier.later = entry;
      this.earlier = entry;
    }
    this.lastKey = typeof key === 'object' || key === 0 ? nowhere : key;
    this.lastStart = start;
    this.lastEntry = entry;
  }

  protected read(key: K, start: number): Stamped<A> | undefined {
    const entry = this.locate(key, start);
    if (entry === undefined) return undefined;
    if (!entry.used) entry.used = true;
    return entry.current.value === absent ? undefined : (entry.current as Stamped<A>);
  }

  protected put(key: K, start: number, value: A, timestamp: number): void {
    if (this.context.freeze) this.freeze(key, value);
    this.layers.write(this.entryToWrite(key, start), new Version<A>(value, timestamp));
  }

  /** A tombstone, unless the key is known to have nothing. */
  protected bury(key: K, start: number, timestamp: number): void {
    const segment = this.segmentAt(start);
    if (segment === undefined || (segment.complete && this.locate(key, start) === undefined)) return;
    const entry = this.entryToWrite(key, start);
    const isKnown = entry.committed !== undefined || entry.current !== nothing;
    if (entry.current.value === absent && isKnown) return;
    if (this.lastTombstone.timestamp !== timestamp) this.lastTombstone = new Version<A>(absent, timestamp);
    this.layers.write(entry, this.lastTombstone);
  }

  override reset(): void {
    super.reset();
    this.remember(nowhere as K, 0, undefined);
  }

  // ---- memory

  forget(entry: Entry<K, A>): void {
    const { segment } = entry;
    if (entry.forgotten) return;
    entry.forgotten = true;
    segment.entries.delete(entry.identity);
    this.context.budget.used -= entry.bytes;
    if (entry === this.lastEntry) this.remember(nowhere as K, 0, undefined);
    if (entry.current.value !== absent) {
      segment.live--;
      segment.complete = false;
      segment.revive();
    } else if (entry.committed === undefined) segment.revive();
    this.changed(segment);
  }

  /** An entry made by a read of the disk, or one that is written without having been read (`committed` undefined). */
  private add(segment: Segment<K, A>, identity: string, key: K, committed: Version<A> | undefined, valueBytes = 0): Entry<K, A> {
    const bytes = ENTRY_BYTES + identity.length + 2 * valueBytes;
    this.context.budget.used += bytes;
    return segment.create(identity, key, committed, bytes);
  }

  /** Reads what is committed from disk into memory; never called for a key of which memory holds anything. */
  private load(segment: Segment<K, A>, identity: string, key: K): Entry<K, A> {
    const bytes = this.context.bytes.get(this.layout.lookupKey(this.codecs.encodeKey(key), segment.start));
    const entry = this.add(segment, identity, key, bytes === undefined ? nothing : this.versionOf(bytes), bytes?.length ?? 0);
    if (segment.live === 1) this.changed(segment);
    this.makeRoomFor(entry);
    return entry;
  }

  protected bytesOf({ value }: Version<A>, encoded: EncodedValue | undefined): number {
    if (encoded !== undefined) return encoded.length;
    return value === absent ? 0 : this.bytesOfValue(value);
  }

  /** About what a value takes encoded, if that is not known. */
  protected bytesOfValue(value: A): number {
    return typeof value === 'string' ? value.length : 8;
  }

  // ---- cursors

  /** Walks what was pinned, over the disk if that has more: then it must be sorted. */
  protected cursorOver(
    segment: Segment<K, A>,
    pinned: PinnedEntries<K, A>,
    disk: DiskEntries | undefined,
    fromTheFirst = false,
  ): EntryCursor<K, A> {
    const { revivals } = segment;
    return this.cursor(pinned, disk, {
      taken: ({ entry }) => {
        if (!entry.forgotten) this.remember(entry.key, segment.start, entry as unknown as Entry<K, A>);
      },
      isRemoved: (identity) => segment.entries.get(identity)?.current.value === absent,
      ended: (allRemoved) => {
        if (!allRemoved || !fromTheFirst || segment.revivals !== revivals) return;
        segment.emptied = true;
        this.changed(segment);
      },
    });
  }
}
