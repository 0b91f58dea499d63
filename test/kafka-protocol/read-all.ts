import { BatchReader, type BatchReaderOptions, type RecordSet, readHeaders } from '../../src/kafka/batch-decode';

export const SOURCE = { topic: 'clicks', partition: 3 };

export interface ReadRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: Readonly<Record<string, string>>;
}

/** Keys and values as latin1, so that any bytes can be compared. */
export function readAll(
  records: Buffer,
  set: Partial<RecordSet> = {},
  options: BatchReaderOptions = {},
): { records: ReadRecord[]; nextOffset: number } {
  const reader = new BatchReader(SOURCE, options);
  reader.reset(records, { aborted: [], from: 0, readCommitted: true, ...set });
  const read: ReadRecord[] = [];
  while (reader.nextRecord()) read.push(currentRecord(reader));
  return { records: read, nextOffset: reader.nextOffset };
}

export function currentRecord(reader: BatchReader): ReadRecord {
  const { buffer, keyStart, keyEnd, valueStart, valueEnd } = reader;
  const headers = readHeaders(buffer, reader.headersStart, reader.headerCount);
  return {
    offset: reader.offset,
    timestamp: reader.timestamp,
    key: keyStart < 0 ? null : buffer.toString('latin1', keyStart, keyEnd),
    value: valueStart < 0 ? null : buffer.toString('latin1', valueStart, valueEnd),
    headers: Object.fromEntries([...headers].map(([name, value]) => [name, Buffer.from(value).toString('latin1')])),
  };
}
