import { LEFT, RIGHT, type Side } from '../../src/state/join-rows';
import type { OpenJoin } from './open-join';

const SIDES: readonly Side[] = [RIGHT, LEFT];

/** Removes rows that no record to come can meet, key by key. Needs no cells, since what is removed is not met again. */
export class RemoveUnneeded<K, L, R, J> {
  constructor(private readonly open: OpenJoin<K, L, R, J>) {}

  /** Asked for every record: no store access. */
  isDue(): boolean {
    return this.isDueOf(RIGHT) || this.isDueOf(LEFT);
  }

  /** Looks at up to `budget` keys. Gives what is left of it; 0: call again. */
  run(budget: number): number {
    let left = budget;
    for (const side of SIDES) {
      while (left > 0 && this.isDueOf(side) && !this.open.stopped()) {
        this.visit(side);
        left -= 1;
      }
    }
    return left;
  }

  private isDueOf(side: Side): boolean {
    return this.open.store.kept(side).earliest < this.open.removableBefore(side);
  }

  private visit(side: Side): void {
    const { open } = this;
    const { store } = open;
    const index = store.kept(side);
    const time = index.earliest;
    const identity = index.take()!;
    try {
      const before = open.removableBefore(side);
      const rows = store.rowsOf(identity);
      const needed = rows.filter((row) => row.value.side !== side || row.start >= before);
      if (needed.length < rows.length) store.replace(store.keyOf(identity), needed, open.closedBy);
      const first = needed.find((row) => row.value.side === side);
      if (first !== undefined) index.add(identity, first.start);
    } catch (error) {
      index.add(identity, time);
      throw error;
    }
  }
}
