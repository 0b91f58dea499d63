import { readLatin1 } from '../codec/utf8';
import type { BatchReader } from '../kafka/batch-decode';
import { ByteSlab } from './byte-slab';
import type { BytesOperation, OrderedBytes } from './port';
import type { RestoringBatch } from './restore-entries';
import type { RowKind } from './row-kind';
import { decodeRows, type EncodedRow, encodeRows } from './rows';
import { diskValue, type StoreLayout, timestampOf, VALUE_AT } from './store-layout';

/** Where rows are restored to. */
export interface RowsOnDisk {
  readonly layout: StoreLayout;
  readonly kind: RowKind;
  readonly bytes: OrderedBytes;
}

/** All rows of one key while records of the changelog are applied to them. */
interface RestoredKey {
  readonly diskKey: Uint8Array;
  rows: EncodedRow[];
  timestamp: number;
}

/** Puts rows into the entries of their keys, or takes them out. @throws what `foreignKey` gives for a key that is none of this store's */
export function restoreRows(disk: RowsOnDisk, reader: BatchReader, foreignKey: () => Error): RestoringBatch {
  const keys = new Map<string, RestoredKey>();
  let records = 0;
  while (reader.nextRecord()) {
    records++;
    const keyEnd = reader.keyEnd - disk.kind.tail;
    if (reader.keyStart < 0 || keyEnd < reader.keyStart) throw foreignKey();
    const identity = readLatin1(reader.buffer, reader.keyStart, keyEnd);
    let key = keys.get(identity);
    if (key === undefined) keys.set(identity, (key = load(disk, reader.buffer.subarray(reader.keyStart, keyEnd))));
    apply(disk.kind, key, reader);
  }
  const slab = new ByteSlab();
  const operations = [...keys.values()].map((key) => operationOf(key, slab));
  return { operations, records };
}

function load({ layout, bytes }: RowsOnDisk, key: Uint8Array): RestoredKey {
  const diskKey = layout.keyBound(key, 0);
  const found = bytes.get(diskKey);
  if (found === undefined) return { diskKey, rows: [], timestamp: -1 };
  return { diskKey, rows: decodeRows(found, VALUE_AT), timestamp: timestampOf(found) };
}

function apply(kind: RowKind, key: RestoredKey, reader: BatchReader): void {
  const { buffer, keyEnd, valueStart, valueEnd, timestamp } = reader;
  const bounds = kind.boundsIn(buffer, keyEnd);
  key.timestamp = timestamp;
  key.rows = key.rows.filter((row) => kind.order(row, bounds) !== 0);
  if (valueStart < 0) return;
  const row: EncodedRow = { start: bounds.start, end: bounds.end, timestamp, value: Buffer.from(buffer.subarray(valueStart, valueEnd)) };
  const at = key.rows.findIndex((other) => kind.order(other, row) > 0);
  key.rows.splice(at < 0 ? key.rows.length : at, 0, row);
}

function operationOf({ diskKey, rows, timestamp }: RestoredKey, slab: ByteSlab): BytesOperation {
  if (rows.length === 0) return { type: 'delete', key: diskKey };
  return { type: 'put', key: diskKey, value: diskValue(slab, encodeRows(rows), timestamp) };
}
