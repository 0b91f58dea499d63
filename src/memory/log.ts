import { attribute, type BatchHeader, layout, readBatchHeader, writeBatchCrc } from '../kafka/record-batch';
import { RecordWalk } from './record-walk';
import { type SegmentLimits, Segments } from './segments';

export interface StoredBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
  readonly bytes: Buffer;
}

export interface LogSettings extends SegmentLimits {
  /** What is read may end within a batch, as it does when it is a piece of a file. */
  readonly cutsBatches: boolean;
}

/** One partition's batches, in Kafka's bytes. What goes in is the log's own copy, what comes out is the reader's. */
export class Log {
  readonly #batches: StoredBatch[] = [];
  readonly #segments: Segments;
  #startOffset = 0;
  #endOffset = 0;
  #cleanedTo = 0;

  constructor(private readonly settings: LogSettings) {
    this.#segments = new Segments(settings);
  }

  /** The first offset that can be read; raised by DeleteRecords and by retention. */
  get startOffset(): number {
    return this.#startOffset;
  }

  /** The offset of the next record. */
  get endOffset(): number {
    return this.#endOffset;
  }

  get batches(): readonly StoredBatch[] {
    return this.#batches;
  }

  /** Below it every key is there once. */
  get cleanedTo(): number {
    return Math.max(this.#cleanedTo, this.#startOffset);
  }

  /** Stamps offset and leader epoch into `bytes`, which must belong to nobody else; gives the base offset. */
  append(header: BatchHeader, bytes: Buffer, leaderEpoch: number): number {
    const baseOffset = this.#endOffset;
    const lastOffset = baseOffset + header.lastOffset - header.baseOffset;
    // The checksum covers neither of the two.
    bytes.writeBigInt64BE(BigInt(baseOffset), layout.baseOffset);
    bytes.writeInt32BE(leaderEpoch, layout.leaderEpoch);
    this.#segments.append(baseOffset, header);
    this.#batches.push({ baseOffset, lastOffset, maxTimestamp: header.maxTimestamp, bytes });
    this.#endOffset = lastOffset + 1;
    return baseOffset;
  }

  /**
   * The bytes from the batch that holds `from` up to `limit`, at most `maxBytes` of them. With `atLeastOne`, the first batch is given
   * whole whatever its size. What is read lies in one segment.
   */
  read(from: number, limit: number, maxBytes: number, atLeastOne: boolean): Buffer[] {
    const out: Buffer[] = [];
    let left = maxBytes;
    let segmentEnd: number | undefined;
    for (let at = this.#indexOf(from); at < this.#batches.length; at++) {
      const batch = this.#batches[at]!;
      segmentEnd ??= this.#segments.endOf(batch.baseOffset);
      if (batch.lastOffset >= limit || batch.baseOffset >= segmentEnd) break;
      if (batch.bytes.length > left && !(atLeastOne && out.length === 0)) {
        if (this.settings.cutsBatches && left > 0) out.push(batch.bytes.subarray(0, left));
        break;
      }
      out.push(batch.bytes);
      left -= batch.bytes.length;
    }
    return out;
  }

  /** How many bytes a reader at `from` could get below `limit`; counting stops at `enough`, which a closed segment always is. */
  bytesFrom(from: number, limit: number, enough: number): number {
    let bytes = 0;
    for (let at = this.#indexOf(from); at < this.#batches.length && bytes < enough; at++) {
      const batch = this.#batches[at]!;
      if (batch.lastOffset >= limit) break;
      if (batch.baseOffset < this.#segments.active) return enough;
      bytes += batch.bytes.length;
    }
    return bytes;
  }

  /** The first record whose timestamp is at least `timestamp`, in order of offsets. */
  firstSince(timestamp: number): { readonly offset: number; readonly timestamp: number } | undefined {
    for (const batch of this.#batches) {
      if (batch.maxTimestamp < timestamp) continue;
      const walk = new RecordWalk(readBatchHeader(batch.bytes), batch.bytes, true);
      while (walk.next()) {
        const offset = batch.baseOffset + walk.offsetDelta;
        if (walk.timestamp >= timestamp && offset >= this.#startOffset) return { offset, timestamp: walk.timestamp };
      }
    }
    return undefined;
  }

  /** Moves the start up to `offset`. A batch that reaches beyond it stays whole: readers skip its first records. */
  deleteBefore(offset: number): void {
    if (offset <= this.#startOffset) return;
    this.#startOffset = offset;
    this.#batches.splice(0, this.#indexOf(offset));
    this.#segments.deleteBefore(offset, this.#endOffset);
  }

  /** The last batch begins a segment, as if it had come after segment.ms. */
  roll(): void {
    const last = this.#batches.at(-1);
    if (last !== undefined) this.#segments.roll(readBatchHeader(last.bytes));
  }

  /** The end of what may be compacted: of the segments before the active one, before `stable`, and before the first with something later than `timestamp`. */
  cleanableTo(stable: number, timestamp: number): number {
    const recent = this.#batches.find((batch) => batch.lastOffset >= this.cleanedTo && batch.maxTimestamp > timestamp);
    return this.#segments.baseOf(Math.min(stable, recent?.baseOffset ?? Infinity, this.#segments.active));
  }

  /** What compaction has left of the batches below `until`. */
  replace(until: number, batches: readonly Buffer[]): void {
    const replaced = batches.map((bytes): StoredBatch => {
      const { baseOffset, lastOffset, maxTimestamp } = readBatchHeader(bytes);
      return { baseOffset, lastOffset, maxTimestamp, bytes };
    });
    this.#segments.merge(until, (base) => this.#bytesOf(base));
    this.#batches.splice(0, this.#indexOf(until), ...replaced);
    this.#cleanedTo = until;
  }

  /** The end of the oldest segments whose records are all earlier than `timestamp`; the active one may be among them. */
  expiredTo(timestamp: number): number {
    const recent = this.#batches.find((batch) => batch.maxTimestamp >= timestamp);
    return recent === undefined ? this.#endOffset : this.#segments.baseOf(recent.baseOffset);
  }

  /** The end of the oldest segments without which the log still has at least `bytes`. */
  surplusTo(bytes: number): number {
    let left = this.#batches.reduce((sum, batch) => sum + batch.bytes.length, 0);
    let end = this.#startOffset;
    for (const batch of this.#batches) {
      const segment = this.#segments.baseOf(batch.baseOffset);
      if (left >= bytes && segment > end) end = segment;
      left -= batch.bytes.length;
    }
    return end;
  }

  #bytesOf(segment: number): number {
    const end = this.#segments.endOf(segment);
    const isInside = ({ baseOffset }: StoredBatch): boolean => baseOffset >= segment && baseOffset < end;
    return this.#batches.filter(isInside).reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** The index of the batch that holds `offset`, or of the first one above it. */
  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#batches[middle]!.lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** message.timestamp.type=LogAppendTime: the broker's time replaces that of all records. */
export function withAppendTime(bytes: Buffer, timestamp: number): BatchHeader {
  bytes.writeInt16BE(bytes.readInt16BE(layout.attributes) | attribute.logAppendTime, layout.attributes);
  bytes.writeBigInt64BE(BigInt(timestamp), layout.maxTimestamp);
  writeBatchCrc(bytes, 0, bytes.length);
  return readBatchHeader(bytes);
}
