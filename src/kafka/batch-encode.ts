import { copyBytes } from '../codec/copy-bytes';
import { writeInt64 } from '../codec/int64-bytes';
import { writeAscii, writeUtf8 } from '../codec/utf8';
import { MillraceError } from '../errors/millrace-error';
import { compress, type Compression } from './compression';
import type { TopicPartition } from './port';
import { attribute, layout, LENGTH_FROM, MAGIC, writeBatchCrc } from './record-batch';

/** In order of writing; names may repeat in an array. */
export type HeadersToWrite = ReadonlyMap<string, Uint8Array> | readonly (readonly [string, Uint8Array])[];

/** One finished batch. Its CRC holds only after `stamp`, which also names the producer. */
export interface EncodedBatch {
  readonly bytes: Buffer;
  readonly recordCount: number;
}

export interface BatchOptions {
  readonly compression: Compression;
  readonly transactional: boolean;
}

/** A place `truncate` can go back to. Belongs to the builder that gave it, until that is finished. */
export interface BatchMark {
  readonly at: number;
  readonly count: number;
  readonly maxTimestamp: number;
}

const NO_HEADERS: HeadersToWrite = [];
const FIRST_CAPACITY = 1024;

/** Texts longer than this are measured before they are written; shorter ones are taken for ASCII until one is not. */
const LONGEST_GUESS = 4096;

/** Zigzag of an int32 on the wire: bytes it takes. */
function sizeOfVarint(value: number): number {
  const raw = ((value << 1) ^ (value >> 31)) >>> 0;
  return raw < 0x80 ? 1 : raw < 0x4000 ? 2 : raw < 0x20_0000 ? 3 : raw < 0x1000_0000 ? 4 : 5;
}

/** Differences of timestamps lie within ±2^53; from ±2^52 on their zigzag is no safe integer and is counted as a bigint. */
function zigzag(delta: number): number | bigint {
  if (delta >= 2 ** 52) return BigInt(delta) * 2n;
  if (delta <= -(2 ** 52)) return BigInt(delta) * -2n - 1n;
  return delta >= 0 ? delta * 2 : delta * -2 - 1;
}

function sizeOfVarlong(delta: number): number {
  if (delta < 0x2000_0000 && delta >= -0x2000_0000) return sizeOfVarint(delta);
  let size = 1;
  for (let rest = BigInt(zigzag(delta)); rest > 0x7fn; rest >>= 7n) size++;
  return size;
}

function sizeOfBytes(length: number): number {
  return length < 0 ? 1 : sizeOfVarint(length) + length;
}

function sizeOfHeaders(headers: HeadersToWrite): number {
  const count = headerCount(headers);
  if (count === 0) return 1;
  let size = sizeOfVarint(count);
  for (const [name, value] of headers) size += sizeOfBytes(Buffer.byteLength(name)) + sizeOfBytes(value.length);
  return size;
}

function headerCount(headers: HeadersToWrite): number {
  return 'size' in headers ? headers.size : headers.length;
}

function byteLengthOf(bytes: string | Uint8Array | null): number {
  return bytes === null ? -1 : typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
}

/**
 * One open batch: records are written into one growing buffer as they come. Their order is that of their offsets; timestamps may
 * decrease.
 */
export class BatchBuilder {
  count = 0;
  private buffer: Buffer;
  private at: number = layout.records;
  private baseTimestamp = 0;
  private maxTimestamp = 0;
  /** Whether the last texts were ASCII alone: then the next are written without being measured. */
  private ascii = true;

  constructor(capacity: number = FIRST_CAPACITY) {
    this.buffer = Buffer.allocUnsafeSlow(Math.max(capacity, layout.records));
  }

  /** Size of the batch so far, header included, not compressed. */
  get size(): number {
    return this.at;
  }

