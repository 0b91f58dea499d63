import type { Entry, Segment } from './segment';
import { absent, nothing, type Version } from './version';
import { SparseList } from './sparse-list';
import type { EncodedValue, WriteBehind } from './write-behind';

/** Turns entries into bytes at a seal. */
export interface EntryEncoder<K, A> {
  /**
   * Gives `append` the changelog records that bring the committed version to `version`. What disk will hold; null: nothing; undefined:
   * what `version` gives when it is encoded for the disk, since nobody can change that.
   */
  encode(entry: Entry<K, A>, version: Version<A>, append: SealedEntry): EncodedValue | null | undefined;
}

/** Who keeps the entries: told when memory may let go of one, and when a segment's `hasEntries` may have changed. */
export interface EntryKeeper<K, A> {
  forget(entry: Entry<K, A>): void;
  changed(segment: Segment<K, A>): void;
  /** An earlier version of `entry` shows again. */
  reverted(entry: Entry<K, A>): void;
}

/** `key` is valid during the call only. */
export type SealedEntry = (key: Uint8Array, value: EncodedValue | null, timestamp: number) => void;

/** The layer in the transaction under way: immutable, encoded. */
class Sealed<K, A> {
  /** What is sealed of each entry; undefined: written and removed again in one layer, nobody needs to hear of it. */
  readonly versions: (Version<A> | undefined)[] = [];
  /** The bytes of values that somebody could change in place, against all rules: disk must say what the changelog says. */
  readonly encoded = new SparseList<EncodedValue>();
  unneeded = 0;

  constructor(
    readonly round: number,
    readonly entries: readonly Entry<K, A>[],
  ) {}
}

/**
 * The layers of one store above what is committed: *active*, which the loop writes, with a checkpoint inside; and *sealed*. An entry
 * shows the newest layer's version in `current`, so reads know nothing of layers. The same key may be in both: `current` is then the
 * active one's, the sealed version is in `Sealed`, and neither commit nor rollback of one touches the other.
 */
export class Layers<K, A> {
  /** Grows with every checkpoint and seal: what was touched since. */
  private epoch = 0;
  private round = 0;
  private active: Entry<K, A>[] = [];
  /** Of the entries that the last checkpoint covers those that were written again since. */
  private touched: Entry<K, A>[] = [];
  /** How much of `active` the last checkpoint covers. */
  private kept = 0;
  private keptBytes = 0;
  private prepared: Sealed<K, A> | undefined;
  private sealed: Sealed<K, A> | undefined;
  /** Estimate of the memory the active layer takes. */
  activeBytes = 0;

  constructor(
    private readonly behind: WriteBehind<K, A>,
    protected readonly keeper: EntryKeeper<K, A>,
  ) {}

  get activeEntries(): readonly Entry<K, A>[] {
    return this.active;
  }

  get sealedEntries(): readonly Entry<K, A>[] {
    return this.sealed?.entries ?? [];
  }

  /** Written since the last checkpoint or seal: its version is nobody else's. */
  protected isTouched(entry: Entry<K, A>): boolean {
    return entry.touchedIn === this.epoch;
  }

  protected isActive(entry: Entry<K, A>): boolean {
    return entry.dirtyIn === this.round;
  }

  write(entry: Entry<K, A>, version: Version<A>): void {
    if (entry.touchedIn !== this.epoch) this.touch(entry);
    this.show(entry, version);
  }

  /** False: the disk has all there is to know of the entry, so that the cache may drop it. */
  needs(entry: Entry<K, A>): boolean {
    return this.isDirty(entry) || this.behind.holds(entry);
  }

  /** From here on `rollback` drops back to what is now. */
  checkpoint(): void {
    this.touched.length = 0;
    this.epoch++;
    this.kept = this.active.length;
    this.keptBytes = this.activeBytes;
  }

  /** Drops what was written since the last checkpoint or seal. */
  rollback(): void {
    const { active, touched, kept } = this;
    const added = active.splice(kept);
    for (const entry of added) entry.dirtyIn = entry.dirtyBefore;
    for (const undone of [added, touched]) {
      for (const entry of undone) {
        this.revert(entry, entry.before);
        this.keeper.reverted(entry);
        this.settle(entry);
      }
    }
    this.activeBytes = this.keptBytes;
    this.touched.length = 0;
    this.epoch++;
  }

