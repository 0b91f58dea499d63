import { readInt64, writeInt32, writeInt64 } from '../codec/int64-bytes';
import { type ByteSlab, roomFor } from './byte-slab';
import { Scratch } from './scratch';

/*
 * Where things lie in the ordered bytes of a task:
 *
 *   0x00 ‖ …                              what the directory and its stores are (directory-records.ts)
 *   0x01 ‖ u16 store ‖ key                an entry of a key-value store
 *   0x01 ‖ u16 store ‖ i64 start ‖ key    an entry of a window store: a window is one range, in the order of key bytes
 *
 * A value is i64 timestamp ‖ value. In the changelog, as Kafka Streams writes it, the key is `key`, or `key ‖ i64 start ‖ i32 0`, and
 * the value stands alone.
 */

const ENTRIES = 0x01;
const PREFIX = 3;
const HEAD_OF_WINDOW = PREFIX + 8;
const TAIL_OF_WINDOW = 12;
const TIMESTAMP = 8;

/** How the keys of one store are laid out. */
export class StoreLayout {
  private readonly head: number;
  private readonly tail: number;
  private readonly scratch = new Scratch();

  constructor(
    /** Number of the store in its directory. */
    private readonly id: number,
    private readonly windowed: boolean,
  ) {
    this.head = windowed ? HEAD_OF_WINDOW : PREFIX;
    this.tail = windowed ? TAIL_OF_WINDOW : 0;
  }

  /** The changelog key of an entry; valid until the next call of this or of `lookupKey`. `start` counts for window stores only. */
  changelogKey(key: string | Uint8Array, start: number): Uint8Array {
    const { scratch, tail } = this;
    scratch.reserve(roomFor(key) + tail);
    const end = scratch.write(key, 0);
    if (this.windowed) {
      writeInt64(scratch.buffer, start, end);
      writeInt32(scratch.buffer, 0, end + 8);
    }
    return scratch.upTo(end + tail);
  }

  /** What `changelogKey` has given last, which had `length` bytes, in another window. */
  changelogKeyAgain(length: number, start: number): Uint8Array {
    const { scratch } = this;
    writeInt64(scratch.buffer, start, length - TAIL_OF_WINDOW);
    return scratch.upTo(length);
  }

  /** The key on disk of a point read; valid until the next call of this or of `changelogKey`. */
  lookupKey(key: string | Uint8Array, start: number): Uint8Array {
    const { scratch, head } = this;
    scratch.reserve(head + roomFor(key));
    this.writeHead(scratch.buffer, 0, start);
    return scratch.upTo(head + scratch.write(key, head));
  }

  /** The key on disk of an entry. */
  diskKey(key: string | Uint8Array, start: number, slab: ByteSlab): Uint8Array {
    const { head } = this;
    slab.reserve(head + roomFor(key));
    const { at } = slab;
    this.writeHead(slab.buffer, at, start);
    slab.at = at + head + slab.write(key, at + head);
    return slab.view(at, slab.at);
  }

  /** Writes the key on disk of a changelog record's key, and gives where it ends; -1 for a key that is none of this store's. */
  writeFromChangelog(buffer: Buffer, from: number, to: number, target: Buffer, at: number): number {
    const { head, tail } = this;
    const length = to - from - tail;
    if (length < 0) return -1;
    this.writeHead(target, at, this.windowed ? readInt64(buffer, to - tail) : 0);
    buffer.copy(target, at + head, from, from + length);
    return at + head + length;
  }

  /** Where the key begins in a key on disk. */
  get keyAt(): number {
    return this.head;
  }

  /** The start of the window that a key on disk lies in. */
  startOf(diskKey: Uint8Array): number {
    return readInt64(diskKey, PREFIX);
  }

  /** Before every entry of the windows that start at `start` or later. */
  windowBound(start: number): Uint8Array {
    return this.bound(HEAD_OF_WINDOW, start);
  }

  /** Before every entry of the store. */
  get first(): Uint8Array {
    return this.bound(PREFIX, 0);
  }

  /** Behind every entry of the store. */
  get last(): Uint8Array {
    return nextPrefix(this.first);
  }

  /** The key on disk, in memory of its own. */
  keyBound(key: Uint8Array, start: number): Uint8Array {
    const bytes = new Uint8Array(this.head + key.length);
    this.writeHead(bytes, 0, start);
    bytes.set(key, this.head);
    return bytes;
  }

  private bound(length: number, start: number): Uint8Array {
    const bytes = new Uint8Array(length);
    writePrefix(bytes, 0, this.id);
    if (length === HEAD_OF_WINDOW) writeInt64(bytes, start, PREFIX);
    return bytes;
  }

  private writeHead(buffer: Uint8Array, at: number, start: number): void {
    writePrefix(buffer, at, this.id);
    if (this.windowed) writeInt64(buffer, start, at + PREFIX);
  }
}

function writePrefix(buffer: Uint8Array, at: number, id: number): void {
  buffer[at] = ENTRIES;
  buffer[at + 1] = id >>> 8;
  buffer[at + 2] = id;
}

/** The smallest bytes of the same length that are greater. */
function nextPrefix(bytes: Uint8Array): Uint8Array {
  for (let i = bytes.length - 1; i >= 0; i--) {
    bytes[i] = bytes[i]! + 1;
    if (bytes[i] !== 0) break;
  }
  return bytes;
}

/** The smallest bytes that are greater and no continuation: an inclusive bound made exclusive. */
export function bytesAfter(bytes: Uint8Array): Uint8Array {
  const after = new Uint8Array(bytes.length + 1);
  after.set(bytes);
  return after;
}

/** i64 timestamp ‖ value, as it lies on disk. */
export function diskValue(slab: ByteSlab, value: string | Uint8Array, timestamp: number): Uint8Array {
  slab.reserve(TIMESTAMP + roomFor(value));
  const { at } = slab;
  writeInt64(slab.buffer, timestamp, at);
  slab.at = at + TIMESTAMP + slab.write(value, at + TIMESTAMP);
  return slab.view(at, slab.at);
}

export function timestampOf(value: Uint8Array): number {
  return readInt64(value, 0);
}

/** Where the value begins in a value on disk. */
export const VALUE_AT = TIMESTAMP;
