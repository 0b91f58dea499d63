import type { NextObserver, Subscriber } from 'rxjs';
import { noOrigin, type Origin, withoutHeaders } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import type { InSession, SessionWindows, Windowed } from '../../src/model/window';
import type { EventTime } from '../../src/state/event-time';
import type { RowRuntime } from '../../src/state/handle';
import { Row } from '../../src/state/rows';
import type { Counter } from '../../src/state/scope';
import type { Fold, Merge } from '../fold/fold';
import type { Emit, LateRecord } from '../fold/options';
import type { Receiver } from '../operator';
import { OpenRows } from '../rows/open-rows';
import { checkSameWindows } from '../windowed/assign-windows';
import { changesBytes } from '../windowed/changes-bytes';
import { lateRecord } from '../windowed/late-record';
import { WindowedKey } from '../windowed/windowed-key';

const none: readonly never[] = [];

/** The sessions of a store as event time passes them: end < event time - grace - gap, and nobody asks for a closed one. */
export function openSessions<K, A>(
  operator: string,
  store: RowRuntime<K, A>,
  emit: Emit,
  destination: Subscriber<KafkaRecord<Windowed<K>, A>>,
  clocks?: readonly string[],
): OpenRows<K, A> {
  const { gap, grace = 0 } = store.shape.windows as SessionWindows;
  return new OpenRows(operator, store, emit, destination, { closesAfter: gap + grace, usedFor: 0, keepsTheBound: false, clocks });
}

/**
 * One input of an operator that keeps one value a key and session. A record and the sessions it meets, those it lies in or at most `gap` away from, become one session; a
 * record too late by itself is taken if it meets a session that is not.
 */
export class FoldInSessions<K, V, A> implements Receiver<InSession<K, V>> {
  private readonly open: OpenRows<K, A>;
  private readonly store: RowRuntime<K, A>;
  private readonly eventTime: EventTime;
  private readonly fold: Fold<K, V, A>;
  private readonly merge: Merge<A>;
  private readonly late: NextObserver<LateRecord<K, V>> | undefined;
  private readonly gap: number;
  private readonly retention: number;
  private readonly nullKeys: Counter;
  private readonly lateRecords: Counter;
  private checked: SessionWindows | undefined;
  /** Of what is being emitted. */
  private origin: Origin = noOrigin;

  constructor(
    open: OpenRows<K, A>,
    eventTime: EventTime,
    fold: Fold<K, V, A>,
    merge: Merge<A>,
    late: NextObserver<LateRecord<K, V>> | undefined,
  ) {
    const { operator, store } = open;
    const { scope, shape } = store;
    this.open = open;
    this.store = store;
    this.eventTime = eventTime;
    this.fold = fold;
    this.merge = merge;
    this.late = late;
    this.gap = (shape.windows as SessionWindows).gap;
    this.retention = shape.retention!;
    // A session that is taken back may have closed long ago, if retention still shows it.
    open.holdBack(() => (open.emit === 'close' ? open.closedBefore() : Math.min(open.closedBefore(), this.hiddenUpTo() + 1)));
    this.nullKeys = scope.counter('dropped-records-total', operator, 'null-key');
    this.lateRecords = scope.counter('dropped-records-total', operator, 'late');
  }

  receive({ record, by }: InSession<K, V>): void {
    if (by !== this.checked) this.check(by);
    if (record.key === null || record.key === undefined) {
      this.nullKeys.value += 1;
      return;
    }
    // Late ones too: stream time never waits for acceptance.
    this.eventTime.observe(record.timestamp);
    this.take(record);
    this.open.driveWhatIsDue();
  }

  release(): void {
    this.open.release();
  }

  private take(record: KafkaRecord<K, V>): void {
    const { timestamp } = record;
    const rows = this.store.rows(record.key);
    let start = timestamp;
    let end = timestamp;
    const met = rows.length === 0 ? none : this.met(rows, timestamp);
    for (const session of met) {
      if (session.start < start) start = session.start;
      if (session.end > end) end = session.end;
    }
    if (this.open.accepts(end, this.eventTime.value)) this.update(record, rows, met, new WindowedKey(record.key, start, end));
    else this.refuse(record, start, end);
  }

