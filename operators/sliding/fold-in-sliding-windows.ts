import type { NextObserver, Subscriber } from 'rxjs';
import { KafkaRecord } from '../../src/model/record';
import type { InWindows, SlidingWindows, Windowed, Windows } from '../../src/model/window';
import type { EventTime } from '../../src/state/event-time';
import type { RowRuntime } from '../../src/state/handle';
import { Row } from '../../src/state/rows';
import type { Counter } from '../../src/state/scope';
import type { Fold } from '../fold/fold';
import type { Emit, LateRecord } from '../fold/options';
import type { Receiver } from '../operator';
import { OpenRows } from '../rows/open-rows';
import { checkSameWindows } from '../windowed/assign-windows';
import { changesBytes } from '../windowed/changes-bytes';
import { lateRecord } from '../windowed/late-record';
import { WindowedKey } from '../windowed/windowed-key';
import { changedRows } from './changed-rows';

/** The sliding windows of a store as event time passes them: end < event time - grace; neighbours of late records reach back 2 x difference. */
export function openSlidingWindows<K, A>(
  operator: string,
  store: RowRuntime<K, A>,
  emit: Emit,
  destination: Subscriber<KafkaRecord<Windowed<K>, A>>,
  clocks?: readonly string[],
): OpenRows<K, A> {
  const { difference, grace = 0 } = store.shape.windows as SlidingWindows;
  const ages = { closesAfter: difference + grace, usedFor: 2 * difference, keepsTheBound: true, clocks };
  return new OpenRows(operator, store, emit, destination, ages);
}

/**
 * One input of an operator that keeps one value a key and sliding window (KIP-450). For each distinct time t of a key's records there are two windows at most: the left one,
 * [t - difference, t], and the right one, [t + 1, t + 1 + difference], if a record lies in it. A row's timestamp is the greatest time of
 * its records, and is what neighbours are found by.
 *
 * The order in which windows are updated is Kafka Streams' own, and differs for records before `difference`, whose left windows are all
 * the one that starts at 0.
 */
export class FoldInSlidingWindows<K, V, A> implements Receiver<InWindows<K, V>> {
  private readonly open: OpenRows<K, A>;
  private readonly store: RowRuntime<K, A>;
  private readonly eventTime: EventTime;
  private readonly fold: Fold<K, V, A>;
  private readonly late: NextObserver<LateRecord<K, V>> | undefined;
  private readonly difference: number;
  private readonly nullKeys: Counter;
  private readonly nullValues: Counter;
  private readonly lateRecords: Counter;
  private checked: Windows | undefined;
  /** Rows that the record under way has made or changed, in order; null is a removal. */
  private changes: Row<A | null>[] = [];

  constructor(open: OpenRows<K, A>, eventTime: EventTime, fold: Fold<K, V, A>, late: NextObserver<LateRecord<K, V>> | undefined) {
    const { operator, store } = open;
    const { scope, shape } = store;
    this.open = open;
    this.store = store;
    this.eventTime = eventTime;
    this.fold = fold;
    this.late = late;
    this.difference = (shape.windows as SlidingWindows).difference;
    this.nullKeys = scope.counter('dropped-records-total', operator, 'null-key');
    this.nullValues = scope.counter('dropped-records-total', operator, 'null-value');
    this.lateRecords = scope.counter('dropped-records-total', operator, 'late');
    open.holdBack(() => open.closedBefore());
  }

  receive({ record, by }: InWindows<K, V>): void {
    if (by !== this.checked) this.check(by);
    const { key, value, timestamp } = record;
    if (key === null || key === undefined) {
      this.nullKeys.value += 1;
      return;
    }
    if (value === null || value === undefined) {
      this.nullValues.value += 1;
      return;
    }
    this.eventTime.observe(timestamp);
    // The last of its windows starts at its own time.
    if (!this.accepts(timestamp)) this.refuse(record, timestamp);
    else this.update(record);
    this.open.driveWhatIsDue();
  }

  release(): void {
    this.open.release();
  }

  private update(record: KafkaRecord<K, V>): void {
    const rows = this.store.rows(record.key);
    const changes: Row<A | null>[] = (this.changes = []);
    if (record.timestamp < this.difference) this.updateEarly(record, rows);
    else this.updateWindows(record, rows);
    if (changes.length === 0) return;
    for (const { start, value } of changes) if (value === null) this.store.wrote(start);
    this.store.replace(record.key, changedRows(rows, changes, this.open.droppableBefore()), record.timestamp);
    if (this.open.emit !== 'close') this.emit(record, rows, changes);
  }

  /** From the latest window that may hold the record back to the first that does not. */
  private updateWindows(record: KafkaRecord<K, V>, rows: readonly Row<A>[]): void {
    const { timestamp } = record;
    const leftStart = timestamp - this.difference;
    let at = rowsUpTo(rows, timestamp + 1) - 1;
    const right = startingAt(rows, at, timestamp + 1);
    if (right !== undefined) at--;

    let latest: Row<A> | undefined;
    for (; at >= 0 && rows[at]!.start > leftStart; at--) {
      latest ??= rows[at]!;
      this.addTo(rows[at]!, record);
    }
    const left = startingAt(rows, at, leftStart);
    if (left !== undefined) {
      at--;
      this.addTo(left, record);
      // There was a record of this time already: all its windows are there.
      if (left.timestamp >= timestamp) return;
    }
    const before = this.neighbour(rows, at, timestamp) ?? left;
    if (before !== undefined) this.addRightOfPrevious(before.timestamp, record, rows);
    if (left === undefined) this.makeLeft(leftStart, before, record);
    if (right === undefined) this.makeRight(latest, timestamp);
  }