  /**
   * Appends a record and gives the bytes it took; 0 if the batch would become larger than `limit` bytes, and then nothing has
   * changed.
   * @throws INVALID_TIMESTAMP unless the timestamp is a whole number of ms from 0 to 2^53 - 1
   */
  append(
    timestamp: number,
    key: string | Uint8Array | null,
    value: string | Uint8Array | null,
    headers: HeadersToWrite = NO_HEADERS,
    limit: number = Infinity,
  ): number {
    checkTimestamp(timestamp);
    const start = this.at;
    const delta = this.count === 0 ? 0 : timestamp - this.baseTimestamp;
    let written = -1;
    if (this.ascii) written = this.writeGuessed(delta, key, value, headers, limit);
    if (written < 0) written = this.writeMeasured(delta, key, value, headers, limit);
    if (written === 0) return 0;
    if (this.count === 0) this.baseTimestamp = this.maxTimestamp = timestamp;
    else if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp;
    this.count++;
    this.at = start + written;
    return written;
  }

  /** The bytes `append` would take for this record now. */
  sizeOf(
    timestamp: number,
    key: string | Uint8Array | null,
    value: string | Uint8Array | null,
    headers: HeadersToWrite = NO_HEADERS,
  ): number {
    const delta = this.count === 0 ? 0 : timestamp - this.baseTimestamp;
    const length = this.sizeOfBody(delta, byteLengthOf(key), byteLengthOf(value), headers);
    return sizeOfVarint(length) + length;
  }

  mark(): BatchMark {
    return { at: this.at, count: this.count, maxTimestamp: this.maxTimestamp };
  }

  /** Takes back what was appended since `mark`. */
  truncate(mark: BatchMark): void {
    this.at = mark.at;
    this.count = mark.count;
    this.maxTimestamp = mark.maxTimestamp;
  }

  /** Closes the batch, which must not be empty; the builder is of no use after it. */
  finish(options: BatchOptions, topic = ''): EncodedBatch {
    const records = this.buffer.subarray(layout.records, this.at);
    const { bits, packed } = compress(options.compression, records, topic);
    const bytes = packed === records ? this.buffer.subarray(0, this.at) : Buffer.allocUnsafeSlow(layout.records + packed.length);
    if (packed !== records) packed.copy(bytes, layout.records);
    writeInt64(bytes, 0, layout.baseOffset);
    bytes.writeInt32BE(bytes.length - LENGTH_FROM, layout.length);
    bytes.writeInt32BE(-1, layout.leaderEpoch);
    bytes[layout.magic] = MAGIC;
    bytes.writeInt16BE(bits | (options.transactional ? attribute.transactional : 0), layout.attributes);
    bytes.writeInt32BE(this.count - 1, layout.lastOffsetDelta);
    writeInt64(bytes, this.baseTimestamp, layout.baseTimestamp);
    writeInt64(bytes, this.maxTimestamp, layout.maxTimestamp);
    bytes.writeInt32BE(this.count, layout.recordCount);
    bytes.writeUInt32BE(0, layout.crc);
    bytes.fill(0xff, layout.producerId, layout.recordCount); // no producer: -1 in each field
    return { bytes, recordCount: this.count };
  }

  /** Writes the record as if its texts were ASCII; -1 if they are not, or too long to try. */
  private writeGuessed(
    delta: number,
    key: string | Uint8Array | null,
    value: string | Uint8Array | null,
    headers: HeadersToWrite,
    limit: number,
  ): number {
    const keyLength = key === null ? -1 : key.length;
    const valueLength = value === null ? -1 : value.length;
    if (keyLength + valueLength > LONGEST_GUESS) return -1;
    const length = this.sizeOfBody(delta, keyLength, valueLength, headers);
    const total = sizeOfVarint(length) + length;
    const start = this.at;
    if (start + total > limit) return 0;
    this.reserve(total + 2 * (keyLength + valueLength + 2)); // what is not ASCII takes up to 3 bytes a character
    this.writeStart(length, delta);
    if (this.writeAsciiField(key) && this.writeAsciiField(value)) {
      this.writeHeaders(headers);
      return total;
    }
    this.at = start;
    this.ascii = false;
    return -1;
  }

