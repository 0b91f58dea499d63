import { absent, Entry, type Version } from './entry';

/**
 * The entries of one window, or of a whole key-value store, that memory holds.
 *
 * `complete`: whatever this segment has on disk is in `entries` too, so that a key that is not there needs no read from disk. Most
 * records of a windowed aggregate are the first of their key and window, and a new window is complete from the start.
 */
export class Segment<K, A> {
  readonly entries = new Map<string, Entry<K, A>>();
  /** Start of the window; 0 for a key-value store. */
  readonly start: number;
  complete: boolean;
  /** Entries in memory that reads see a value of. */
  live = 0;
  /** Whether an index lists it among the windows that have entries; kept by that index. */
  listed = false;
  /** Everything that is on disk alone is covered by tombstones in memory: a cursor has walked it, and all it met was removed. */
  emptied = false;
  /** Grows whenever something may have come back that a cursor has met as removed. */
  revivals = 0;

  constructor(start: number, complete: boolean) {
    this.start = start;
    this.complete = complete;
  }

  /** False: reads see nothing here. True may be in doubt while the segment is not complete. */
  get hasEntries(): boolean {
    return this.live > 0 || !(this.complete || this.emptied);
  }

  create(identity: string, key: K, committed: Version<A> | undefined, bytes: number): Entry<K, A> {
    const entry = new Entry<K, A>(this, identity, key, committed, bytes);
    this.entries.set(identity, entry);
    if (entry.current.value !== absent) this.live++;
    return entry;
  }

  /** Something that is on disk alone may be visible. */
  revive(): void {
    this.emptied = false;
    this.revivals++;
  }
}
