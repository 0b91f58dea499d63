import type { Segment } from './segment';

/** The windows of a store: those memory knows, and in ascending order those that reads see entries of. */
export class WindowIndex<K, A> {
  private readonly byStart = new Map<number, Segment<K, A>>();
  private readonly listed: number[] = [];
  /** Looked for last. */
  private last: Segment<K, A> | undefined;

  get(start: number): Segment<K, A> | undefined {
    if (this.last?.start === start) return this.last;
    const segment = this.byStart.get(start);
    if (segment !== undefined) this.last = segment;
    return segment;
  }

  add(segment: Segment<K, A>): void {
    this.byStart.set(segment.start, segment);
    this.relist(segment);
  }

  /** Called when `segment.hasEntries` may have changed. */
  relist(segment: Segment<K, A>): void {
    if (segment.listed === segment.hasEntries) return;
    segment.listed = !segment.listed;
    const at = lowerBound(this.listed, segment.start);
    if (segment.listed) this.listed.splice(at, 0, segment.start);
    else this.listed.splice(at, 1);
  }

  /** Forgets a window that has nothing, on disk neither. */
  remove(segment: Segment<K, A>): void {
    if (this.byStart.get(segment.start) !== segment) return;
    this.byStart.delete(segment.start);
    if (this.last === segment) this.last = undefined;
  }

  /** The smallest listed start >= `from`, or Infinity. */
  next(from: number): number {
    return this.listed[lowerBound(this.listed, from)] ?? Infinity;
  }

  /** The greatest listed start, or -Infinity. */
  get greatest(): number {
    return this.listed.at(-1) ?? -Infinity;
  }

  segments(): Iterable<Segment<K, A>> {
    return this.byStart.values();
  }

  clear(): void {
    this.byStart.clear();
    this.listed.length = 0;
    this.last = undefined;
  }
}

function lowerBound(starts: readonly number[], start: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! < start) low = middle + 1;
    else high = middle;
  }
  return low;
}
