import { readInt64 } from '../codec/int64-bytes';
import { readUtf8Lossy } from '../codec/utf8';
import { MillraceError } from '../errors/millrace-error';
import type { Origin } from '../model/origin';
import { decompress } from './compression';
import type { AbortedTransaction, TopicPartition } from './port';
import { attribute, controlType, crcHolds, layout, LENGTH_FROM, MAGIC } from './record-batch';

/** Reading moves this one cursor, so that no record needs an object of its own. No value of it outlives a call. */
let at = 0;

/** A zigzag varint of up to 32 bits. Behind the buffer's end it reads as 0: bounds are checked once a record. */
function readVarint(buffer: Buffer): number {
  let byte = buffer[at++]!;
  if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
  let raw = byte & 0x7f;
  for (let shift = 7; byte > 0x7f && shift < 35; shift += 7) {
    byte = buffer[at++]!;
    raw |= (byte & 0x7f) << shift;
  }
  return (raw >>> 1) ^ -(raw & 1);
}

/** A zigzag varint of up to 64 bits, as a double: differences of timestamps need more than the 32 bits that shifts have. */
function readVarlong(buffer: Buffer): number {
  const start = at;
  let byte = buffer[at++]!;
  let raw = byte & 0x7f;
  for (let shift = 7; byte > 0x7f && shift < 28; shift += 7) {
    byte = buffer[at++]!;
    raw |= (byte & 0x7f) << shift;
  }
  if (!(byte > 0x7f)) return (raw >>> 1) ^ -(raw & 1);
  let scale = 2 ** 28;
  for (let bytes = 4; byte > 0x7f && bytes < 10; bytes++) {
    byte = buffer[at++]!;
    raw += (byte & 0x7f) * scale;
    scale *= 0x80;
  }
  if (raw > Number.MAX_SAFE_INTEGER) return zigzagOfBigint(buffer, start);
  return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
}

function zigzagOfBigint(buffer: Buffer, start: number): number {
  let raw = 0n;
  for (let i = start; i < at; i++) raw |= BigInt(buffer[i]! & 0x7f) << BigInt(7 * (i - start));
  return Number(BigInt.asIntN(64, (raw >> 1n) ^ -(raw & 1n)));
}

export interface BatchReaderOptions {
  /** Compare each batch's CRC-32C with its bytes. Default true. */
  readonly checkCrc?: boolean;
}

export interface RecordSet {
  /** As the broker gave them; sorted here. */
  readonly aborted: readonly AbortedTransaction[];
  /** The offset asked for: a batch may begin before it. */
  readonly from: number;
  /** Leave out records of aborted transactions. */
  readonly readCommitted: boolean;
}

const NO_BYTES = Buffer.alloc(0);

/**
 * Walks the record set of one fetched partition, record by record, without an object per record: the fields describe the record
 * read (or looked ahead at) last. Control batches, aborted batches and records below `from` are passed over; a batch that is cut
 * off at the end is left for the next fetch.
 */
export class BatchReader {
  offset = -1;
  /** ms since the epoch; -1 when the producer gave none. */
  timestamp = -1;
  /** Places in `buffer`; a start of -1 is Kafka's null. */
  keyStart = -1;
  keyEnd = -1;
  valueStart = -1;
  valueEnd = -1;
  headersStart = 0;
  headerCount = 0;
  /** What the places speak of: the record set itself, or the unpacked records of one batch. */
  buffer: Buffer = NO_BYTES;
  /**
   * The position behind everything read so far, also when that was a control batch, an aborted one, or one that compaction has
   * emptied. A record that was only looked at with `peek` is not read yet.
   */
  nextOffset = 0;

  private readonly source: TopicPartition;
  private readonly checkCrc: boolean;
  private records: Buffer = NO_BYTES;
  private from = 0;
  private readCommitted = true;
  /** Sorted by first offset; those before `nextAborted` have been activated. */
  private aborted: readonly AbortedTransaction[] = [];
  private nextAborted = 0;
  private readonly abortedProducers = new Set<bigint>();
  /** Where the next batch begins. */
  private batchAt = 0;
  private lookedAhead = false;

  // The batch being read.
  private recordAt = 0;
  private recordsEnd = 0;
  private left = 0;
  private baseOffset = 0;
  private lastOffset = -1;
  private baseTimestamp = 0;
  private maxTimestamp = 0;
  private logAppendTime = false;

  constructor(source: TopicPartition, options: BatchReaderOptions = {}) {
    this.source = source;
    this.checkCrc = options.checkCrc ?? true;
  }

  /** Begins with another record set of the same partition. */
  reset(records: Buffer, set: RecordSet): void {
    this.records = records;
    this.from = set.from;
    this.nextOffset = set.from;
    this.readCommitted = set.readCommitted;
    this.aborted = set.aborted.length > 1 ? [...set.aborted].sort((a, b) => a.firstOffset - b.firstOffset) : set.aborted;
    this.nextAborted = 0;
    this.abortedProducers.clear();
    this.batchAt = 0;
    this.left = 0;
    this.lastOffset = -1;
    this.lookedAhead = false;
  }

