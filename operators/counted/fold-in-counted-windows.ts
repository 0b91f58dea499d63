import type { Subscriber } from 'rxjs';
import { KafkaRecord } from '../../src/model/record';
import type { CountWindows, InWindows, Windowed, Windows } from '../../src/model/window';
import { Counted } from '../../src/state/counted';
import type { RowRuntime } from '../../src/state/handle';
import { Row } from '../../src/state/rows';
import type { Counter } from '../../src/state/scope';
import type { Fold } from '../fold/fold';
import type { Emit } from '../fold/options';
import type { Receiver } from '../operator';
import { checkSameWindows } from '../windowed/assign-windows';
import { changesBytes } from '../windowed/changes-bytes';
import { WindowedKey } from '../windowed/windowed-key';

/**
 * One value a key and window of counted records. The latest window tells how many records its key has had, so it stays, complete or not,
 * until there is a later one; the others go when they are complete.
 */
export class FoldInCountedWindows<K, V, A> implements Receiver<InWindows<K, V>> {
  private readonly operator: string;
  private readonly store: RowRuntime<K, Counted<A>>;
  private readonly fold: Fold<K, V, A>;
  private readonly emit: Emit;
  private readonly destination: Subscriber<KafkaRecord<Windowed<K>, A>>;
  private readonly records: number;
  private readonly every: number;
  private readonly nullKeys: Counter;
  private checked: Windows | undefined;

  constructor(
    operator: string,
    store: RowRuntime<K, Counted<A>>,
    fold: Fold<K, V, A>,
    emit: Emit,
    destination: Subscriber<KafkaRecord<Windowed<K>, A>>,
  ) {
    const { records, every = records } = store.shape.windows as CountWindows;
    this.operator = operator;
    this.store = store;
    this.fold = fold;
    this.emit = emit;
    this.destination = destination;
    this.records = records;
    this.every = every;
    this.nullKeys = store.scope.counter('dropped-records-total', operator, 'null-key');
  }

  receive({ record, by }: InWindows<K, V>): void {
    if (by !== this.checked) this.check(by);
    const { key } = record;
    if (key === null || key === undefined) {
      this.nullKeys.value += 1;
      return;
    }
    const rows = this.store.rows(key);
    const last = rows.at(-1);
    const ordinal = last === undefined ? 0 : last.start + last.value.records;

    const updated: Row<Counted<A>>[] = [];
    for (const row of rows) if (row.value.records < this.records) updated.push(this.withRecord(row, record));
    if (ordinal % this.every === 0) updated.push(this.firstOf(ordinal, record));
    // What is complete and not the latest has served.
    const kept = updated.filter(({ value }, at) => value.records < this.records || at === updated.length - 1);
    this.store.replace(key, kept, record.timestamp);
    this.emitUpdated(record, rows, updated);
  }

  private withRecord({ start, end, value, timestamp }: Row<Counted<A>>, record: KafkaRecord<K, V>): Row<Counted<A>> {
    const result = this.fold.next(value.value ?? undefined, record) ?? null;
    return new Row(start, end, new Counted(value.records + 1, result), timestamp > record.timestamp ? timestamp : record.timestamp);
  }

  private firstOf(start: number, record: KafkaRecord<K, V>): Row<Counted<A>> {
    return new Row(start, start + this.records, new Counted(1, this.fold.next(undefined, record) ?? null), record.timestamp);
  }

  private emitUpdated(record: KafkaRecord<K, V>, rows: readonly Row<Counted<A>>[], updated: readonly Row<Counted<A>>[]): void {
    for (const { start, end, value, timestamp } of updated) {
      if (!this.isEmitted(value, () => rows.find((row) => row.start === start)?.value.value)) continue;
      this.destination.next(KafkaRecord.of(new WindowedKey(record.key, start, end), value.value as A, timestamp, record.origin));
    }
  }

  private isEmitted({ records, value }: Counted<A>, before: () => A | null | undefined): boolean {
    if (this.emit === 'update') return true;
    // What was deleted is nothing to close with.
    if (this.emit === 'close') return records === this.records && value !== null;
    return changesBytes(this.store.shape.value, alone(before()), alone(value));
  }

  private check(by: Windows): void {
    checkSameWindows(this.operator, by, this.store.shape);
    this.checked = by;
  }
}

/** As the store's codec takes it, whatever the number of records. */
function alone<A>(value: A | null | undefined): Counted<A> | null {
  return value === null || value === undefined ? null : new Counted(0, value);
}