  /**
   * Encodes the active layer, each entry once. Changes nothing: a value that does not encode, or a sink that refuses it, leaves the
   * layer active, for rollback or abort. `seal` then makes it the sealed one, with no write between.
   */
  prepare(encoder: EntryEncoder<K, A>, append: SealedEntry): void {
    const { active } = this;
    const prepared = new Sealed<K, A>(this.round, active);
    for (let i = 0; i < active.length; i++) {
      const entry = active[i]!;
      const version = entry.current;
      if (this.isUnneeded(entry)) {
        prepared.versions.push(undefined);
        prepared.unneeded++;
        continue;
      }
      const value = encoder.encode(entry, version, append);
      prepared.versions.push(version);
      if (value !== null && value !== undefined && typeof version.value === 'object') prepared.encoded.set(i, value);
    }
    this.prepared = prepared;
  }

  seal(): void {
    const { prepared } = this;
    if (prepared === undefined || this.sealed !== undefined) throw new Error('sealed without being prepared, or twice');
    this.prepared = undefined;
    this.sealed = prepared;
    this.emptyActive();
    if (prepared.unneeded === 0) return;
    for (let i = 0; i < prepared.entries.length; i++) {
      if (prepared.versions[i] !== undefined) continue;
      const entry = prepared.entries[i]!;
      entry.dirtyIn = -1;
      this.settle(entry);
    }
  }

  /** The sealed layer is the truth now. `sized` is told each entry's version, and its bytes where they are kept. */
  commit(sized: (entry: Entry<K, A>, version: Version<A>, encoded: EncodedValue | undefined) => void): void {
    const { sealed, behind, epoch } = this;
    if (sealed === undefined) return;
    this.sealed = undefined;
    for (let i = 0; i < sealed.entries.length; i++) {
      const version = sealed.versions[i];
      if (version === undefined) continue;
      const entry = sealed.entries[i]!;
      const encoded = sealed.encoded.get(i);
      const { committed } = entry;
      entry.committed = version;
      if (committed !== undefined) this.replaced(entry, committed);
      if (entry.touchedIn !== epoch) entry.before = nothing;
      const { bytes } = entry;
      sized(entry, version, encoded);
      behind.add(entry, encoded, bytes);
      if (this.saysNothing(version)) this.settle(entry);
    }
  }

  /** Drops active and sealed: back to what is committed. */
  abort(): void {
    const undone = [this.sealed?.entries ?? [], this.active];
    this.sealed = undefined;
    this.prepared = undefined;
    this.emptyActive();
    for (const entries of undone) {
      for (const entry of entries) {
        entry.dirtyIn = -1;
        this.revert(entry, entry.committed ?? nothing);
        this.keeper.reverted(entry);
        this.settle(entry);
      }
    }
  }

  /** Lets go of an entry that holds nothing memory needs to know: gone everywhere, or written unread and undone again. */
  settle(entry: Entry<K, A>): void {
    if ((entry.committed === undefined || this.isGone(entry)) && !this.needs(entry)) this.keeper.forget(entry);
  }

  private isDirty(entry: Entry<K, A>): boolean {
    return entry.dirtyIn === this.round || (this.sealed !== undefined && entry.dirtyIn === this.sealed.round);
  }

  private emptyActive(): void {
    this.active = [];
    this.touched = [];
    this.kept = 0;
    this.activeBytes = 0;
    this.keptBytes = 0;
    this.epoch++;
    this.round++;
  }

  private touch(entry: Entry<K, A>): void {
    entry.touchedIn = this.epoch;
    entry.before = entry.current;
    if (entry.dirtyIn === this.round) {
      this.touched.push(entry);
      return;
    }
    entry.dirtyBefore = entry.dirtyIn;
    entry.dirtyIn = this.round;
    this.active.push(entry);
    this.activeBytes += entry.bytes;
  }

  /** There is no value, as far as `version` says. */
  protected saysNothing(version: Version<A>): boolean {
    return version.value === absent;
  }

  /** Nothing says of `entry` that there is a value. */
  protected isGone({ current, committed }: Entry<K, A>): boolean {
    return this.saysNothing(current) && committed !== undefined && this.saysNothing(committed);
  }

  /** Written and removed again in one layer: nobody needs to hear of it. */
  protected isUnneeded(entry: Entry<K, A>): boolean {
    return this.isGone(entry);
  }

  /** `committed` was what `entry` had before this commit. */
  protected replaced(_entry: Entry<K, A>, _committed: Version<A>): void {
    // nothing to do with it
  }

  /** Shows an earlier version again. */
  protected revert(entry: Entry<K, A>, version: Version<A>): void {
    this.show(entry, version);
  }

  protected show(entry: Entry<K, A>, version: Version<A>): void {
    const was = entry.current.value !== absent;
    entry.current = version;
    const is = version.value !== absent;
    if (was === is) return;
    const { segment } = entry;
    segment.live += is ? 1 : -1;
    if (segment.live === 0 || (is && segment.live === 1)) this.keeper.changed(segment);
  }
}
