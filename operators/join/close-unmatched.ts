import { firstFrom, type JoinRow, LEFT, numberOf, RIGHT, settledRow, type Side } from '../../src/state/join-rows';
import type { OpenJoin } from './open-join';

/**
 * Lets rows that have met nobody come out alone once their window has closed: by time, right before left, key bytes, arrival. Each is an
 * emission of its own. What has come out waits no longer in the store, so that a commit may fall between any two, and the next instance
 * goes on behind the last.
 */
export class CloseUnmatched<K, L, R, J> {
  constructor(private readonly open: OpenJoin<K, L, R, J>) {}

  /** Asked for every record: no store access. */
  isDue(): boolean {
    for (const side of this.open.alone) if (this.isDueOf(side)) return true;
    return false;
  }

  /** Looks at up to `budget` rows. Gives what is left of it; 0: call again. */
  run(budget: number): number {
    let left = budget;
    while (left > 0 && !this.open.stopped()) {
      const side = this.nextSide();
      if (side === undefined) return left;
      this.visit(side);
      left -= 1;
    }
    return left;
  }

  private isDueOf(side: Side): boolean {
    return this.open.store.waiting(side).earliest < this.open.closedBy - this.open.spans[side]!.closesAfter;
  }

  private nextSide(): Side | undefined {
    const { store, alone } = this.open;
    const due = alone.filter((side) => this.isDueOf(side));
    if (due.length < 2) return due[0];
    return store.waiting(LEFT).earliest < store.waiting(RIGHT).earliest ? LEFT : RIGHT;
  }

  private visit(side: Side): void {
    const { store } = this.open;
    const index = store.waiting(side);
    const time = index.earliest;
    const identity = index.take()!;
    try {
      // What the index holds are lower bounds.
      const [first, next] = waitingFrom(store.rowsOf(identity), side, time);
      if (first?.start === time) this.closeRow(identity, first);
      const left = first?.start === time ? next : first;
      if (left !== undefined) index.add(identity, left.start);
    } catch (error) {
      index.add(identity, time);
      throw error;
    }
  }

  private closeRow(identity: string, row: JoinRow<L | R>): void {
    const { open } = this;
    const { store } = open;
    const { scope, shape } = store;
    const { side, value } = row.value;
    const key = store.keyOf(identity);
    this.settle(key, row);
    if (!scope.begin(shape.name, 'unmatched', row.start, `${side === LEFT ? 'left' : 'right'} ${numberOf(row)} ${identity}`)) return;
    open.emitAlone(side, key, value, row.start, scope.origin);
    scope.end();
  }

  /** What nobody can meet any more goes at once. */
  private settle(key: K, row: JoinRow<L | R>): void {
    const { open } = this;
    const { store } = open;
    const rows = store.rows(key).slice();
    const at = rows.indexOf(row);
    if (row.start < open.removableBefore(row.value.side)) rows.splice(at, 1);
    else rows[at] = settledRow(row);
    store.replace(key, rows, open.closedBy);
  }
}

/** The first two rows of a side that wait, of those at `time` or later. */
function waitingFrom<V>(rows: readonly JoinRow<V>[], side: Side, time: number): JoinRow<V>[] {
  const found: JoinRow<V>[] = [];
  for (let at = firstFrom(rows, time); at < rows.length && found.length < 2; at++) {
    const row = rows[at]!;
    if (row.value.side === side && row.value.waits) found.push(row);
  }
  return found;
}