  private writeMeasured(
    delta: number,
    key: string | Uint8Array | null,
    value: string | Uint8Array | null,
    headers: HeadersToWrite,
    limit: number,
  ): number {
    const keyLength = byteLengthOf(key);
    const valueLength = byteLengthOf(value);
    const length = this.sizeOfBody(delta, keyLength, valueLength, headers);
    const total = sizeOfVarint(length) + length;
    if (this.at + total > limit) return 0;
    this.reserve(total);
    this.writeStart(length, delta);
    this.writeField(key, keyLength);
    this.writeField(value, valueLength);
    this.writeHeaders(headers);
    this.ascii = keyLength === (key?.length ?? -1) && valueLength === (value?.length ?? -1);
    return total;
  }

  private sizeOfBody(delta: number, keyLength: number, valueLength: number, headers: HeadersToWrite): number {
    return (
      1 +
      sizeOfVarlong(delta) +
      sizeOfVarint(this.count) +
      sizeOfBytes(keyLength) +
      sizeOfBytes(valueLength) +
      (headers === NO_HEADERS ? 1 : sizeOfHeaders(headers))
    );
  }

  private writeStart(length: number, delta: number): void {
    this.writeVarint(length);
    this.buffer[this.at++] = 0; // attributes
    if (delta < 0x2000_0000 && delta >= -0x2000_0000) this.writeVarint(delta);
    else this.writeVarlong(delta);
    this.writeVarint(this.count);
  }

  private writeAsciiField(bytes: string | Uint8Array | null): boolean {
    if (typeof bytes !== 'string') {
      this.writeField(bytes, bytes === null ? -1 : bytes.length);
      return true;
    }
    this.writeVarint(bytes.length);
    if (!writeAscii(bytes, this.buffer, this.at)) return false;
    this.at += bytes.length;
    return true;
  }

  private writeField(bytes: string | Uint8Array | null, length: number): void {
    this.writeVarint(length);
    if (bytes === null) return;
    if (typeof bytes === 'string') writeUtf8(bytes, this.buffer, this.at, length);
    else copyBytes(bytes, this.buffer, this.at);
    this.at += length;
  }

  private writeHeaders(headers: HeadersToWrite): void {
    const count = headerCount(headers);
    this.writeVarint(count);
    if (count === 0) return;
    for (const [name, value] of headers) {
      this.writeField(name, Buffer.byteLength(name));
      this.writeField(value, value.length);
    }
  }

  private writeVarint(value: number): void {
    const { buffer } = this;
    let raw = ((value << 1) ^ (value >> 31)) >>> 0;
    let at = this.at;
    while (raw > 0x7f) {
      buffer[at++] = (raw & 0x7f) | 0x80;
      raw >>>= 7;
    }
    buffer[at++] = raw;
    this.at = at;
  }

  private writeVarlong(delta: number): void {
    let raw = BigInt(zigzag(delta));
    for (; raw > 0x7fn; raw >>= 7n) this.buffer[this.at++] = Number(raw & 0x7fn) | 0x80;
    this.buffer[this.at++] = Number(raw);
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(larger, 0, 0, this.at);
    this.buffer = larger;
  }
}

function checkTimestamp(timestamp: number): void {
  if (Number.isSafeInteger(timestamp) && timestamp >= 0) return;
  throw new MillraceError('INVALID_TIMESTAMP', `a record's timestamp is a whole number of ms from 0 to 2^53 - 1, not ${timestamp}`);
}

/**
 * Makes a batch ready for one attempt: producer, sequence of its first record, CRC. In place, and again for the next attempt;
 * never while the bytes of an earlier one may still be on their way out.
 */