  /** Reads one record; false when there is none in what was fetched, and `nextOffset` is then the position to fetch from. */
  nextRecord(): boolean {
    if (this.lookedAhead) this.lookedAhead = false;
    else if (!this.load()) return false;
    this.nextOffset = this.offset + 1;
    return true;
  }

  /** Shows the next record in the fields without reading it: the next `nextRecord` gives the same. */
  peek(): boolean {
    if (!this.lookedAhead) this.lookedAhead = this.load();
    return this.lookedAhead;
  }

  private load(): boolean {
    for (;;) {
      if (this.left === 0) {
        if (!this.openBatch()) return false;
        continue;
      }
      this.left--;
      const buffer = this.buffer;
      at = this.recordAt;
      const length = readVarint(buffer);
      const end = at + length;
      at++; // attributes, unused so far
      const delta = readVarlong(buffer);
      const offset = this.baseOffset + readVarint(buffer);
      if (offset < this.from && end > this.recordAt && end <= this.recordsEnd) {
        this.recordAt = end;
        continue;
      }
      this.offset = offset;
      this.timestamp = this.logAppendTime ? this.maxTimestamp : this.baseTimestamp + delta;
      const keyLength = readVarint(buffer);
      if (keyLength < 0) {
        this.keyStart = this.keyEnd = -1;
      } else {
        this.keyStart = at;
        this.keyEnd = at += keyLength;
      }
      const valueLength = readVarint(buffer);
      if (valueLength < 0) {
        this.valueStart = this.valueEnd = -1;
      } else {
        this.valueStart = at;
        this.valueEnd = at += valueLength;
      }
      this.headerCount = readVarint(buffer);
      this.headersStart = at;
      // One check a record: lengths are only added, so that what leaves the record shows here.
      if (at > end || end > this.recordsEnd || this.headerCount < 0)
        throw this.corrupt(`the record at byte ${this.recordAt} leaves its bounds`);
      // By its own length: what a later version may add behind the headers is passed over.
      this.recordAt = end;
      return true;
    }
  }

  /** Moves on to the next batch; its records are there to be read when `left` > 0 after it. False at the end of what was fetched. */
  private openBatch(): boolean {
    if (this.lastOffset >= this.nextOffset) this.nextOffset = this.lastOffset + 1;
    const { records } = this;
    const start = this.batchAt;
    const room = records.length - start;
    if (room < layout.attributes) return false;
    const size = LENGTH_FROM + records.readInt32BE(start + layout.length);
    const magic = records[start + layout.magic]!;
    const baseOffset = readInt64(records, start);
    this.baseOffset = baseOffset;
    if (magic !== MAGIC) throw this.unreadableMagic(magic);
    if (size < layout.records) throw this.corrupt(`the batch says it has ${size} bytes, less than its header`);
    if (size > room) return false;
    const end = start + size;
    if (this.checkCrc && !crcHolds(records, start, end)) throw this.corrupt('its CRC-32C does not hold');
    this.lastOffset = baseOffset + records.readInt32BE(start + layout.lastOffsetDelta);
    this.batchAt = end;
    this.openRecords(start, end);
    return true;
  }

  private openRecords(start: number, end: number): void {
    const { records } = this;
    const attributes = records.readInt16BE(start + layout.attributes);
    const count = records.readInt32BE(start + layout.recordCount);
    this.left = 0;
    if (this.isHidden(start, attributes, count) || this.lastOffset < this.from || count <= 0) return;
    this.logAppendTime = (attributes & attribute.logAppendTime) !== 0;
    this.baseTimestamp = readInt64(records, start + layout.baseTimestamp);
    this.maxTimestamp = readInt64(records, start + layout.maxTimestamp);
    if ((attributes & attribute.compression) === 0) {
      this.buffer = records;
      this.recordAt = start + layout.records;
      this.recordsEnd = end;
    } else {
      this.buffer = this.unpack(attributes, records.subarray(start + layout.records, end));
      this.recordAt = 0;
      this.recordsEnd = this.buffer.length;
    }
    this.left = count;
  }

  /**
   * True of control batches and, reading committed, of batches of aborted transactions. A transaction counts as aborted from the
   * batch that reaches its first offset to its abort marker; a batch has one producer.
   */
  private isHidden(start: number, attributes: number, count: number): boolean {
    const isControl = (attributes & attribute.control) !== 0;
    if (!this.readCommitted || (this.nextAborted === this.aborted.length && this.abortedProducers.size === 0)) return isControl;
    while (this.nextAborted < this.aborted.length && this.aborted[this.nextAborted]!.firstOffset <= this.lastOffset) {
      this.abortedProducers.add(this.aborted[this.nextAborted]!.producerId);
      this.nextAborted++;
    }
    if ((attributes & attribute.transactional) === 0) return isControl;
    const producerId = this.records.readBigInt64BE(start + layout.producerId);
    if (!isControl) return this.abortedProducers.has(producerId);
    if (count > 0 && controlTypeAt(this.records, start + layout.records) === controlType.abort) this.abortedProducers.delete(producerId);
    return true;
  }