  /** The sessions that are seen and not further than the gap away, in order. Written so that nothing exceeds 2^53. */
  private met(rows: readonly Row<A>[], timestamp: number): readonly Row<A>[] {
    const { gap } = this;
    const hidden = this.hiddenUpTo();
    let met: Row<A>[] | undefined;
    for (const row of rows) {
      if (row.end > hidden && row.end >= timestamp - gap && row.start - gap <= timestamp) (met ??= []).push(row);
    }
    return met ?? none;
  }

  /** What retention hides is not met, as in Kafka Streams; but nothing that event time leaves open is hidden. */
  private hiddenUpTo(): number {
    const { invisibleUpTo } = this.store;
    const passed = this.open.now() - this.retention;
    return passed < invisibleUpTo ? passed : invisibleUpTo;
  }

  private update(record: KafkaRecord<K, V>, rows: readonly Row<A>[], met: readonly Row<A>[], session: WindowedKey<K>): void {
    const { merge } = this;
    let aggregate: A | null | undefined = undefined;
    for (const { value } of met) aggregate = merge(aggregate, value) ?? null;
    const result = this.fold.next(aggregate as A | undefined, record) ?? null;

    const { start, end } = session;
    const others = rows.length === 0 ? [] : this.others(rows, met, start, end);
    if (result !== null) insert(others, new Row(start, end, result, record.timestamp));
    else this.store.wrote(end);
    this.store.replace(session.key, others, record.timestamp);

    const { emit } = this.open;
    if (emit === 'close') return;
    // Without headers, as Kafka Streams has it: an update belongs to no single record.
    this.origin = withoutHeaders(record.origin);
    if (emit === 'update') this.emitUpdate(record, met, session, result);
    else this.emitChange(met, session, result);
  }

  /** What stays of a key's rows beside the session. */
  private others(rows: readonly Row<A>[], met: readonly Row<A>[], start: number, end: number): Row<A>[] {
    const dropped = this.open.droppableBefore();
    const others: Row<A>[] = [];
    for (const row of rows) {
      if (row.end >= dropped && (row.start !== start || row.end !== end) && !met.includes(row)) others.push(row);
    }
    return others;
  }

  /** Whatever was merged is taken back, even where the bounds stay; a session of one instant is overwritten. */
  private emitUpdate({ timestamp }: KafkaRecord<K, V>, met: readonly Row<A>[], session: WindowedKey<K>, result: A | null): void {
    if (session.start !== timestamp || session.end !== timestamp) for (const row of met) this.retract(session.key, row);
    this.send(session, result);
  }

  private emitChange(met: readonly Row<A>[], session: WindowedKey<K>, result: A | null): void {
    let before: A | undefined;
    for (const row of met) {
      if (row.start === session.start && row.end === session.end) before = row.value;
      else this.retract(session.key, row);
    }
    if (changesBytes(this.store.shape.value, before, result)) this.send(session, result);
  }

  private retract(key: K, { start, end }: Row<A>): void {
    this.send(new WindowedKey(key, start, end), null);
  }

  private send(session: WindowedKey<K>, value: A | null): void {
    this.open.destination.next(KafkaRecord.of(session, value as A, session.end, this.origin));
  }

  private refuse(record: KafkaRecord<K, V>, start: number, end: number): void {
    this.lateRecords.value += 1;
    this.late?.next(lateRecord(record, { start, end }, this.eventTime.value));
  }

  private check(by: SessionWindows): void {
    checkSameWindows(this.open.operator, by, this.store.shape);
    this.checked = by;
  }
}

/** Into rows by end, then start. */
function insert<A>(rows: Row<A>[], row: Row<A>): void {
  let at = rows.length;
  while (at > 0 && isBehind(rows[at - 1]!, row)) at--;
  rows.splice(at, 0, row);
}

function isBehind(a: Row<unknown>, b: Row<unknown>): boolean {
  return a.end === b.end ? a.start > b.start : a.end > b.end;
}