export function stamp(batch: EncodedBatch, producerId: bigint, producerEpoch: number, sequence: number): void {
  const { bytes } = batch;
  bytes.writeBigInt64BE(producerId, layout.producerId);
  bytes.writeInt16BE(producerEpoch, layout.producerEpoch);
  bytes.writeInt32BE(sequence, layout.baseSequence);
  writeBatchCrc(bytes, 0, bytes.length);
}

export interface BatchLimits {
  /** The topic's `max.message.bytes`: the size of a batch, header included. Counted before compression. */
  readonly maxBytes: number;
  /** Default no limit; 1 finds out which record a broker refuses. */
  readonly maxRecords?: number;
}

/** A place in the batches of one partition that `truncate` can go back to, until they are drained. */
export interface BatchesMark {
  readonly batches: number;
  readonly last: BatchMark | undefined;
  readonly records: number;
  readonly bytes: number;
}

/** What is to be written to one partition, in batches that each stay below the topic's limit. */
export class PartitionBatches {
  /** Records appended since the last drain. */
  recordCount = 0;
  /** Bytes of the batches, headers included, not compressed. */
  bytes = 0;
  private builders: BatchBuilder[] = [];
  private capacity = FIRST_CAPACITY;
  private readonly maxRecords: number;

  constructor(
    readonly source: TopicPartition,
    private readonly limits: BatchLimits,
  ) {
    this.maxRecords = limits.maxRecords ?? Infinity;
  }

  get isEmpty(): boolean {
    return this.recordCount === 0;
  }

  /**
   * @throws RECORD_TOO_LARGE when a batch with this record alone is above `maxBytes`, INVALID_TIMESTAMP; nothing has changed then
   */
  append(timestamp: number, key: string | Uint8Array | null, value: string | Uint8Array | null, headers?: HeadersToWrite): void {
    const { maxBytes } = this.limits;
    const open = this.builders[this.builders.length - 1];
    let written = 0;
    if (open !== undefined && open.count < this.maxRecords) written = open.append(timestamp, key, value, headers, maxBytes);
    if (written === 0) written = this.appendToNew(timestamp, key, value, headers);
    this.bytes += written;
    this.recordCount++;
  }

  mark(): BatchesMark {
    return { batches: this.builders.length, last: this.builders.at(-1)?.mark(), records: this.recordCount, bytes: this.bytes };
  }

  /** Takes back what was appended since `mark`. */
  truncate(mark: BatchesMark): void {
    this.builders.length = mark.batches;
    if (mark.last !== undefined) this.builders.at(-1)?.truncate(mark.last);
    this.recordCount = mark.records;
    this.bytes = mark.bytes;
  }

  /** Gives all batches, oldest first, and begins anew; earlier marks are void. */
  drain(options: BatchOptions): EncodedBatch[] {
    const batches = this.builders.map((builder) => builder.finish(options, this.source.topic));
    // The next round is likely to be as large as this one.
    this.capacity = Math.min(this.limits.maxBytes, Math.max(FIRST_CAPACITY, this.builders.at(0)?.size ?? 0));
    this.builders = [];
    this.recordCount = 0;
    this.bytes = 0;
    return batches;
  }

  private appendToNew(
    timestamp: number,
    key: string | Uint8Array | null,
    value: string | Uint8Array | null,
    headers: HeadersToWrite | undefined,
  ): number {
    const builder = new BatchBuilder(this.capacity);
    const written = builder.append(timestamp, key, value, headers, this.limits.maxBytes);
    if (written === 0) throw this.tooLarge(builder.size + builder.sizeOf(timestamp, key, value, headers));
    this.builders.push(builder);
    return written + layout.records;
  }

  private tooLarge(size: number): MillraceError {
    const { topic } = this.source;
    const { maxBytes } = this.limits;
    const remedy = 'raise max.message.bytes of the topic, or write less';
    return new MillraceError('RECORD_TOO_LARGE', `a record for ${topic} takes ${size} bytes, the topic allows ${maxBytes}: ${remedy}`, {
      where: { ...this.source },
    });
  }
}
