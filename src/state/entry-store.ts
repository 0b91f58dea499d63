import type { BatchReader } from '../kafka/batch-decode';
import type { StoreShape } from '../model/store-definition';
import type { Logger } from '../model/logger';
import type { Clock } from '../time/clock';
import type { ByteSlab } from './byte-slab';
import type { CacheBudget } from './cache-budget';
import { Claim } from './claim';
import { deepFreeze } from './deep-freeze';
import { type Entry, ENTRY_BYTES, type Segment } from './segment';
import { absent, nothing, Version } from './version';
import { type CursorSource, EntryCursor, type Pinned, type PinnedEntries } from './entry-cursor';
import type { DiskEntries } from './disk-entries';
import type { Stamped, StoreRuntime } from './handle';
import { type EntryEncoder, type EntryKeeper, Layers, type SealedEntry } from './layers';
import { LazySort } from './lazy-sort';
import type { OrderedBytes } from './port';
import { restoreEntries, type RestoringBatch } from './restore-entries';
import type { Scope } from './scope';
import { StoreCodecs } from './store-codecs';
import { StoreLayout, timestampOf, VALUE_AT } from './store-layout';
import { type EncodedValue, WriteBehind } from './write-behind';

/** What the stores of one task share. */
export interface StoreContext {
  readonly scope: Scope;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bytes: OrderedBytes;
  readonly budget: CacheBudget;
  /** Freeze values deeply, so that changing one in place throws. */
  readonly freeze: boolean;
}

/** Entries looked at for each one that a read has brought in beyond the budget. */
const SWEEP_PER_READ = 8;

/** Equal to no key. */
const nowhere: unknown = Symbol('nowhere');

/**
 * One store: its entries in memory, the layers over them, and the disk below. Kinds of stores differ in their segments and in what
 * they show to operators.
 */
export abstract class EntryStore<K, A> implements StoreRuntime, EntryKeeper<K, A>, EntryEncoder<K, A> {
  readonly behind = new WriteBehind<K, A>();
  readonly layout: StoreLayout;
  protected codecs: StoreCodecs<K, A>;
  protected readonly layers: Layers<K, A>;
  protected readonly cursors = new Set<EntryCursor<K, A>>();
  private readonly held: Claim;
  private sweeping: Iterator<Entry<K, A>, void> | undefined;
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

  constructor(
    readonly shape: StoreShape,
    /** Number of the store among those of its directory. */
    id: number,
    protected readonly context: StoreContext,
    layout: StoreLayout = new StoreLayout(id, shape.kind === 'window'),
    codecs: StoreCodecs<K, A> = new StoreCodecs(shape),
  ) {
    this.codecs = codecs;
    this.layout = layout;
    this.layers = new Layers(this.behind, this);
    this.held = new Claim(shape.name);
  }

  get scope(): Scope {
    return this.context.scope;
  }

  get name(): string {
    return this.shape.name;
  }

  claim(token: object, operator: string): () => void {
    return this.held.take(token, operator);
  }

  // ---- what each kind says of its segments

  protected abstract segments(): Iterable<Segment<K, A>>;
  /** The segment of a window; undefined: it has no entries, not on disk either. */
  protected abstract segmentAt(start: number): Segment<K, A> | undefined;
  /** Makes the segment of a window that has none. */
  protected abstract newSegment(start: number): Segment<K, A>;
  /** Reads see nothing; in doubt false. */
  abstract get isEmpty(): boolean;
  /** Learns from the disk which segments there are; nothing is in memory. */
  abstract reload(): Promise<void>;
  /** `hasEntries` or the number of entries in memory may have changed. */
  abstract changed(segment: Segment<K, A>): void;
  /** Lets go of all segments. */
  protected abstract clearSegments(): void;
  /** Looks on disk whether segments that have become empty in memory are. */
  abstract probe(): Promise<void>;

  // ---- layers

  get activeBytes(): number {
    return this.layers.activeBytes;
  }

  checkpoint(): void {
    this.layers.checkpoint();
  }

  rollback(): void {
    this.layers.rollback();
  }

  /** Encodes the active layer; changes nothing until `seal`. @throws ENCODE */
  prepare(append: SealedEntry): void {
    this.layers.prepare(this, append);
  }

  seal(): void {
    this.layers.seal();
  }

  commit(): void {
    this.layers.commit(this.sized);
  }

  abort(): void {
    this.layers.abort();
  }

  encode(entry: Entry<K, A>, version: Version<A>, append: SealedEntry): EncodedValue | null | undefined {
    const value = version.value === absent ? null : this.valueToAppend(entry, version.value);
    append(this.layout.changelogKey(this.codecs.keyOf(entry.identity), entry.segment.start), value, version.timestamp);
    return value;
  }

  diskKey(entry: Entry<K, A>, slab: ByteSlab): Uint8Array {
    return this.layout.diskKey(this.codecs.keyOf(entry.identity), entry.segment.start, slab);
  }

