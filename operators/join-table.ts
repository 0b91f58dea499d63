import type { OperatorFunction } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import type { BufferStore } from '../src/model/buffer';
import type { Table } from '../src/model/table';
import type { BufferRuntime } from '../src/state/buffer-entries';
import { keptTableOf } from '../src/state/table';
import { JoinInTime } from './join-table/join-in-time';
import { checkGrace, type JoinGrace, type JoinRow, type NoGrace, optionError } from './join-table/options';
import { RowJoin } from './join-table/row-join';
import { receiveWithTable } from './meeting';
import { runtimeOf } from './operator';

const operator = 'joinTable';

/**
 * Each record with the table's row of its key: as it is at that moment, or, if the table has a history, as it was at the record's time. Only
 * the stream emits: a table that changes later changes nothing that has been joined.
 *
 * ```text
 * stream  --a1----a2----b3--|
 * table   ----aX------aY----|
 * inner   --------a2X-------|
 * left    --a1∅---a2X---b3∅-|
 * ```
 * One result for each record that has a row (inner) or for each (left: the row is undefined), in the order of the stream, with the
 * record's key, timestamp and headers. Dropped and counted (`dropped-records-total`): null values; null keys in an inner join, which a left
 * one joins with nothing. Records of both sides are taken in the order of their timestamps, among what has been read; `maxTaskIdle` says
 * how long one side waits for the other.
 *
 * With `grace` a record waits until event time is its time + grace, so that rows that come late are found; then it is joined with the row
 * that was valid at its time. Those that are due come by time, key bytes, arrival. A record that is older than event time - grace already is
 * joined at once, and so is one without a key. Event time is the greatest timestamp of the records that have waited, or the stream's
 * watermark; the table does not move it. What waits is durable, and stays when the stream completes.
 *
 * @throws CO_PARTITION when stream and table have different numbers of partitions; CONFIG for a table that keeps no rows, and for a grace
 *   without a history, beyond it, or without a buffer; PROCESSING in the stream when `join` throws; STORE_IN_USE when another operator has
 *   the buffer
 * @example
 * stream(orders).pipe(joinTable(table(profiles), (order, profile) => ({ ...order, name: profile.name })), to(named));
 *
 * const waiting = bufferStore('waiting-orders', { key: string, value: json(Order) });
 * const prices = table(priceChanges, { history: hours(1) });
 * stream(orders).pipe(joinTable(prices, priced, { grace: minutes(1), buffer: store(waiting) }), to(pricedOrders));
 * @see KIP-914, KIP-923
 */
export function joinTable<K, V, T, R>(
  table: Table<K, T>,
  join: JoinRow<K, V, T, R>,
  options?: { readonly kind?: 'inner' } & (NoGrace | JoinGrace<K, NoInfer<V>>),
): OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, R>>;
/** The same for every record: without a row `join` gets undefined. */
export function joinTable<K, V, T, R>(
  table: Table<K, T>,
  join: JoinRow<K, V, T | undefined, R>,
  options: { readonly kind: 'left' } & (NoGrace | JoinGrace<K, NoInfer<V>>),
): OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, R>>;
export function joinTable<K, V, T, R>(
  table: Table<K, T>,
  join: JoinRow<K, V, T, R> | JoinRow<K, V, T | undefined, R>,
  options: { readonly kind?: 'inner' | 'left'; readonly grace?: number | undefined; readonly buffer?: BufferStore<K, V> | undefined } = {},
): OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, R>> {
  const { kind = 'inner', grace, buffer } = options;
  const rows = keptTableOf(table, operator);
  const withRow = join as JoinRow<K, V, T | undefined, R>;
  const looked = { name: rows.name, updates: rows.updates };
  if (grace === undefined && buffer === undefined) {
    return receiveWithTable(operator, looked, (destination) => new RowJoin(operator, rows, withRow, kind === 'left', destination));
  }
  if (grace === undefined) throw optionError(operator, 'grace', 'is left out, but there is a buffer; say how long records wait in it');
  if (buffer === undefined)
    throw optionError(operator, 'buffer', 'is left out, but records wait; give it store(definition) of a bufferStore');
  checkGrace(operator, grace, rows);
  const waiting = runtimeOf(buffer, operator) as BufferRuntime<K, V>;
  const { shape } = waiting;
  if (shape.kind !== 'buffer') throw optionError(operator, 'buffer', `is the ${shape.kind} store "${shape.name}"; declare a bufferStore`);
  return receiveWithTable(
    operator,
    looked,
    (destination) => {
      const joining = new RowJoin(operator, rows, withRow, kind === 'left', destination);
      return new JoinInTime(operator, waiting, grace, joining, destination);
    },
    waiting,
  );
}
