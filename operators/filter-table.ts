import type { Table } from '../src/model/table';
import { deriveTable, type DerivedTableOptions } from './table/derive-table';

/**
 * The table with only the rows for which `keep` is true.
 *
 * ```text
 * changes of table   --a1---a2---a1---a1--|      keep: > 1
 * changes of result  -------a2---a∅-------|
 * ```
 * A row that no longer passes is a deletion. A deletion of what was not there before is passed over, as far as that is known: where the
 * table keeps no rows it is emitted. Keys, timestamps and headers are those of the change. `keep` must be pure: it is called again whenever
 * a row is looked up, unless a `store` keeps the results.
 *
 * Without a store, the table of a topic that it filters keeps a changelog of its own: a topic may have been compacted beyond what has been
 * processed, and a row that is not known to have been there would never be deleted.
 *
 * @throws CONFIG for what is no table; PROCESSING in the stream when `keep` throws
 * @example
 * joinTable(filterTable(table(products), ({ price }) => price > 0), (order, product) => ({ ...order, price: product.price }))
 * @see docs/joins.md
 */
export function filterTable<K, V>(
  table: Table<K, V>,
  keep: (value: V, key: K) => boolean,
  options: DerivedTableOptions<K, NoInfer<V>> = {},
): Table<K, V> {
  const row = (value: V, key: K): V | undefined => (keep(value, key) ? value : undefined);
  return deriveTable('filterTable', table, { row, passesVainDeletions: false }, options);
}
