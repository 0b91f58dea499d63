import type { Segment } from './segment';

/** Stands in a version's place of a value: there is none. */
export const absent: unique symbol = Symbol('millrace.absent');

/** What one layer says of a key: a value, or that there is none (a tombstone). Immutable. */
export class Version<A> {
  readonly value: A | typeof absent;
  readonly timestamp: number;

  constructor(value: A | typeof absent, timestamp: number) {
    this.value = value;
    this.timestamp = timestamp;
  }
}

/** A key of which it is known that there is no value. */
export const nothing: Version<never> = new Version<never>(absent, -1);

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
  /** False: certainly not on disk, so that a tombstone need not be written there. */
  onDisk: boolean;
  /** Read since the cache last looked at it. */
  used = true;
  /** Bytes of memory, estimated. */
  bytes: number;

  constructor(segment: Segment<K, A>, identity: string, key: K, committed: Version<A> | undefined, bytes: number) {
    this.segment = segment;
    this.identity = identity;
    this.key = key;
    this.current = committed ?? nothing;
    this.committed = committed;
    this.onDisk = committed === undefined || committed.value !== absent;
    this.bytes = bytes;
  }
}

/** What an entry takes apart from key and value: itself, its version, its place in the map. */
export const ENTRY_BYTES = 280;
