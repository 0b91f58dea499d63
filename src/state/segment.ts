import { absent, nothing, type Version } from './version';

/**
 * All that memory holds of one key, in one object, so that an access costs one look-up however many layers there are. Numbers of
 * rounds say which layers hold it: leaving a layer then costs nothing.
 */
export class Entry<K, A> {
  readonly segment: Segment<K, A>;
  readonly identity: string;
  readonly key: K;
  /** What reads see: the newest layer's version. */
  current: Version<A>;
  /** Undefined: not known, since the entry was written without having been read. */
  committed: Version<A> | undefined;
  /** `current` at the last checkpoint; holds while `touchedIn` is the layers' epoch. */
  before: Version<A> = nothing;
  touchedIn = -1;
  /** The round of the newest of active and sealed layer that holds it. */
  dirtyIn = -1;
  /** `dirtyIn` before the active layer took it. */
  dirtyBefore = -1;
  /** The flush that carries, or carried, its newest committed version. */
  flushIn = -1;
  /** Its place in that flush. */
  slot = -1;
  /** False: certainly not on disk, nor on its way there, so that a tombstone need not be written. */
  onDisk: boolean;
  /** Read since the cache last looked at it. */
  used = true;
  /** The entry of the same key in a later window that was found after this one; check `forgotten` and its window. */
  later: Entry<K, A> | undefined;
  /** Memory has let go of it: its segment may hold another entry of this key. */
  forgotten = false;
  /** Bytes of memory, estimated. */
  bytes: number;

  constructor(segment: Segment<K, A>, identity: string, key: K, committed: Version<A> | undefined, bytes: number) {
    this.segment = segment;
    this.identity = identity;
    this.key = key;
    this.current = committed ?? nothing;
    this.committed = committed;
    this.later = undefined;
    this.onDisk = committed === undefined || committed.value !== absent;
    this.bytes = bytes;
  }
}

/** What an entry takes apart from key and value: itself, its version, its place in the map. */
export const ENTRY_BYTES = 280;

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
