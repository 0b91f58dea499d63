import type { OperatorFunction, Subscriber } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import type { Table } from '../src/model/table';
import type { Counter } from '../src/state/scope';
import { keptTableOf, type TableRuntime } from '../src/state/table';
import { receiveWithTable } from './meeting';
import type { Receiver } from './operator';

/** A row undefined: there is none (left joins only). */
type JoinRow<K, V, T, R> = (value: V, row: T, record: KafkaRecord<K, V>) => R;

export function joinTable<K, V, T, R>(
  table: Table<K, T>,
  join: JoinRow<K, V, T, R>,
  options?: { readonly kind?: 'inner' },
): OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, R>>;
export function joinTable<K, V, T, R>(
  table: Table<K, T>,
  join: JoinRow<K, V, T | undefined, R>,
  options: { readonly kind: 'left' },
): OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, R>>;
/**
 * Each record with the table's row of its key, as it is at that moment. Only the stream emits: a table that changes later changes nothing
 * that has been joined.
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
 * @throws CO_PARTITION when stream and table have different numbers of partitions; CONFIG for a table that keeps no rows; PROCESSING in the
 *   stream when `join` throws
 * @example
 * stream(orders).pipe(joinTable(table(profiles), (order, profile) => ({ ...order, name: profile.name })), to(named));
 */
export function joinTable<K, V, T, R>(
  table: Table<K, T>,
  join: JoinRow<K, V, T, R> | JoinRow<K, V, T | undefined, R>,
  { kind = 'inner' }: { readonly kind?: 'inner' | 'left' } = {},
): OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, R>> {
  const operator = 'joinTable';
  const rows = keptTableOf(table, operator);
  const withRow = join as JoinRow<K, V, T | undefined, R>;
  return receiveWithTable(operator, { name: rows.name, updates: table.updates }, (destination) => {
    return new JoinWithRow(operator, rows, withRow, kind === 'left', destination);
  });
}

class JoinWithRow<K, V, T, R> implements Receiver<KafkaRecord<K, V>> {
  private readonly nullKeys: Counter;
  private readonly nullValues: Counter;

  constructor(
    operator: string,
    private readonly rows: TableRuntime<K, T>,
    private readonly join: JoinRow<K, V, T | undefined, R>,
    private readonly isLeft: boolean,
    private readonly destination: Subscriber<KafkaRecord<K, R>>,
  ) {
    this.nullKeys = rows.scope.counter('dropped-records-total', operator, 'null-key');
    this.nullValues = rows.scope.counter('dropped-records-total', operator, 'null-value');
  }

  receive(record: KafkaRecord<K, V>): void {
    const { key, value } = record;
    if (value === null || value === undefined) {
      this.nullValues.value += 1;
      return;
    }
    const isKeyless = key === null || key === undefined;
    if (isKeyless && !this.isLeft) {
      this.nullKeys.value += 1;
      return;
    }
    const row = isKeyless ? undefined : this.rows.find(key)?.value;
    if (row === undefined && !this.isLeft) return;
    const { join } = this;
    this.destination.next(record.withValue(join(value, row, record)));
  }
}
