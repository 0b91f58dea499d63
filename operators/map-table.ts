import type { Table } from '../src/model/table';
import { deriveTable, type DerivedTableOptions } from './table/derive-table';

/**
 * The table with each row replaced by what `map` makes of it.
 *
 * ```text
 * changes of table   --a1---a2---a∅--|      map: doubled
 * changes of result  --a2---a4---a∅--|
 * ```
 * One change for each, with its key, timestamp and headers; deletions pass as they are, without a call of `map`. `map` must be pure: it is
 * called again whenever a row is looked up, unless a `store` keeps the results. A row it gives null for is none.
 *
 * @throws CONFIG for what is no table; PROCESSING in the stream when `map` throws
 * @example
 * stream(orders).pipe(joinTable(mapTable(table(profiles), ({ name }) => name), (order, name) => ({ ...order, name })), to(named));
 * @see docs/joins.md
 */
export function mapTable<K, V, V2>(
  table: Table<K, V>,
  map: (value: V, key: K) => V2,
  options: DerivedTableOptions<K, V2> = {},
): Table<K, V2> {
  return deriveTable('mapTable', table, { row: map, passesVainDeletions: true }, options);
}
