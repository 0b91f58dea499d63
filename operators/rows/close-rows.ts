import type { Subscriber } from 'rxjs';
import { KafkaRecord } from '../../src/model/record';
import type { Windowed } from '../../src/model/window';
import type { ClosingIndex } from '../../src/state/closing-index';
import type { Row } from '../../src/state/rows';
import type { Cell } from '../../src/state/scope';
import { WindowedKey } from '../windowed/windowed-key';
import { ClosingOrder, ClosingRow } from './closing-order';
import type { WalkedRows } from './walked-rows';

/**
 * Emits rows that have closed, by time, then start, then key bytes, each as an emission of its own. What has been emitted is kept in
 * cells, so that a commit may fall between any two rows and the next instance goes on behind the last.
 *
 * First the keys that have rows of the earliest time are gathered, a bounded number a step, then their rows are emitted. Until all of
 * them are, the keys are gathered again if anything comes between.
 */
export class CloseRows<K, A> {
  /** Rows of earlier times have been emitted; none of them is emitted or changed again, whatever becomes of `grace`. */
  readonly openFrom: Cell<number>;
  /** How many rows of the earliest time that is open have been emitted and kept. */
  private readonly emitted: Cell<number>;
  private readonly rows: WalkedRows<K, A>;
  private readonly destination: Subscriber<KafkaRecord<Windowed<K>, A>>;
  private readonly index: ClosingIndex;
  /** The rows of one key that end together differ in their start. */
  private readonly namedByStart: boolean;
  private time = -1;
  private taken: string[] = [];
  private gathered: ClosingRow<A>[] = [];
  private emitting: ClosingOrder<A> | undefined;
  private toSkip = 0;

  constructor(rows: WalkedRows<K, A>, destination: Subscriber<KafkaRecord<Windowed<K>, A>>) {
    const { scope, shape } = rows.store;
    this.rows = rows;
    this.destination = destination;
    this.openFrom = scope.cell(shape.name, 'openFrom', 0);
    this.emitted = scope.cell(shape.name, 'emitted', 0);
    this.index = rows.store.closingIndex();
    this.index.openFrom = this.openFrom.value;
    this.namedByStart = shape.kind === 'session';
  }

  /** Asked for every record: no store access. */
  isDue(): boolean {
    return this.index.earliest < this.rows.closedBefore();
  }

  /** Gathers and emits up to `budget` rows. Gives what is left of it; 0: call again. */
  run(budget: number): number {
    let left = budget;
    while (left > 0 && !this.rows.stopped()) {
      if (this.emitting !== undefined) {
        const next = this.emitting.next();
        if (next === undefined) this.through();
        else this.visit(next);
      } else if (this.hasMoreToGather()) this.gather();
      else if (this.gathered.length === 0) return left;
      else this.beginEmitting();
      left -= 1;
    }
    return left;
  }

  /** Whatever is not through is due for whoever comes next. */
  release(): void {
    for (const identity of this.taken) this.index.add(identity, this.time);
    this.taken = [];
    this.gathered = [];
    this.emitting = undefined;
  }

  private hasMoreToGather(): boolean {
    return this.gathered.length === 0 ? this.isDue() : this.index.earliest === this.time;
  }

  private gather(): void {
    const { index, openFrom } = this;
    const { store } = this.rows;
    this.time = index.earliest;
    const identity = index.take()!;
    this.taken.push(identity);
    const before = this.gathered.length;
    for (const row of store.rowsOf(identity)) {
      const time = store.timeOf(row);
      if (time < openFrom.value) continue;
      if (time === this.time) this.gathered.push(new ClosingRow(identity, row));
      else {
        index.add(identity, time);
        break;
      }
    }
    // Nothing of this time after all: what the index holds are lower bounds.
    if (this.gathered.length === before) this.taken.pop();
  }

  private beginEmitting(): void {
    this.emitting = new ClosingOrder(this.gathered, this.rows.store.compare.bind(this.rows.store));
    this.toSkip = this.emitted.value;
  }

  private visit({ identity, row }: ClosingRow<A>): void {
    if (this.toSkip > 0) {
      this.toSkip -= 1;
      return;
    }
    const { store } = this.rows;
    const key = store.keyOf(identity);
    const named = this.namedByStart ? `${row.start} ${identity}` : identity;
    if (store.scope.begin(store.shape.name, 'close', this.time, named)) {
      const timestamp = this.namedByStart ? row.end : row.timestamp;
      this.destination.next(KafkaRecord.of(new WindowedKey(key, row.start, row.end), row.value, timestamp, store.scope.origin));
      store.scope.end();
    }
    // What nobody can read any more goes at once; it is no row to skip then.
    if (this.time < this.rows.removableBefore()) this.remove(key, row);
    else this.emitted.value += 1;
  }

  private remove(key: K, row: Row<A>): void {
    const { store } = this.rows;
    const others = store.rows(key).filter(({ start, end }) => start !== row.start || end !== row.end);
    store.replace(key, others, this.rows.now());
  }

  private through(): void {
    this.openFrom.value = this.index.openFrom = this.time + 1;
    this.emitted.value = 0;
    this.taken = [];
    this.gathered = [];
    this.emitting = undefined;
  }
}
