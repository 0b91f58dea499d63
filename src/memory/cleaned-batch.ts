import { compress, type Compression } from '../kafka/compression';
import { attribute, type BatchHeader, layout, LENGTH_FROM, writeBatchCrc } from '../kafka/record-batch';

export interface KeptRecord {
  readonly timestamp: number;
  /** Its bytes from the offset on. */
  readonly fromOffset: Buffer;
}

const WITHOUT_RECORDS = attribute.logAppendTime | attribute.transactional | attribute.control;
/** What cannot be written here again (snappy, zstd) is kept unpacked. */
const COMPRESSIONS: Readonly<Record<number, Compression>> = { 1: 'gzip', 3: 'lz4' };

function varlong(value: number): Buffer {
  const bytes: number[] = [];
  let left = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(left)]);
}

function recordBytes({ timestamp, fromOffset }: KeptRecord, baseTimestamp: number): Buffer[] {
  const delta = varlong(timestamp - baseTimestamp);
  return [varlong(1 + delta.length + fromOffset.length), Buffer.of(0), delta, fromOffset];
}

interface NewHeader {
  readonly attributes: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly recordCount: number;
}

/** Offsets, producer and sequence stay: the next to write, and whoever looks for a position, must find them as they were. */
function rewritten(original: Buffer, header: NewHeader, records: Buffer): Buffer {
  const bytes = Buffer.concat([original.subarray(0, layout.records), records]);
  bytes.writeInt32BE(bytes.length - LENGTH_FROM, layout.length);
  bytes.writeInt16BE(header.attributes, layout.attributes);
  bytes.writeBigInt64BE(BigInt(header.baseTimestamp), layout.baseTimestamp);
  bytes.writeBigInt64BE(BigInt(header.maxTimestamp), layout.maxTimestamp);
  bytes.writeInt32BE(header.recordCount, layout.recordCount);
  writeBatchCrc(bytes, 0, bytes.length);
  return bytes;
}

/**
 * The batch with some of its records. With a delete horizon, from which on its tombstones or its marker may go, that stands where the base
 * timestamp stood, and the records' times are written as differences from it (KIP-534).
 */
export function batchOfKept(header: BatchHeader, original: Buffer, kept: readonly KeptRecord[], deleteHorizonMs?: number): Buffer {
  const baseTimestamp = deleteHorizonMs ?? kept[0]!.timestamp;
  const times = kept.map(({ timestamp }) => timestamp);
  const maxTimestamp = (header.attributes & attribute.logAppendTime) === 0 ? Math.max(...times) : header.maxTimestamp;
  const plain = Buffer.concat(kept.flatMap((record) => recordBytes(record, baseTimestamp)));
  const { bits, packed } = compress(COMPRESSIONS[header.attributes & attribute.compression] ?? 'none', plain, '');
  const horizon = deleteHorizonMs === undefined ? 0 : attribute.deleteHorizon;
  const attributes = (header.attributes & WITHOUT_RECORDS) | bits | horizon;
  return rewritten(original, { attributes, baseTimestamp, maxTimestamp, recordCount: kept.length }, packed);
}

/** What is left of a batch when its offsets or its producer's sequence must not be lost with its records. */
export function emptiedBatch({ attributes, maxTimestamp }: BatchHeader, original: Buffer): Buffer {
  return rewritten(
    original,
    { attributes: attributes & WITHOUT_RECORDS, baseTimestamp: -1, maxTimestamp, recordCount: 0 },
    Buffer.alloc(0),
  );
}
