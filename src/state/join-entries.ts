import type { JoinStore } from '../model/join';
import { DueIndex } from './due-index';
import { runtime, type StoreRuntime } from './handle';
import { type Joining, type JoinRow, LEFT, RIGHT, type Side } from './join-rows';
import { RowEntries } from './row-entries';
import type { Row } from './rows';
import type { Entry } from './segment';
import { absent } from './version';

/** What two streams are joined in. */
export interface JoinRuntime<K, V> extends StoreRuntime {
  /** All rows of a key, of both sides: by time, right before left, arrival. Never changed in place. */
  rows(key: K): readonly JoinRow<V>[];
  rowsOf(identity: string): readonly JoinRow<V>[];
  /** `rows` takes the place of what the key has: in order, and what has not changed is the same object. */
  replace(key: K, rows: readonly JoinRow<V>[], timestamp: number): void;
  /** Says that a row of this time is among those of the key now. */
  added(key: K, time: number, joining: Joining<V>): void;
  keyOf(identity: string): K;
  /** Which keys have rows of a side, by the time of the first. */
  kept(side: Side): DueIndex;
  /** Which keys have rows of a side that wait, by the time of the first, then key bytes. Kept from the first call on. */
  waiting(side: Side): DueIndex;
}

export interface JoinHandle<K, L, R> extends JoinStore<K, L, R> {
  readonly [runtime]: JoinRuntime<K, L | R>;
}

/** Both sides of a join: all rows of a key in one entry, so that one point read finds every partner. */
export class JoinEntries<K, V> extends RowEntries<K, Joining<V>> implements JoinRuntime<K, V> {
  /** Of keys that have rows: what a reload finds. */
  override readonly due = new DueIndex();
  /** By side. Keys that have rows of the other side alone may be in it: at their time they are found to have none, and leave. */
  private readonly keptBySide: readonly DueIndex[] = [new DueIndex(), this.due];
  private readonly waitingBySide: (DueIndex | undefined)[] = [undefined, undefined];

  kept(side: Side): DueIndex {
    return this.keptBySide[side]!;
  }

  waiting(side: Side): DueIndex {
    let index = this.waitingBySide[side];
    if (index === undefined) {
      this.waitingBySide[side] = index = new DueIndex((a, b) => this.compare(a, b));
      addAll(index, this.kept(side));
    }
    return index;
  }

  added(key: K, time: number, { side, waits }: Joining<V>): void {
    const identity = this.identityOf(key);
    this.kept(side).add(identity, time);
    if (waits) this.waitingBySide[side]?.add(identity, time);
  }

  override reverted(entry: Entry<K, readonly Row<Joining<V>>[]>): void {
    super.reverted(entry);
    const rows = entry.current.value;
    if (rows === absent) return;
    for (const side of [RIGHT, LEFT] as const) {
      const first = rows.find((row) => row.value.side === side);
      if (first !== undefined) this.kept(side).add(entry.identity, first.start);
      const index = this.waitingBySide[side];
      const waiting = index === undefined ? undefined : rows.find((row) => row.value.side === side && row.value.waits);
      if (waiting !== undefined) index!.add(entry.identity, waiting.start);
    }
  }

  override async reload(): Promise<void> {
    await super.reload();
    addAll(this.kept(RIGHT), this.due);
    for (const index of this.waitingBySide) if (index !== undefined) addAll(index, this.due);
  }

  protected override clearSegments(): void {
    super.clearSegments();
    this.kept(RIGHT).clear();
    for (const index of this.waitingBySide) index?.clear();
  }
}

/** As lower bounds: nobody knows more of a key before its rows are read. */
function addAll(index: DueIndex, from: DueIndex): void {
  for (const [identity, time] of from.entries()) index.add(identity, time);
}

/** What `task.store` gives for a store of a join. */
export function joinHandle<K, L, R>(entries: JoinEntries<K, L | R>): JoinHandle<K, L, R> {
  return { [runtime]: entries } as unknown as JoinHandle<K, L, R>;
}
