import { asBuffer, readLatin1 } from '../codec/utf8';
import type { BatchReader } from '../kafka/batch-decode';
import { ByteSlab } from './byte-slab';
import type { BytesOperation } from './port';
import type { RestoringBatch } from './restore-entries';
import { diskValue, type StoreLayout } from './store-layout';

/** What a record of a table's topic says. */
export interface TableRow {
  readonly key: string | Uint8Array;
  /** null: the row is deleted. */
  readonly value: Uint8Array | null;
  readonly timestamp: number;
}

/** The row of the record that the reader has just read; undefined: it says nothing of any. */
export type ReadRow = (reader: BatchReader) => TableRow | undefined;

/** The last row of each key in what the reader has. */
export function restoreTable(layout: StoreLayout, reader: BatchReader, rowOf: ReadRow): RestoringBatch {
  const slab = new ByteSlab();
  const operations = new Map<string, BytesOperation>();
  let records = 0;
  while (reader.nextRecord()) {
    const row = rowOf(reader);
    if (row === undefined) continue;
    records++;
    const key = asBuffer(layout.diskKey(row.key, 0, slab));
    const operation: BytesOperation =
      row.value === null ? { type: 'delete', key } : { type: 'put', key, value: diskValue(slab, row.value, row.timestamp) };
    operations.set(readLatin1(key, 0, key.length), operation);
  }
  return { operations: [...operations.values()], records };
}
