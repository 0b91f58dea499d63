import { attribute, type BatchHeader, layout, readBatchHeader, writeBatchCrc } from '../kafka/record-batch';
import { RecordWalk } from './record-walk';

export interface StoredBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly maxTimestamp: number;
  readonly bytes: Buffer;
}

/** One partition's batches, in Kafka's bytes. What goes in is the log's own copy, what comes out is the reader's. */
export class Log {
  readonly #batches: StoredBatch[] = [];
  #startOffset = 0;
  #endOffset = 0;

  /** `cutsBatches`: what is read may end within a batch, as it does when it is a piece of a file. */
  constructor(private readonly cutsBatches: boolean) {}

  /** The first offset that can be read; raised by DeleteRecords. */
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

  /** Stamps offset and leader epoch into `bytes`, which must belong to nobody else; gives the base offset. */
  append(header: BatchHeader, bytes: Buffer, leaderEpoch: number): number {
    const baseOffset = this.#endOffset;
    const lastOffset = baseOffset + header.lastOffset - header.baseOffset;
    // The checksum covers neither of the two.
    bytes.writeBigInt64BE(BigInt(baseOffset), layout.baseOffset);
    bytes.writeInt32BE(leaderEpoch, layout.leaderEpoch);
    this.#batches.push({ baseOffset, lastOffset, maxTimestamp: header.maxTimestamp, bytes });
    this.#endOffset = lastOffset + 1;
    return baseOffset;
  }

  /**
   * The bytes from the batch that holds `from` up to `limit`, at most `maxBytes` of them. With `atLeastOne`, the first batch is given
   * whole whatever its size.
   */
  read(from: number, limit: number, maxBytes: number, atLeastOne: boolean): Buffer[] {
    const out: Buffer[] = [];
    let left = maxBytes;
    for (let at = this.#indexOf(from); at < this.#batches.length; at++) {
      const batch = this.#batches[at]!;
      if (batch.lastOffset >= limit) break;
      if (batch.bytes.length > left && !(atLeastOne && out.length === 0)) {
        if (this.cutsBatches && left > 0) out.push(batch.bytes.subarray(0, left));
        break;
      }
      out.push(batch.bytes);
      left -= batch.bytes.length;
    }
    return out;
  }

  /** How many bytes a reader at `from` could get below `limit`; counting stops at `enough`. */
  bytesFrom(from: number, limit: number, enough: number): number {
    let bytes = 0;
    for (let at = this.#indexOf(from); at < this.#batches.length && bytes < enough; at++) {
      const batch = this.#batches[at]!;
      if (batch.lastOffset >= limit) break;
      bytes += batch.bytes.length;
    }
    return bytes;
  }

  /** The first record whose timestamp is at least `timestamp`, in order of offsets. */
  firstSince(timestamp: number): { readonly offset: number; readonly timestamp: number } | undefined {
    for (const batch of this.#batches) {
      if (batch.maxTimestamp < timestamp) continue;
      const walk = new RecordWalk(readBatchHeader(batch.bytes), batch.bytes);
      while (walk.next()) {
        const offset = batch.baseOffset + walk.index;
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
