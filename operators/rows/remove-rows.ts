import type { DueIndex } from '../../src/state/due-index';
import type { WalkedRows } from './walked-rows';

/** Removes rows that nobody needs any more, key by key. Needs no cells, since what is removed is not met again. */
export class RemoveRows<K, A> {
  private readonly rows: WalkedRows<K, A>;
  private readonly due: DueIndex;

  constructor(rows: WalkedRows<K, A>) {
    this.rows = rows;
    this.due = rows.store.due!;
  }

  /** Asked for every record: no store access. */
  isDue(): boolean {
    return this.due.earliest < this.rows.removableBefore();
  }

  /** Looks at up to `budget` keys. Gives what is left of it; 0: call again. */
  run(budget: number): number {
    let left = budget;
    while (left > 0 && !this.rows.stopped() && this.isDue()) {
      this.removeFrom(this.due.first!);
      left -= 1;
    }
    return left;
  }

  private removeFrom(identity: string): void {
    const { store } = this.rows;
    const before = this.rows.removableBefore();
    const rows = store.rowsOf(identity);
    const needed = rows.findIndex((row) => store.timeOf(row) >= before);
    if (needed !== 0 && rows.length > 0) {
      store.replace(store.keyOf(identity), needed < 0 ? [] : rows.slice(needed), this.rows.now());
    }
    // Last: whatever fails leaves the key due.
    if (needed < 0) this.due.take();
    else this.due.postpone(store.timeOf(rows[needed]!));
  }
}
