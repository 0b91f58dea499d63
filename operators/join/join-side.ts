import type { NextObserver } from 'rxjs';
import type { KafkaRecord } from '../../src/model/record';
import { firstFrom, Joining, type JoinRow, LEFT, RIGHT, settledRow, type Side, withRow } from '../../src/state/join-rows';
import type { Counter } from '../../src/state/scope';
import { checkedTime } from '../windowed/assign-windows';
import { lateRecord } from '../windowed/late-record';
import type { OpenJoin } from './open-join';
import type { LateJoinRecord } from './options';
import type { Span } from './spans';

/** The records of one side: what they are counted as, whom they meet, and what is kept of them. */
export class JoinSide<K, L, R, J> {
  private readonly open: OpenJoin<K, L, R, J>;
  private readonly side: Side;
  private readonly other: Side;
  private readonly span: Span;
  private readonly comesAlone: boolean;
  private readonly late: NextObserver<LateJoinRecord<K, L, R>> | undefined;
  private readonly nullKeys: Counter;
  private readonly nullValues: Counter;
  private readonly lateRecords: Counter;

  /** @param isSecond the same records come to the other side as well, which has counted their nulls */
  constructor(open: OpenJoin<K, L, R, J>, side: Side, late: NextObserver<LateJoinRecord<K, L, R>> | undefined, isSecond: boolean) {
    const { scope } = open.store;
    this.open = open;
    this.side = side;
    this.other = side === LEFT ? RIGHT : LEFT;
    this.span = open.spans[side]!;
    this.comesAlone = open.alone.includes(side);
    this.late = late;
    const countOf = (reason: string): Counter => (isSecond ? { value: 0 } : scope.counter('dropped-records-total', open.operator, reason));
    this.nullKeys = countOf('null-key');
    this.nullValues = countOf('null-value');
    this.lateRecords = scope.counter('dropped-records-total', open.operator, 'late');
  }

  /** Moves event time. False: that is all there is to be done with it. */
  arrive(record: KafkaRecord<K, L | R>): boolean {
    const { open } = this;
    const { key, value, timestamp } = record;
    // Every record moves event time, whatever becomes of it.
    open.eventTime.observe(checkedTime(timestamp));
    if (value === null || value === undefined) {
      this.nullValues.value += 1;
      return false;
    }
    if (key === null || key === undefined) {
      if (this.comesAlone) open.emitAlone(this.side, key, value, timestamp, record.origin);
      else this.nullKeys.value += 1;
      return false;
    }
    if (timestamp === open.eventTime.value) open.close();
    return true;
  }

  /** Called once everything that has closed before has come out. */
  match(record: KafkaRecord<K, L | R>): void {
    const { open, span } = this;
    const age = open.eventTime.value - record.timestamp;
    const isLate = age > span.lateAfter;
    if (isLate) this.observeLate(record);
    if (isLate && !open.joinsLate) this.refuse(record);
    else this.meet(record, age > span.closesAfter);
  }

  private meet(record: KafkaRecord<K, L | R>, isClosed: boolean): void {
    const { open } = this;
    const { key, value, timestamp, origin } = record;
    const rows = open.store.rows(key);
    const partners = this.partnersIn(rows, timestamp);
    const isAlone = partners.length === 0 && this.comesAlone;
    // Before anything is emitted: what follows may come back as an input.
    this.keep(key, settled(rows, partners), timestamp, new Joining(this.side, value, isAlone && !isClosed));
    if (isAlone && isClosed) open.emitAlone(this.side, key, value, timestamp, origin);
    for (const partner of partners) {
      if (open.stopped()) return;
      const time = Math.max(timestamp, partner.start);
      const met = partner.value.value;
      if (this.side === LEFT) open.emitPair(key, value as L, met as R, time, origin);
      else open.emitPair(key, met as L, value as R, time, origin);
    }
  }

  private partnersIn(rows: readonly JoinRow<L | R>[], timestamp: number): readonly JoinRow<L | R>[] {
    const { open, other, span } = this;
    const partners: JoinRow<L | R>[] = [];
    for (let at = firstFrom(rows, timestamp - span.back); at < rows.length; at++) {
      const row = rows[at]!;
      if (row.start - timestamp > span.ahead) break;
      if (row.value.side !== other || (open.joinsLate && !open.shows(other, row.start))) continue;
      partners.push(row);
    }
    return partners;
  }

  private keep(key: K, rows: readonly JoinRow<L | R>[], timestamp: number, joining: Joining<L | R>): void {
    const { open, side } = this;
    const { store } = open;
    open.kept(side, timestamp);
    if (open.joinsLate && !open.shows(side, timestamp)) {
      if (rows !== store.rows(key)) store.replace(key, rows, timestamp);
      return;
    }
    store.replace(key, withRow(rows, timestamp, joining), timestamp);
    store.added(key, timestamp, joining);
  }

  private observeLate(record: KafkaRecord<K, L | R>): void {
    const { late, open, span, side } = this;
    if (late === undefined) return;
    const { timestamp } = record;
    const window = { start: Math.max(0, timestamp - span.back), end: timestamp + span.ahead };
    const described = { ...lateRecord(record, window, open.eventTime.value), side: side === LEFT ? 'left' : 'right' };
    late.next(described as LateJoinRecord<K, L, R>);
  }

  /** It meets nobody; but no record of a side that comes out alone is lost. */
  private refuse(record: KafkaRecord<K, L | R>): void {
    const { key, value, timestamp, origin } = record;
    if (this.comesAlone) this.open.emitAlone(this.side, key, value, timestamp, origin);
    else this.lateRecords.value += 1;
  }
}

/** The same rows, of which `met` wait no longer. */
function settled<V>(rows: readonly JoinRow<V>[], met: readonly JoinRow<V>[]): readonly JoinRow<V>[] {
  if (!met.some(({ value }) => value.waits)) return rows;
  const waiting = new Set(met.filter(({ value }) => value.waits));
  return rows.map((row) => (waiting.has(row) ? settledRow(row) : row));
}
