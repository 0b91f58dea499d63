import type { OperatorFunction, Subscriber } from 'rxjs';
import { MillraceError } from '../src/errors/millrace-error';
import type { KafkaRecord, Placement } from '../src/model/record';
import type { Table } from '../src/model/table';
import type { Counter } from '../src/state/scope';
import { tableOf, type TableRuntime } from '../src/state/table';
import { type Project, type Receiver, receiveWithStores } from './operator';

type JoinRow<K, V, P extends Placement, T, R> = (value: V, row: T, record: KafkaRecord<K, V, P>) => R;

const operator = 'joinGlobalTable';

/**
 * Each record with the row of a global table that it refers to, wherever in the cluster record and row lie.
 *
 * ```text
 * stream  --a(x)---b(y)---a(x)--|       the table holds x: 1, later x: 2, and no y
 * inner   --a1------------a2----|
 * left    --a1-----b∅-----a2----|
 * ```
 * One result for each record that has a row (inner) or for each (left: the row is undefined), in the order of the stream, with the
 * record's key, timestamp and headers. Changes of the table emit nothing. Dropped and counted (`dropped-records-total`): null values;
 * records that refer to nothing (null from `key`), which a left join joins with nothing. The record itself needs no key.
 *
 * The row is the one that the instance has read last: outside the transaction, so that a record that is pushed again after a crash may meet
 * a newer one.
 *
 * @throws CONFIG for a table that is not global; PROCESSING in the stream when a function throws
 * @example
 * stream(orders).pipe(
 *   joinGlobalTable(globalTable(products), (order) => order.productId, (order, product) => ({ ...order, product: product.name })),
 *   to(named),
 * );
 * @see docs/joins.md
 */
export function joinGlobalTable<K, V, P extends Placement, G, T, R>(
  table: Table<G, T>,
  key: Project<K, V, P, NoInfer<G> | null>,
  join: JoinRow<K, V, P, T, R>,
  options?: { readonly kind?: 'inner' },
): OperatorFunction<KafkaRecord<K, V, P>, KafkaRecord<K, R, P>>;
/** The same for every record: without a row, or a key to look for, `join` gets undefined. */
export function joinGlobalTable<K, V, P extends Placement, G, T, R>(
  table: Table<G, T>,
  key: Project<K, V, P, NoInfer<G> | null>,
  join: JoinRow<K, V, P, T | undefined, R>,
  options: { readonly kind: 'left' },
): OperatorFunction<KafkaRecord<K, V, P>, KafkaRecord<K, R, P>>;
export function joinGlobalTable<K, V, P extends Placement, G, T, R>(
  table: Table<G, T>,
  key: Project<K, V, P, G | null>,
  join: JoinRow<K, V, P, T, R> | JoinRow<K, V, P, T | undefined, R>,
  { kind = 'inner' }: { readonly kind?: 'inner' | 'left' } = {},
): OperatorFunction<KafkaRecord<K, V, P>, KafkaRecord<K, R, P>> {
  const rows = tableOf(table, operator);
  if (rows.isGlobal !== true) throw notGlobal(rows.name);
  const withRow = join as JoinRow<K, V, P, T | undefined, R>;
  return receiveWithStores(operator, [], (destination: Subscriber<KafkaRecord<K, R, P>>) => {
    return new JoinWithGlobalRow(rows, key, withRow, kind === 'left', destination);
  });
}

function notGlobal(name: string): MillraceError {
  return new MillraceError(
    'CONFIG',
    `${operator}: the table "${name}" holds the rows of one partition; take task.globalTable, or use joinTable for rows of the record's own key`,
    { where: { operator } },
  );
}

class JoinWithGlobalRow<K, V, P extends Placement, G, T, R> implements Receiver<KafkaRecord<K, V, P>> {
  private readonly nullKeys: Counter;
  private readonly nullValues: Counter;

  constructor(
    private readonly rows: TableRuntime<G, T>,
    private readonly keyOf: Project<K, V, P, G | null>,
    private readonly join: JoinRow<K, V, P, T | undefined, R>,
    private readonly isLeft: boolean,
    private readonly destination: Subscriber<KafkaRecord<K, R, P>>,
  ) {
    this.nullKeys = rows.scope.counter('dropped-records-total', operator, 'null-key');
    this.nullValues = rows.scope.counter('dropped-records-total', operator, 'null-value');
  }

  receive(record: KafkaRecord<K, V, P>): void {
    const { keyOf, join } = this;
    const { value } = record;
    if (value === null || value === undefined) {
      this.nullValues.value += 1;
      return;
    }
    const key = keyOf(value, record);
    const refers = key !== null && key !== undefined;
    if (!refers && !this.isLeft) {
      this.nullKeys.value += 1;
      return;
    }
    const row = refers ? this.rows.find(key)?.value : undefined;
    if (row === undefined && !this.isLeft) return;
    this.destination.next(record.withValue(join(value, row, record)));
  }
}
