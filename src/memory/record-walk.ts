import { decompress } from '../kafka/compression';
import { attribute, type BatchHeader, layout } from '../kafka/record-batch';

/**
 * Goes through the records of a batch, as far as a broker looks at them: their order, times and keys. `isSound` turns false at the first
 * sign that they are not what the header says: another count, lengths that do not add up, offsets that do not count from 0; in a batch
 * that was `compacted` they may leave some out.
 */
export class RecordWalk {
  isSound = true;
  /** Of the record passed last. */
  index = -1;
  /** Its offset is the base offset plus this. */
  offsetDelta = -1;
  timestamp = -1;
  /** -1: the key is null. */
  keyLength = -1;
  readonly #header: BatchHeader;
  readonly #compacted: boolean;
  readonly #hasAppendTime: boolean;
  readonly #bytes: Buffer;
  #at = 0;
  #offsetDeltaAt = 0;
  #keyAt = 0;

  constructor(header: BatchHeader, batch: Buffer, compacted = false) {
    this.#header = header;
    this.#compacted = compacted;
    this.#hasAppendTime = (header.attributes & attribute.logAppendTime) !== 0;
    const { recordCount, lastOffset, baseOffset } = header;
    if (!compacted && (recordCount <= 0 || recordCount !== lastOffset - baseOffset + 1)) this.isSound = false;
    this.#bytes = recordCount === 0 ? batch.subarray(layout.records) : this.#unpack(batch.subarray(layout.records));
  }

  /** Passes the next record; false at the end, or when there is something wrong. */
  next(): boolean {
    if (!this.isSound) return false;
    const bytes = this.#bytes;
    if (this.#at === bytes.length) {
      this.isSound = this.index + 1 === this.#header.recordCount;
      return false;
    }
    const length = this.#varint();
    const end = this.#at + length;
    this.#at++; // the record's own attributes: none are defined
    const timestampDelta = this.#varint();
    this.#offsetDeltaAt = this.#at;
    const offsetDelta = this.#varint();
    const keyLength = this.#varint();
    const inOrder = this.#compacted ? offsetDelta > this.offsetDelta : offsetDelta === this.index + 1;
    // Written so that NaN, from behind the end, is not sound either.
    this.isSound = length > 0 && end <= bytes.length && this.#at <= end && keyLength >= -1 && inOrder;
    if (!this.isSound) return false;
    this.index++;
    this.offsetDelta = offsetDelta;
    this.timestamp = this.#hasAppendTime ? this.#header.maxTimestamp : this.#header.baseTimestamp + timestampDelta;
    this.keyLength = keyLength;
    this.#keyAt = this.#at;
    this.#at = end;
    return true;
  }

  /** The key's bytes; none for null. */
  get key(): Buffer {
    return this.#bytes.subarray(this.#keyAt, this.#keyAt + Math.max(0, this.keyLength));
  }

  get hasValue(): boolean {
    const next = this.#at;
    this.#at = this.#keyAt + Math.max(0, this.keyLength);
    const valueLength = this.#varint();
    this.#at = next;
    return valueLength >= 0;
  }

  /** The record's bytes from its offset on: all that does not depend on the times of its batch. */
  get fromOffset(): Buffer {
    return this.#bytes.subarray(this.#offsetDeltaAt, this.#at);
  }

  #unpack(packed: Buffer): Buffer {
    try {
      return decompress(this.#header.attributes, packed, '');
    } catch {
      this.isSound = false;
      return packed;
    }
  }

  /** A zigzag varint of up to ten bytes; NaN behind the end. */
  #varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++];
    if (byte === undefined) return NaN;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let value = byte & 0x7f;
    for (let scale = 0x80; byte >= 0x80; scale *= 0x80) {
      byte = bytes[this.#at++];
      if (byte === undefined) return NaN;
      value += (byte & 0x7f) * scale;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}
