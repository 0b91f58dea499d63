import { asBuffer, readLatin1 } from '../codec/utf8';
import type { BatchReader } from '../kafka/batch-decode';
import { ByteSlab } from './byte-slab';
import type { BytesOperation } from './port';
import { diskValue, type StoreLayout } from './store-layout';

/** What records of a changelog mean for the disk, and how many there were. */
export interface RestoringBatch {
  readonly operations: BytesOperation[];
  readonly records: number;
}

/** The last value of each key in what the reader has. @throws what `foreignKey` gives for a record that is none of this changelog's */
export function restoreEntries(layout: StoreLayout, reader: BatchReader, foreignKey: () => Error): RestoringBatch {
  const slab = new ByteSlab();
  const places = new Map<string, number>();
  const operations: BytesOperation[] = [];
  let records = 0;
  while (reader.nextRecord()) {
    records++;
    const diskKey = reader.keyStart < 0 ? undefined : layout.fromChangelog(reader.buffer, reader.keyStart, reader.keyEnd, slab);
    if (diskKey === undefined) throw foreignKey();
    const key = asBuffer(diskKey);
    const identity = readLatin1(key, 0, key.length);
    const place = places.get(identity);
    if (place === undefined) {
      places.set(identity, operations.length);
      operations.push(operationOf(reader, key, slab));
    } else operations[place] = operationOf(reader, key, slab);
  }
  return { operations, records };
}

function operationOf(reader: BatchReader, key: Buffer, slab: ByteSlab): BytesOperation {
  const { buffer, valueStart, valueEnd, timestamp } = reader;
  if (valueStart < 0) return { type: 'delete', key };
  return { type: 'put', key, value: diskValue(slab, buffer.subarray(valueStart, valueEnd), timestamp) };
}