  private unpack(attributes: number, packed: Buffer): Buffer {
    try {
      return decompress(attributes, packed, this.source.topic);
    } catch (cause) {
      if (cause instanceof MillraceError && cause.code === 'UNSUPPORTED_COMPRESSION') throw cause;
      throw this.corrupt(`its records cannot be decompressed: ${(cause as Error).message}`, cause);
    }
  }

  /** Retryable: bytes damaged on the way are whole when fetched again. */
  private corrupt(problem: string, cause?: unknown): MillraceError {
    return new MillraceError('PROTOCOL', `${this.place()} is corrupt: ${problem}`, {
      where: { ...this.source, offset: this.baseOffset },
      retryable: true,
      cause,
    });
  }

  private unreadableMagic(magic: number): MillraceError {
    const remedy = magic < MAGIC ? 'written in the message format of Kafka before 0.11, which is not read; rewrite the topic' : 'not known';
    return new MillraceError('PROTOCOL', `${this.place()} has magic ${magic}, ${remedy}`, {
      where: { ...this.source, offset: this.baseOffset },
    });
  }

  private place(): string {
    return `the batch at offset ${this.baseOffset} of ${this.source.topic}-${this.source.partition}`;
  }
}

/** Key of a control record: version i16 · type i16. */
function controlTypeAt(records: Buffer, start: number): number {
  at = start;
  readVarint(records);
  at++;
  readVarlong(records);
  readVarint(records);
  return readVarint(records) < 4 ? -1 : records.readInt16BE(at + 2);
}

/** The position to fetch from after the complete batches of `records`, from their headers alone. */
export function positionAfter(records: Buffer, from: number): number {
  let next = from;
  for (let start = 0; records.length - start >= layout.records;) {
    const size = LENGTH_FROM + records.readInt32BE(start + layout.length);
    if (records[start + layout.magic] !== MAGIC || size < layout.records || size > records.length - start) break;
    next = Math.max(next, readInt64(records, start) + records.readInt32BE(start + layout.lastOffsetDelta) + 1);
    start += size;
  }
  return next;
}

const NO_HEADERS: ReadonlyMap<string, Uint8Array> = new Map();

/** `count` headers from `start` on, copied. Of two with one name the last is kept; a null value becomes an empty one. */
export function readHeaders(buffer: Buffer, start: number, count: number): ReadonlyMap<string, Uint8Array> {
  if (count === 0) return NO_HEADERS;
  const headers = new Map<string, Uint8Array>();
  at = start;
  for (let i = 0; i < count; i++) {
    const nameLength = readVarint(buffer);
    const nameAt = at;
    at += nameLength;
    const valueLength = Math.max(0, readVarint(buffer));
    const valueAt = at;
    at += valueLength;
    if (nameLength < 0 || at > buffer.length) throw new MillraceError('PROTOCOL', 'the headers of a record leave its bounds');
    headers.set(readUtf8Lossy(buffer, nameAt, nameAt + nameLength), copy(buffer, valueAt, at));
  }
  return headers;
}

function copy(buffer: Buffer, start: number, end: number): Uint8Array {
  const bytes = new Uint8Array(end - start);
  bytes.set(buffer.subarray(start, end));
  return bytes;
}

/** The origin of a record from a broker. It holds on to the fetched buffer for as long as it lives. */
export class InputRecord implements Origin {
  readonly source: TopicPartition;
  readonly offset: number;
  private readonly buffer: Buffer;
  private readonly keyStart: number;
  private readonly keyEnd: number;
  private readonly valueStart: number;
  private readonly valueEnd: number;
  private readonly headersStart: number;
  private readonly headerCount: number;
  private parsed: ReadonlyMap<string, Uint8Array> | undefined;

  /** The record `reader` has read last. */
  constructor(source: TopicPartition, reader: BatchReader) {
    this.source = source;
    this.offset = reader.offset;
    this.buffer = reader.buffer;
    this.keyStart = reader.keyStart;
    this.keyEnd = reader.keyEnd;
    this.valueStart = reader.valueStart;
    this.valueEnd = reader.valueEnd;
    this.headersStart = reader.headersStart;
    this.headerCount = reader.headerCount;
    this.parsed = undefined;
  }

  get topic(): string {
    return this.source.topic;
  }

  get partition(): number {
    return this.source.partition;
  }

  get headers(): ReadonlyMap<string, Uint8Array> {
    this.parsed ??= readHeaders(this.buffer, this.headersStart, this.headerCount);
    return this.parsed;
  }

  rawKey(): Uint8Array | null {
    return this.keyStart < 0 ? null : copy(this.buffer, this.keyStart, this.keyEnd);
  }

  rawValue(): Uint8Array | null {
    return this.valueStart < 0 ? null : copy(this.buffer, this.valueStart, this.valueEnd);
  }
}
