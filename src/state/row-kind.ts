import { readInt64, writeInt32, writeInt64 } from '../codec/int64-bytes';
import type { StoreShape } from '../model/store-definition';
import { joinRows } from './join-rows';
import { versionRows } from './version-rows';
import { Scratch } from './scratch';
import { boundsOf } from './windows';

interface Bounds {
  readonly start: number;
  readonly end: number;
}

/** How rows are ordered, timed and named in a changelog. */
export interface RowKind {
  /** What retention and closing go by, and the first thing rows are ordered by: the start of a window, the end of a session. */
  timeOf(row: Bounds): number;
  order(a: Bounds, b: Bounds): number;
  /** Bytes behind the key in a changelog key. */
  readonly tail: number;
  /** Valid until the next call. */
  changelogKey(key: Uint8Array, row: Bounds): Uint8Array;
  /** The bounds in a changelog key that ends at `to`. */
  boundsIn(buffer: Uint8Array, to: number): Bounds;
}

/** A window store writes key ‖ i64 start ‖ i32 0; its windows are told apart by their start. */
class WindowRows implements RowKind {
  readonly tail = 12;

  constructor(private readonly endOf: (start: number) => number) {}

  timeOf({ start }: Bounds): number {
    return start;
  }

  order(a: Bounds, b: Bounds): number {
    return a.start - b.start;
  }

  changelogKey(key: Uint8Array, { start }: Bounds): Uint8Array {
    const bytes = withTail(key, this.tail);
    writeInt64(bytes, start, key.length);
    writeInt32(bytes, 0, key.length + 8);
    return bytes;
  }

  boundsIn(buffer: Uint8Array, to: number): Bounds {
    const start = readInt64(buffer, to - this.tail);
    return { start, end: this.endOf(start) };
  }
}

/** A session store writes key ‖ i64 end ‖ i64 start. */
class SessionRows implements RowKind {
  readonly tail = 16;

  timeOf({ end }: Bounds): number {
    return end;
  }

  order(a: Bounds, b: Bounds): number {
    return a.end === b.end ? a.start - b.start : a.end - b.end;
  }

  changelogKey(key: Uint8Array, { start, end }: Bounds): Uint8Array {
    const bytes = withTail(key, this.tail);
    writeInt64(bytes, end, key.length);
    writeInt64(bytes, start, key.length + 8);
    return bytes;
  }

  boundsIn(buffer: Uint8Array, to: number): Bounds {
    return { end: readInt64(buffer, to - this.tail), start: readInt64(buffer, to - 8) };
  }
}

export function rowKindOf(shape: StoreShape): RowKind {
  if (shape.kind === 'join') return joinRows;
  if (shape.kind === 'versioned') return versionRows;
  if (shape.kind === 'session') return new SessionRows();
  const bounds = boundsOf(shape.windows!);
  return new WindowRows((start) => bounds.endOf(start));
}

/** Of the key that was asked for last. */
const scratch = new Scratch();

function withTail(key: Uint8Array, tail: number): Uint8Array {
  const length = key.length + tail;
  scratch.reserve(length);
  const bytes = scratch.upTo(length);
  bytes.set(key);
  return bytes;
}