  /** What could be changed in place is kept, until it is on disk. */
  private valueToAppend({ key }: Entry<K, A>, value: A): EncodedValue {
    return typeof value === 'object' ? this.codecs.encodeValue(key, value) : this.codecs.encodeValueInPassing(key, value);
  }

  value(entry: Entry<K, A>, value: A): EncodedValue {
    return this.codecs.encodeValue(entry.key, value);
  }

  /** Restoring needs what is on disk: every write before must be through. */
  get restoresOverDisk(): boolean {
    return false;
  }

  /** What the records of a changelog mean for the disk. @throws what `foreignKey` gives for a record that is none of this store's */
  restoring(reader: BatchReader, foreignKey: () => Error): RestoringBatch {
    return restoreEntries(this.layout, reader, foreignKey);
  }

  /** Takes the tombstones that a flush has written out of memory. */
  flushed(gone: readonly Entry<K, A>[]): void {
    for (const entry of gone) this.layers.settle(entry);
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
    if (this.context.freeze) {
      deepFreeze(value);
      // An error of the codec then names the record that made the value, not the commit.
      this.codecs.encodeValue(key, value);
    }
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

  /** Forgets everything in memory; nothing of it may be missing on disk. */
  reset(): void {
    for (const entry of this.everyEntry()) this.context.budget.used -= entry.bytes;
    this.clearSegments();
    this.sweeping = undefined;
    this.remember(nowhere as K, 0, undefined);
  }

  // ---- memory

  /** For stores that keep an index beside their entries. */
  reverted(_entry: Entry<K, A>): void {
    // nothing to bring back
  }

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

  /** Looks at up to `count` entries and lets go of those that are on disk and were not used since the last look; not of `kept`. */
  evict(count: number, kept?: Entry<K, A>): void {
    const { budget } = this.context;
    let ends = 0;
    for (let looked = 0; looked < count && ends < 2 && budget.isExceeded; looked++) {
      this.sweeping ??= this.everyEntry();
      const next = this.sweeping.next();
      if (next.done === true) {
        this.sweeping = undefined;
        ends++;
        continue;
      }
      const entry = next.value;
      if (entry.used) entry.used = false;
      else if (entry !== kept && !this.layers.needs(entry)) this.forget(entry);
    }
  }

  private *everyEntry(): Generator<Entry<K, A>, void> {
    for (const segment of this.segments()) yield* segment.entries.values();
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
    if (this.context.budget.isExceeded) this.evict(SWEEP_PER_READ, entry);
    return entry;
  }

  protected versionOf(bytes: Uint8Array): Version<A> {
    const value = this.codecs.decodeValue(bytes, VALUE_AT);
    if (this.context.freeze) deepFreeze(value);
    return new Version<A>(value, timestampOf(bytes));
  }

  /** About what a value takes encoded, if that is not known. */
  protected bytesOf(value: A): number {
    return typeof value === 'string' ? value.length : 8;
  }

  private readonly sized = (entry: Entry<K, A>, { value }: Version<A>, encoded: EncodedValue | undefined): void => {
    const known = value === absent ? 0 : this.bytesOf(value);
    const valueBytes = encoded === undefined ? known : encoded.length;
    const bytes = ENTRY_BYTES + entry.identity.length + 2 * valueBytes;
    this.context.budget.used += bytes - entry.bytes;
    entry.bytes = bytes;
  };

  // ---- cursors

  protected sorted(pinned: Pinned<K, A>[]): LazySort<Pinned<K, A>> {
    return new LazySort(pinned, this.codecs.compare);
  }

  /** Walks what was pinned, over the disk if that has more: then it must be sorted. */
  protected cursorOver(
    segment: Segment<K, A>,
    pinned: PinnedEntries<K, A>,
    disk: DiskEntries | undefined,
    fromTheFirst = false,
  ): EntryCursor<K, A> {
    const { codecs, layout } = this;
    const { revivals } = segment;
    const keyOnDisk = (diskKey: Uint8Array): K => codecs.decodeKey(diskKey, layout.keyAt);
    const source: CursorSource<K, A> = {
      compare: codecs.compare,
      keyOnDisk,
      identityOnDisk: (diskKey) => codecs.identityOf(keyOnDisk(diskKey)),
      valueOnDisk: (value) => this.versionOf(value) as Stamped<A>,
      taken: ({ entry }) => {
        if (!entry.forgotten) this.remember(entry.key, segment.start, entry);
      },
      isRemoved: (identity) => segment.entries.get(identity)?.current.value === absent,
      ended: (allRemoved) => {
        if (!allRemoved || !fromTheFirst || segment.revivals !== revivals) return;
        segment.emptied = true;
        this.changed(segment);
      },
      closed: (closed) => this.cursors.delete(closed),
    };
    const cursor = new EntryCursor<K, A>(source, pinned, disk);
    this.cursors.add(cursor);
    return cursor;
  }

  /** Ends every cursor that is still open; resolves when the disk has let go of their snapshots. */
  async closeCursors(): Promise<void> {
    const open = [...this.cursors];
    for (const cursor of open) cursor.close();
    await Promise.all(open.map((cursor) => cursor.whenClosed()));
  }
}
