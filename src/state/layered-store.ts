import type { BatchReader } from '../kafka/batch-decode';
import type { Logger } from '../model/logger';
import type { StoreShape } from '../model/store-definition';
import type { Clock } from '../time/clock';
import type { ByteSlab } from './byte-slab';
import type { CacheBudget } from './cache-budget';
import { Claim } from './claim';
import { deepFreeze } from './deep-freeze';
import type { DiskEntries } from './disk-entries';
import { type CursorSource, EntryCursor, type Pinned, type PinnedEntries } from './entry-cursor';
import type { Stamped, StoreRuntime } from './handle';
import { type EntryEncoder, type EntryKeeper, Layers, type SealedEntry } from './layers';
import { LazySort } from './lazy-sort';
import type { BytesOperation, OrderedBytes } from './port';
import { restoreEntries, type RestoringBatch } from './restore-entries';
import type { Scope } from './scope';
import { type Entry, ENTRY_BYTES, type Segment } from './segment';
import { StoreCodecs } from './store-codecs';
import { StoreLayout, timestampOf, VALUE_AT } from './store-layout';
import { Version } from './version';
import { type EncodedValue, type Flush, WriteBehind } from './write-behind';

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

/** What walks entries asks of the store about those it meets. */
type Walked<K, A> = Pick<CursorSource<K, A>, 'taken' | 'isRemoved' | 'ended'>;

/**
 * One store: its entries in memory, the layers over them, and the disk below. What an entry is kinds of stores say: `S` is what a version
 * of one holds, made of values `A`.
 */
export abstract class LayeredStore<K, A, S> implements StoreRuntime, EntryKeeper<K, S>, EntryEncoder<K, S> {
  readonly behind: WriteBehind<K, S>;
  readonly layout: StoreLayout;
  protected codecs: StoreCodecs<K, A>;
  protected readonly layers: Layers<K, S>;
  private readonly cursors = new Set<EntryCursor<K, A>>();
  private readonly held: Claim;
  private sweeping: Iterator<Entry<K, S>, void> | undefined;

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
    this.behind = this.newBehind();
    this.layers = this.newLayers();
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

  // ---- what each kind says of its entries

  protected abstract segments(): Iterable<Segment<K, S>>;
  /** Reads see nothing; in doubt false. */
  abstract get isEmpty(): boolean;
  /** Learns from the disk what there is; nothing is in memory. */
  abstract reload(): Promise<void>;
  abstract changed(segment: Segment<K, S>): void;
  abstract forget(entry: Entry<K, S>): void;
  abstract encode(entry: Entry<K, S>, version: Version<S>, append: SealedEntry): EncodedValue | null | undefined;
  /** Adds what brings the disk to what `flush` has of its entry at `at`. */
  abstract flushInto(operations: BytesOperation[], flush: Flush<K, S>, at: number, slab: ByteSlab): void;
  /** About what a version takes beside its entry, in bytes as they lie on disk; `encoded` if that is kept. */
  protected abstract bytesOf(version: Version<S>, encoded: EncodedValue | undefined): number;
  /** Lets go of all entries. */
  protected abstract clearSegments(): void;
  /** Looks on disk whether what has become empty in memory is. */
  abstract probe(): Promise<void>;

  /** Called by the constructor. */
  protected newBehind(): WriteBehind<K, S> {
    return new WriteBehind<K, S>();
  }

  /** Called by the constructor. */
  protected newLayers(): Layers<K, S> {
    return new Layers<K, S>(this.behind, this);
  }

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

  /** Restoring needs what is on disk: every write before must be through. */
  get restoresOverDisk(): boolean {
    return false;
  }

  /** What the records of a changelog mean for the disk. @throws what `foreignKey` gives for a record that is none of this store's */
  restoring(reader: BatchReader, foreignKey: () => Error): RestoringBatch {
    return restoreEntries(this.layout, reader, foreignKey);
  }

  /** Takes the tombstones that a flush has written out of memory. */
  flushed(gone: readonly Entry<K, S>[]): void {
    for (const entry of gone) this.layers.settle(entry);
  }

  /** For stores that keep an index beside their entries. */
  reverted(_entry: Entry<K, S>): void {
    // nothing to bring back
  }

  /** Forgets everything in memory; nothing of it may be missing on disk. */
  reset(): void {
    for (const entry of this.everyEntry()) this.context.budget.used -= entry.bytes;
    this.clearSegments();
    this.sweeping = undefined;
  }

  // ---- memory

  /** Looks at up to `count` entries and lets go of those that are on disk and were not used since the last look; not of `kept`. */
  evict(count: number, kept?: Entry<K, S>): void {
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

  /** A read has brought `entry` in: others may have to go for it. */
  protected makeRoomFor(entry: Entry<K, S>): void {
    if (this.context.budget.isExceeded) this.evict(SWEEP_PER_READ, entry);
  }

  private *everyEntry(): Generator<Entry<K, S>, void> {
    for (const segment of this.segments()) yield* segment.entries.values();
  }

  /** A value as it lies on disk. */
  protected versionOf(bytes: Uint8Array): Version<A> {
    const value = this.codecs.decodeValue(bytes, VALUE_AT);
    if (this.context.freeze) deepFreeze(value);
    return new Version<A>(value, timestampOf(bytes));
  }

  /** An error of the codec then names the record that made the value, not the commit. */
  protected freeze(key: K, value: A): void {
    deepFreeze(value);
    this.codecs.encodeValue(key, value);
  }

  protected readonly sized = (entry: Entry<K, S>, version: Version<S>, encoded: EncodedValue | undefined): void => {
    const bytes = ENTRY_BYTES + entry.identity.length + 2 * this.bytesOf(version, encoded);
    this.context.budget.used += bytes - entry.bytes;
    entry.bytes = bytes;
  };

  // ---- cursors

  protected sorted(pinned: Pinned<K, A>[]): LazySort<Pinned<K, A>> {
    return new LazySort(pinned, this.codecs.compare);
  }

  /** Walks what was pinned, over the disk if that has more: then it must be sorted. */
  protected cursor(
    pinned: PinnedEntries<K, A>,
    disk: DiskEntries | undefined,
    { taken, isRemoved, ended }: Walked<K, A>,
  ): EntryCursor<K, A> {
    const { codecs, layout } = this;
    const keyOnDisk = (diskKey: Uint8Array): K => codecs.decodeKey(diskKey, layout.keyAt);
    const source: CursorSource<K, A> = {
      compare: codecs.compare,
      keyOnDisk,
      identityOnDisk: (diskKey) => codecs.identityOf(keyOnDisk(diskKey)),
      valueOnDisk: (value) => this.versionOf(value) as Stamped<A>,
      taken,
      isRemoved,
      ended,
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
