import { type Identified, leadingNumbers } from './leading-numbers';

/** Ranges up to this length are sorted at once. */
const SMALL = 24;

/**
 * Gives items in ascending order of their identities, sorting no further than asked for (incremental quicksort: Paredes and Navarro,
 * "Optimal incremental sorting"). The first of n costs about 2n comparisons, where sorting 100,000 keys of a window at once would
 * stop the loop for tens of ms. Identities must differ.
 */
export class LazySort<T extends Identified> {
  private at = 0;
  /** Items before this are in their final places. */
  private sortedTo = 0;
  /** Ends of ranges that hold smaller items than what lies behind them; the nearest last. */
  private readonly ends: number[];
  private readonly numbers: Float64Array;

  /** `items` belongs to the sort from here on. `compare` must order identities by their bytes. */
  constructor(
    private readonly items: T[],
    private readonly compare: (a: string, b: string) => number,
  ) {
    this.ends = [items.length];
    this.numbers = leadingNumbers(items);
  }

  /** The next item, not taken yet; undefined: no more. */
  peek(): T | undefined {
    if (this.at >= this.sortedTo && this.at < this.items.length) this.sortMore();
    return this.items[this.at];
  }

  take(): void {
    this.at++;
  }

  private sortMore(): void {
    const { ends, at } = this;
    let end = ends[ends.length - 1]!;
    while (end - at > SMALL) {
      end = this.partition(at, end);
      ends.push(end);
    }
    this.insertionSort(at, end);
    ends.pop();
    // What ends a range is the pivot it was split by, which is in its place too.
    this.sortedTo = Math.min(end + 1, this.items.length);
  }

  /** Puts smaller items before a pivot, greater ones behind it; gives the pivot's place. */
  private partition(from: number, to: number): number {
    const last = to - 1;
    this.swap(this.medianOf(from, (from + last) >>> 1, last), last);
    let place = from;
    for (let i = from; i < last; i++) if (this.isLess(i, last)) this.swap(i, place++);
    this.swap(place, last);
    return place;
  }

  private isLess(a: number, b: number): boolean {
    const { numbers } = this;
    const difference = numbers[a]! - numbers[b]!;
    return difference === 0 ? this.compare(this.items[a]!.identity, this.items[b]!.identity) < 0 : difference < 0;
  }

  private medianOf(a: number, b: number, c: number): number {
    if (this.isLess(a, b)) return this.isLess(b, c) ? b : this.isLess(a, c) ? c : a;
    return this.isLess(a, c) ? a : this.isLess(b, c) ? c : b;
  }

  private insertionSort(from: number, to: number): void {
    for (let i = from + 1; i < to; i++) for (let at = i; at > from && this.isLess(at, at - 1); at--) this.swap(at, at - 1);
  }

  private swap(a: number, b: number): void {
    const { items, numbers } = this;
    const item = items[a]!;
    items[a] = items[b]!;
    items[b] = item;
    const number = numbers[a]!;
    numbers[a] = numbers[b]!;
    numbers[b] = number;
  }
}
