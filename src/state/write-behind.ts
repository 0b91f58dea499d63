import type { Entry } from './segment';
import { SparseList } from './sparse-list';
import { absent, type Version } from './version';

/** What waiting takes beside the entry itself: its places in the lists. */
const WAITING_BYTES = 32;

/** A value as its codec gave it. */
export type EncodedValue = string | Uint8Array;

/** Committed entries on their way to disk together, as parallel arrays: there may be a hundred thousand. */
export class Flush<K, A> {
  readonly round: number;
  readonly entries: Entry<K, A>[] = [];
  /** Values as they were sealed, if somebody could have changed them since; else undefined, and encoded again. */
  readonly encoded = new SparseList<EncodedValue>();
  /** What was committed when the flush began; before that, empty. */
  versions: readonly Version<A>[] = [];
  bytes = 0;

  constructor(round: number) {
    this.round = round;
  }

  push(entry: Entry<K, A>, encoded: EncodedValue | undefined): void {
    entry.flushIn = this.round;
    entry.slot = this.entries.length;
    this.encoded.set(this.entries.length, encoded);
    this.entries.push(entry);
    this.bytes += sizeOf(entry.bytes, encoded);
  }

  /** `bytes`: what the entry took when it was put here. */
  replace(entry: Entry<K, A>, encoded: EncodedValue | undefined, bytes: number): void {
    const { slot } = entry;
    this.bytes += sizeOf(entry.bytes, encoded) - sizeOf(bytes, this.encoded.get(slot));
    this.encoded.set(slot, encoded);
  }

  /** Takes an entry out; the last one takes its place. `bytes`: what it took when it was put here. */
  remove(entry: Entry<K, A>, bytes: number): void {
    const { entries, encoded } = this;
    const { slot } = entry;
    entry.flushIn = -1;
    this.bytes -= sizeOf(bytes, encoded.get(slot));
    const last = entries.pop()!;
    if (last !== entry) {
      last.slot = slot;
      entries[slot] = last;
      encoded.set(slot, encoded.get(entries.length));
    }
    encoded.set(entries.length, undefined);
  }
}

/**
 * What is committed but not on disk yet. Entries of several commits gather in one list, each once: it is written as it is when the flush
 * begins. What is gone again by then, and never was on disk, leaves the list: most windows never get there.
 */
export class WriteBehind<K, A> {
  protected waiting: Flush<K, A> = this.newFlush(0);
  protected flushing: Flush<K, A> | undefined;
  /** The last round that has reached the disk. */
  private flushed = -1;

  get isEmpty(): boolean {
    return this.waiting.entries.length === 0 && this.flushing === undefined;
  }

  get isFlushing(): boolean {
    return this.flushing !== undefined;
  }

  get bytes(): number {
    return this.waiting.bytes + (this.flushing?.bytes ?? 0);
  }

  /** True while the disk does not have the newest committed version of `entry`. */
  holds(entry: Entry<K, A>): boolean {
    return entry.flushIn > this.flushed;
  }

  /** `entry` has a new committed version. `bytes`: what it took with the one before. */
  add(entry: Entry<K, A>, encoded: EncodedValue | undefined, bytes: number): void {
    const { waiting } = this;
    const waits = entry.flushIn === waiting.round;
    if (entry.committed?.value === absent && !entry.onDisk) {
      if (waits) waiting.remove(entry, bytes);
    } else if (waits) waiting.replace(entry, encoded, bytes);
    else waiting.push(entry, encoded);
  }

  /** Takes what waits. `done` or `failed` must follow before the next call. */
  begin(): Flush<K, A> {
    const flush = this.waiting;
    flush.versions = flush.entries.map(({ committed }) => committed as Version<A>);
    // From here on a tombstone is needed, however many versions are committed before the disk has this one.
    for (let at = 0; at < flush.entries.length; at++) this.writes(flush, at);
    this.flushing = flush;
    this.waiting = this.newFlush(flush.round + 1);
    return flush;
  }

  protected newFlush(round: number): Flush<K, A> {
    return new Flush<K, A>(round);
  }

  /** What `flush` has at `at` is on its way to the disk. */
  protected writes(flush: Flush<K, A>, at: number): void {
    if (flush.versions[at]!.value !== absent) flush.entries[at]!.onDisk = true;
  }

  /** What `flush` has at `at` is on disk. True: it was a tombstone. */
  protected wrote(flush: Flush<K, A>, at: number): boolean {
    if (flush.versions[at]!.value !== absent) return false;
    flush.entries[at]!.onDisk = false;
    return true;
  }

  /** The flush is on disk. Gives the entries whose tombstones it wrote. */
  done(flush: Flush<K, A>): Entry<K, A>[] {
    this.flushing = undefined;
    this.flushed = flush.round;
    return flush.entries.filter((_, at) => this.wrote(flush, at));
  }

  /** The flush failed as a whole: it waits again, except for what has been committed anew meanwhile. */
  failed(flush: Flush<K, A>): void {
    this.flushing = undefined;
    this.flushed = flush.round;
    for (let at = 0; at < flush.entries.length; at++) this.takeBack(flush, at);
  }

  protected takeBack(flush: Flush<K, A>, at: number): void {
    const entry = flush.entries[at]!;
    if (entry.flushIn === flush.round) this.waiting.push(entry, flush.encoded.get(at));
  }

  /** For the queries of a scan: every entry that waits or is being written. */
  *entries(): Generator<Entry<K, A>, void> {
    if (this.flushing !== undefined) yield* this.flushing.entries;
    yield* this.waiting.entries;
  }
}

function sizeOf(bytes: number, encoded: EncodedValue | undefined): number {
  return bytes + WAITING_BYTES + (encoded === undefined ? 0 : encoded.length);
}
