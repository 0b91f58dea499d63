import type { Entry } from './segment';
import { absent, type Version } from './version';

/** What waiting takes beside the entry itself: key and value as bytes, and their places. */
const WAITING_BYTES = 320;

/** A value as its codec gave it; null is a tombstone. */
export type EncodedValue = string | Uint8Array | null;

/** Committed entries on their way to disk together, as parallel arrays: there may be a hundred thousand. */
export class Flush<K, A> {
  readonly round: number;
  readonly entries: Entry<K, A>[] = [];
  /** Changelog keys; the key on disk lies around each. */
  readonly keys: Uint8Array[] = [];
  readonly values: EncodedValue[] = [];
  readonly timestamps: number[] = [];
  bytes = 0;

  constructor(round: number) {
    this.round = round;
  }
}

/**
 * What is committed but not on disk yet. Entries of several commits gather in one list, the newest version of each; taking the list
 * for a flush costs nothing, because an entry knows by its round which flush it belongs to.
 */
export class WriteBehind<K, A> {
  private waiting = new Flush<K, A>(0);
  private flushing: Flush<K, A> | undefined;
  /** The last round that has reached the disk. */
  private flushed = -1;

  get isEmpty(): boolean {
    return this.waiting.entries.length === 0 && this.flushing === undefined;
  }

  get bytes(): number {
    return this.waiting.bytes + (this.flushing?.bytes ?? 0);
  }

  /** True while the disk does not have the newest committed version of `entry`. */
  holds(entry: Entry<K, A>): boolean {
    return entry.flushIn > this.flushed;
  }

  add(entry: Entry<K, A>, version: Version<A>, key: Uint8Array, value: EncodedValue): void {
    const { waiting } = this;
    if (entry.flushIn === waiting.round) {
      waiting.values[entry.slot] = value;
      waiting.timestamps[entry.slot] = version.timestamp;
    } else push(waiting, entry, key, value, version.timestamp);
  }

  /** Takes what waits. `done` or `failed` must follow before the next call. */
  begin(): Flush<K, A> {
    const flush = this.waiting;
    this.flushing = flush;
    this.waiting = new Flush(flush.round + 1);
    return flush;
  }

  /** The flush is on disk. Gives the entries whose tombstones it wrote. */
  done(flush: Flush<K, A>): Entry<K, A>[] {
    this.flushing = undefined;
    this.flushed = flush.round;
    const gone = flush.entries.filter((_, i) => flush.values[i] === null);
    for (const entry of gone) entry.onDisk = false;
    return gone;
  }

  /** The flush failed as a whole: it waits again, except for what has been committed anew meanwhile. */
  failed(flush: Flush<K, A>): void {
    this.flushing = undefined;
    this.flushed = flush.round;
    for (let i = 0; i < flush.entries.length; i++) {
      const entry = flush.entries[i]!;
      if (entry.flushIn === flush.round) push(this.waiting, entry, flush.keys[i]!, flush.values[i] as EncodedValue, flush.timestamps[i]!);
    }
  }

  /** For the queries of a scan: every entry that waits or is being written. */
  *entries(): Generator<Entry<K, A>, void> {
    if (this.flushing !== undefined) yield* this.flushing.entries;
    yield* this.waiting.entries;
  }
}

function push<K, A>(flush: Flush<K, A>, entry: Entry<K, A>, key: Uint8Array, value: EncodedValue, timestamp: number): void {
  entry.flushIn = flush.round;
  entry.slot = flush.entries.length;
  flush.entries.push(entry);
  flush.keys.push(key);
  flush.values.push(value);
  flush.timestamps.push(timestamp);
  flush.bytes += entry.bytes + WAITING_BYTES;
}

/** Nothing says of `entry` that there is a value. */
export function isGone<K, A>(entry: Entry<K, A>): boolean {
  return entry.current.value === absent && entry.committed?.value === absent;
}
