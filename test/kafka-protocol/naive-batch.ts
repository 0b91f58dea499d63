import { crc32c } from '@node-rs/crc32';

/** A record batch written the slow and plain way, byte by byte with bigints: what the codec in src/kafka is compared with. */
export interface NaiveRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly (readonly [string, Uint8Array | null])[];
}

export interface NaiveBatch {
  readonly baseOffset: number;
  /** Default: that of the last record; larger when compaction has taken the last ones. */
  readonly lastOffset?: number;
  readonly records: readonly NaiveRecord[];
  readonly producerId?: bigint;
  readonly transactional?: boolean;
  readonly control?: boolean;
  readonly logAppendTime?: boolean;
  readonly maxTimestamp?: number;
  readonly baseTimestamp?: number;
  /** The codec's number and the packing itself. */
  readonly compression?: { readonly bits: number; readonly pack: (records: Buffer) => Buffer };
}

function varint(value: number | bigint): Buffer {
  let raw = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  for (; raw > 0x7fn; raw >>= 7n) bytes.push(Number(raw & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(raw)]);
}

function field(bytes: Uint8Array | null): Buffer {
  return bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes]);
}

function recordBytes(record: NaiveRecord, baseOffset: number, baseTimestamp: number): Buffer {
  const headers = record.headers ?? [];
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(BigInt(record.timestamp) - BigInt(baseTimestamp)),
    varint(record.offset - baseOffset),
    field(record.key),
    field(record.value),
    varint(headers.length),
    ...headers.flatMap(([name, value]) => [field(Buffer.from(name)), field(value)]),
  ]);
  return Buffer.concat([varint(body.length), body]);
}

export function naiveBatch(batch: NaiveBatch): Buffer {
  const baseTimestamp = batch.baseTimestamp ?? batch.records[0]?.timestamp ?? 0;
  const lastOffset = batch.lastOffset ?? batch.records.at(-1)?.offset ?? batch.baseOffset;
  const plain = Buffer.concat(batch.records.map((record) => recordBytes(record, batch.baseOffset, baseTimestamp)));
  const records = batch.compression === undefined ? plain : batch.compression.pack(plain);
  const header = Buffer.alloc(61);
  header.writeBigInt64BE(BigInt(batch.baseOffset), 0);
  header.writeInt32BE(49 + records.length, 8);
  header[16] = 2;
  const flags = (batch.logAppendTime ? 8 : 0) | (batch.transactional ? 16 : 0) | (batch.control ? 32 : 0);
  header.writeInt16BE(flags | (batch.compression?.bits ?? 0), 21);
  header.writeInt32BE(lastOffset - batch.baseOffset, 23);
  header.writeBigInt64BE(BigInt(baseTimestamp), 27);
  header.writeBigInt64BE(BigInt(batch.maxTimestamp ?? Math.max(0, ...batch.records.map(({ timestamp }) => timestamp))), 35);
  header.writeBigInt64BE(batch.producerId ?? -1n, 43);
  header.writeInt32BE(batch.records.length, 57);
  const bytes = Buffer.concat([header, records]);
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17);
  return bytes;
}

/** The batch that ends a transaction. */
export function naiveMarker(offset: number, producerId: bigint, type: 'abort' | 'commit'): Buffer {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]);
  const record = { offset, timestamp: 0, key, value: Buffer.from([0, 0, 0, 0, 0, 0]) };
  return naiveBatch({ baseOffset: offset, records: [record], producerId, transactional: true, control: true });
}
