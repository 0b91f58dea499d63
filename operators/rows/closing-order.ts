import { LazySort } from '../../src/state/lazy-sort';
import type { Row } from '../../src/state/rows';

/** A row that is about to be emitted. */
export class ClosingRow<A> {
  constructor(
    /** Of its key. */
    readonly identity: string,
    readonly row: Row<A>,
  ) {}
}

/** Rows of one time by ascending start, those that start together by key bytes; sorts no further than asked for. */
export class ClosingOrder<A> {
  private readonly groups = new Map<number, ClosingRow<A>[]>();
  private readonly starts: Float64Array;
  private at = 0;
  private current: LazySort<ClosingRow<A>> | undefined;

  constructor(
    rows: readonly ClosingRow<A>[],
    private readonly compare: (a: string, b: string) => number,
  ) {
    for (const closing of rows) {
      const group = this.groups.get(closing.row.start);
      if (group === undefined) this.groups.set(closing.row.start, [closing]);
      else group.push(closing);
    }
    this.starts = Float64Array.from(this.groups.keys()).sort();
  }

  /** Undefined: no more. */
  next(): ClosingRow<A> | undefined {
    for (;;) {
      const next = this.current?.peek();
      if (next !== undefined) {
        this.current?.take();
        return next;
      }
      if (this.at >= this.starts.length) return undefined;
      this.current = new LazySort(this.groups.get(this.starts[this.at++]!)!, this.compare);
    }
  }
}
