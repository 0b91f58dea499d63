/** Ranges up to this length are sorted at once. */
const SMALL = 24;

/**
 * Gives items in ascending order, sorting no further than asked for (incremental quicksort: Paredes and Navarro, "Optimal incremental
 * sorting"). The first of n costs about 2n comparisons, where sorting 100,000 keys of a window at once would stop the loop for
 * 100 ms. Items must differ.
 */
export class LazySort<T> {
  private at = 0;
  /** Items before this are in their final places. */
  private sortedTo = 0;
  /** Ends of ranges that hold smaller items than what lies behind them; the nearest last. */
  private readonly ends: number[];

  /** `items` belongs to the sort from here on. */
  constructor(
    private readonly items: T[],
    private readonly compare: (a: T, b: T) => number,
  ) {
    this.ends = [items.length];
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
    insertionSort(this.items, at, end, this.compare);
    ends.pop();
    // What ends a range is the pivot it was split by, which is in its place too.
    this.sortedTo = Math.min(end + 1, this.items.length);
  }

  /** Puts smaller items before a pivot, greater ones behind it; gives the pivot's place. */
  private partition(from: number, to: number): number {
    const { items, compare } = this;
    const last = to - 1;
    swap(items, medianOf(items, from, (from + last) >>> 1, last, compare), last);
    const pivot = items[last]!;
    let place = from;
    for (let i = from; i < last; i++) if (compare(items[i]!, pivot) < 0) swap(items, i, place++);
    swap(items, place, last);
    return place;
  }
}

function medianOf<T>(items: readonly T[], a: number, b: number, c: number, compare: (a: T, b: T) => number): number {
  const [x, y, z] = [items[a]!, items[b]!, items[c]!];
  if (compare(x, y) < 0) return compare(y, z) < 0 ? b : compare(x, z) < 0 ? c : a;
  return compare(x, z) < 0 ? a : compare(y, z) < 0 ? c : b;
}

function insertionSort<T>(items: T[], from: number, to: number, compare: (a: T, b: T) => number): void {
  for (let i = from + 1; i < to; i++) {
    const item = items[i]!;
    let place = i;
    for (; place > from && compare(items[place - 1]!, item) > 0; place--) items[place] = items[place - 1]!;
    items[place] = item;
  }
}

function swap<T>(items: T[], a: number, b: number): void {
  const item = items[a]!;
  items[a] = items[b]!;
  items[b] = item;
}
