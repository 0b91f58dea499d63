import { writeInt64 } from '../codec/int64-bytes';
import type { BatchReader } from '../kafka/batch-decode';
import { keyOrder } from './key-order';
import type { BytesOperation } from './port';
import { type StoreLayout, VALUE_AT } from './store-layout';

/** What records of a changelog mean for the disk, and how many there were. */
export interface RestoringBatch {
  readonly operations: BytesOperation[];
  readonly records: number;
}

/**
 * The last value of each key in what the reader has, nearly in the order of the keys. (Of keys between which the order does not tell, a
 * value may be followed by a later one.) @throws what `foreignKey` gives for a record that is none of this changelog's
 */
export function restoreEntries(layout: StoreLayout, reader: BatchReader, foreignKey: () => Error): RestoringBatch {
  entries.begin();
  while (reader.nextRecord()) if (!entries.add(layout, reader)) throw foreignKey();
  return { operations: entries.operations(), records: entries.count };
}

/** Entries as they are read, one behind the other in one buffer, so that none is an object before it is known to be the last of its key. */
class ReadEntries {
  count = 0;
  private buffer = Buffer.alloc(0);
  private used = 0;
  /** About as much as was needed last. */
  private room = LEAST_ROOM;
  private keyStarts = new Int32Array(16_384);
  private keyEnds = new Int32Array(16_384);
  /** Behind timestamp and value; -1: a tombstone. */
  private ends = new Int32Array(16_384);

  begin(): void {
    // What was handed out refers to the last one.
    this.buffer = Buffer.allocUnsafeSlow(this.room);
    this.used = 0;
    this.count = 0;
  }

  /** False: the key is none of this store's. */
  add(layout: StoreLayout, { buffer, keyStart, keyEnd, valueStart, valueEnd, timestamp }: BatchReader): boolean {
    if (keyStart < 0) return false;
    const valueLength = valueStart < 0 ? 0 : valueEnd - valueStart;
    const start = this.reserve(keyEnd - keyStart + valueLength + ROOM_BESIDE);
    const end = layout.writeFromChangelog(buffer, keyStart, keyEnd, this.buffer, start);
    if (end < 0) return false;
    const { count } = this;
    this.keyStarts[count] = start;
    this.keyEnds[count] = end;
    if (valueStart < 0) {
      this.ends[count] = -1;
      this.used = end;
    } else {
      writeInt64(this.buffer, timestamp, end);
      buffer.copy(this.buffer, end + VALUE_AT, valueStart, valueEnd);
      this.ends[count] = this.used = end + VALUE_AT + valueLength;
    }
    this.count = count + 1;
    return true;
  }

  operations(): BytesOperation[] {
    const { buffer, keyStarts, keyEnds, ends, count } = this;
    const order = keyOrder(buffer, keyStarts, keyEnds, count);
    const operations: BytesOperation[] = [];
    for (let at = 0; at < count; at++) {
      const i = order[at]!;
      if (at + 1 < count && this.isSameKey(i, order[at + 1]!)) continue;
      const key = this.view(keyStarts[i]!, keyEnds[i]!);
      if (ends[i]! < 0) operations.push({ type: 'delete', key });
      else operations.push({ type: 'put', key, value: this.view(keyEnds[i]!, ends[i]!) });
    }
    this.room = Math.min(MOST_ROOM, Math.max(LEAST_ROOM, this.used + (this.used >>> 3)));
    this.buffer = NOTHING;
    return operations;
  }

  private isSameKey(a: number, b: number): boolean {
    const { buffer, keyStarts, keyEnds } = this;
    const from = keyStarts[a]!;
    const other = keyStarts[b]!;
    const length = keyEnds[a]! - from;
    if (keyEnds[b]! - other !== length) return false;
    // Keys differ at their ends.
    for (let at = length - 1; at >= 0; at--) if (buffer[from + at] !== buffer[other + at]) return false;
    return true;
  }

  private view(from: number, to: number): Uint8Array {
    return new Uint8Array(this.buffer.buffer, this.buffer.byteOffset + from, to - from);
  }

  /** Makes room for an entry; gives where it begins. */
  private reserve(bytes: number): number {
    if (this.used + bytes > this.buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.buffer.length, this.used + bytes));
      this.buffer.copy(larger, 0, 0, this.used);
      this.buffer = larger;
    }
    if (this.count === this.ends.length) {
      this.keyStarts = twiceAsLong(this.keyStarts);
      this.keyEnds = twiceAsLong(this.keyEnds);
      this.ends = twiceAsLong(this.ends);
    }
    return this.used;
  }
}

const LEAST_ROOM = 16 * 1024;
const MOST_ROOM = 4 * 1024 * 1024;
/** What the head of a key on disk and the timestamp take at most. */
const ROOM_BESIDE = 32;
const NOTHING = Buffer.alloc(0);

function twiceAsLong(numbers: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const longer = new Int32Array(2 * numbers.length);
  longer.set(numbers);
  return longer;
}

/** One for all: it holds nothing between two calls. */
const entries = new ReadEntries();
