/** Places of keys that are gone, beyond as many as there are keys, that are not worth a new heap. */
const SLACK = 64;

/**
 * Which keys have something to be done for, by time: a heap of lower bounds, one a key. Written far more often than read, so what moves
 * to a later time stays where it is: who takes the key finds that it is not due and adds it again.
 *
 * Kept in memory beside a store and made anew from it when the store is loaded; it holds every key of which any layer has an entry, and
 * may hold keys that have none any more.
 */
export class DueIndex {
  private readonly bounds = new Map<string, number>();
  private readonly times: number[] = [];
  private readonly identities: string[] = [];

  /** `compare` orders the keys of one time; without it they come in any order. */
  constructor(private readonly compare?: (a: string, b: string) => number) {}

  /** There is something of this key at `time`; what was known of earlier times stays. */
  add(identity: string, time: number): void {
    const known = this.bounds.get(identity);
    if (known !== undefined && known <= time) return;
    this.bounds.set(identity, time);
    this.push(time, identity);
    if (known !== undefined) this.dropStale();
  }

  /** No key has anything before this; Infinity when there is none. */
  get earliest(): number {
    return this.times.length === 0 ? Infinity : this.times[0]!;
  }

  /** The key that `take` would give. */
  get first(): string | undefined {
    return this.identities[0];
  }

  /** Takes out a key whose bound is `earliest`; undefined: there is none. Whatever else it has must be added again. */
  take(): string | undefined {
    if (this.times.length === 0) return undefined;
    const identity = this.identities[0]!;
    this.bounds.delete(identity);
    this.pop();
    this.dropStale();
    return identity;
  }

  /** As `take`, and `add` of the same key at a time that is not earlier. */
  postpone(time: number): void {
    const identity = this.identities[0]!;
    this.bounds.set(identity, time);
    this.sink(time, identity);
    this.dropStale();
  }

  /** There is nothing of this key any more. */
  remove(identity: string): void {
    if (!this.bounds.delete(identity)) return;
    this.dropStale();
    if (this.times.length > 2 * this.bounds.size + SLACK) this.rebuild();
  }

  /** Every key with its bound. */
  entries(): Iterable<readonly [identity: string, bound: number]> {
    return this.bounds;
  }

  get size(): number {
    return this.bounds.size;
  }

  clear(): void {
    this.bounds.clear();
    this.times.length = 0;
    this.identities.length = 0;
  }

  /** A bound that was lowered leaves its old place behind: the first place is never such a one. */
  private dropStale(): void {
    while (this.times.length > 0 && this.bounds.get(this.identities[0]!) !== this.times[0]) this.pop();
  }

  private rebuild(): void {
    this.times.length = 0;
    this.identities.length = 0;
    for (const [identity, time] of this.bounds) this.push(time, identity);
  }

  private precedes(time: number, identity: string, otherTime: number, other: string): boolean {
    if (time !== otherTime) return time < otherTime;
    return this.compare !== undefined && this.compare(identity, other) < 0;
  }

  private push(time: number, identity: string): void {
    const { times, identities } = this;
    let at = times.length;
    while (at > 0) {
      const parent = (at - 1) >>> 1;
      if (!this.precedes(time, identity, times[parent]!, identities[parent]!)) break;
      times[at] = times[parent]!;
      identities[at] = identities[parent]!;
      at = parent;
    }
    times[at] = time;
    identities[at] = identity;
  }

  private pop(): void {
    const { times, identities } = this;
    const time = times.pop()!;
    const identity = identities.pop()!;
    if (times.length > 0) this.sink(time, identity);
  }

  /** Puts it in the place of the first. */
  private sink(time: number, identity: string): void {
    const { times, identities } = this;
    const length = times.length;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      const next = child + 1;
      if (next < length && this.precedes(times[next]!, identities[next]!, times[child]!, identities[child]!)) child = next;
      if (!this.precedes(times[child]!, identities[child]!, time, identity)) break;
      times[at] = times[child]!;
      identities[at] = identities[child]!;
      at = child;
    }
    times[at] = time;
    identities[at] = identity;
  }
}