  /** What lies before the record in its left window lies in the nearest window too. */
  private makeLeft(start: number, before: Row<A> | undefined, record: KafkaRecord<K, V>): void {
    const reaches = before !== undefined && before.timestamp >= start;
    this.make(start, reaches ? before.value : undefined, record.timestamp, record);
  }

  /** The nearest window that ends before the record, as far back as it matters. */
  private neighbour(rows: readonly Row<A>[], at: number, timestamp: number): Row<A> | undefined {
    return at >= 0 && rows[at]!.start >= timestamp - 2 * this.difference ? rows[at] : undefined;
  }

  /** Here one window, the one that starts at 0, stands for all left ones. */
  private updateEarly(record: KafkaRecord<K, V>, rows: readonly Row<A>[]): void {
    const { timestamp } = record;
    const end = rowsUpTo(rows, timestamp + 1);
    const combined = end > 0 && rows[0]!.start === 0 ? rows[0]! : undefined;
    let hasRight = false;
    let latest: Row<A> | undefined;
    for (let at = combined === undefined ? 0 : 1; at < end; at++) {
      const row = rows[at]!;
      if (row.start === timestamp + 1) hasRight = true;
      else {
        latest = row;
        this.addTo(row, record);
      }
    }
    if (!hasRight) this.makeRight(latest ?? combined, timestamp);
    if (combined === undefined) this.make(0, undefined, timestamp, record);
    else {
      if (combined.timestamp < timestamp) this.addRightOfPrevious(combined.timestamp, record, rows);
      this.addTo(combined, record);
    }
  }

  /** The right window of the record before this one holds this one alone, if there is none yet. */
  private addRightOfPrevious(previous: number, record: KafkaRecord<K, V>, rows: readonly Row<A>[]): void {
    const start = previous + 1;
    const { timestamp } = record;
    if (start < timestamp - this.difference) return;
    if (startingAt(rows, rowsUpTo(rows, start) - 1, start) === undefined) this.make(start, undefined, timestamp, record);
  }

  /** The right window of the record's time: what lies behind it in the latest window that holds it. Never late, as the record is not. */
  private makeRight(latest: Row<A> | undefined, timestamp: number): void {
    if (latest === undefined || latest.timestamp <= timestamp) return;
    const start = timestamp + 1;
    this.changes.push(new Row<A | null>(start, start + this.difference, latest.value, latest.timestamp));
  }

  private addTo(row: Row<A>, record: KafkaRecord<K, V>): void {
    this.make(row.start, row.value, row.timestamp > record.timestamp ? row.timestamp : record.timestamp, record);
  }

  private make(start: number, before: A | undefined, timestamp: number, record: KafkaRecord<K, V>): void {
    if (!this.accepts(start)) this.refuse(record, start);
    else this.changes.push(new Row<A | null>(start, start + this.difference, this.fold.next(before, record) ?? null, timestamp));
  }

  private emit(record: KafkaRecord<K, V>, rows: readonly Row<A>[], changes: readonly Row<A | null>[]): void {
    const { open } = this;
    for (let at = 0; at < changes.length; at++) {
      const { start, end, value, timestamp } = changes[at]!;
      if (open.emit === 'change' && !changesBytes(this.store.shape.value, this.before(rows, changes, at), value)) continue;
      open.destination.next(KafkaRecord.of(new WindowedKey(record.key, start, end), value as A, timestamp, record.origin));
    }
  }

  /** The right window of the record before may be the left one of this one: it is made twice, as Kafka Streams does. */
  private before(rows: readonly Row<A>[], changes: readonly Row<A | null>[], at: number): A | null | undefined {
    const { start } = changes[at]!;
    const made = at > 0 ? changes[at - 1]! : undefined;
    return made?.start === start ? made.value : rows.find((row) => row.start === start)?.value;
  }

  private accepts(start: number): boolean {
    return this.open.accepts(start, this.eventTime.value);
  }

  private refuse(record: KafkaRecord<K, V>, start: number): void {
    this.lateRecords.value += 1;
    this.late?.next(lateRecord(record, { start, end: start + this.difference }, this.eventTime.value));
  }

  private check(by: Windows): void {
    checkSameWindows(this.open.operator, by, this.store.shape);
    this.checked = by;
  }
}

function startingAt<A>(rows: readonly Row<A>[], at: number, start: number): Row<A> | undefined {
  return at >= 0 && rows[at]!.start === start ? rows[at] : undefined;
}

/** How many rows start at `start` or before. */
function rowsUpTo(rows: readonly Row<unknown>[], start: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle]!.start <= start) low = middle + 1;
    else high = middle;
  }
  return low;
}
