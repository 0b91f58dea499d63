import { crc32c } from '@node-rs/crc32';
import { readInt64 } from '../codec/int64-bytes';

/**
 * Record batch v2 (KIP-98), big-endian:
 *
 * ```text
 *  0 base offset i64       12 leader epoch i32   21 attributes i16         43 producer id i64      57 record count i32
 *  8 length i32            16 magic i8 = 2       23 last offset delta i32  51 producer epoch i16   61 records
 *    (bytes behind it)     17 CRC-32C u32        27 base timestamp i64     53 base sequence i32
 *                             of 21 … end        35 max timestamp i64
 * ```
 * A record: length varint · attributes i8 = 0 · timestamp delta varlong · offset delta varint · key length varint (-1: null), key ·
 * value likewise · header count varint, then each name and value with its length before it. All varints are zigzag.
 * With a codec set, the records are compressed as one block.
 * @see https://kafka.apache.org/documentation/#recordbatch
 */
export const layout = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61,
} as const;

/** What `length` does not count: base offset and itself. */
export const LENGTH_FROM = 12;
export const MAGIC = 2;

export const attribute = {
  compression: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
  /** The base timestamp is the time from which on compaction may remove the batch's tombstones, or its marker (KIP-534). */
  deleteHorizon: 0x40,
} as const;

/** Types of control records: the second int16 of their key. */
export const controlType = { abort: 0, commit: 1 } as const;

export interface BatchHeader {
  readonly baseOffset: number;
  /** Of the whole batch, header included. */
  readonly size: number;
  readonly leaderEpoch: number;
  readonly magic: number;
  readonly attributes: number;
  /** Of the last record the batch was written with, also when compaction has removed it. */
  readonly lastOffset: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

/** The header of the batch at `at`, of which 61 bytes must be there. */
export function readBatchHeader(buffer: Buffer, at = 0): BatchHeader {
  const baseOffset = readInt64(buffer, at + layout.baseOffset);
  return {
    baseOffset,
    size: LENGTH_FROM + buffer.readInt32BE(at + layout.length),
    leaderEpoch: buffer.readInt32BE(at + layout.leaderEpoch),
    magic: buffer.readInt8(at + layout.magic),
    attributes: buffer.readInt16BE(at + layout.attributes),
    lastOffset: baseOffset + buffer.readInt32BE(at + layout.lastOffsetDelta),
    baseTimestamp: readInt64(buffer, at + layout.baseTimestamp),
    maxTimestamp: readInt64(buffer, at + layout.maxTimestamp),
    producerId: buffer.readBigInt64BE(at + layout.producerId),
    producerEpoch: buffer.readInt16BE(at + layout.producerEpoch),
    baseSequence: buffer.readInt32BE(at + layout.baseSequence),
    recordCount: buffer.readInt32BE(at + layout.recordCount),
  };
}

/** The CRC-32C the batch from `start` to `end` should carry. */
export function batchCrc(buffer: Buffer, start: number, end: number): number {
  return crc32c(buffer.subarray(start + layout.attributes, end));
}

/** True when the batch's CRC is that of its bytes. */
export function crcHolds(buffer: Buffer, start: number, end: number): boolean {
  return buffer.readUInt32BE(start + layout.crc) === batchCrc(buffer, start, end);
}

/** Sets the CRC of the batch from `start` to `end`; the last thing to do to a batch. */
export function writeBatchCrc(buffer: Buffer, start: number, end: number): void {
  buffer.writeUInt32BE(batchCrc(buffer, start, end), start + layout.crc);
}
