import { type Either, isLeft, right } from 'fp-ts/Either';
import { readInt32, readInt64, writeInt32, writeInt64 } from '../codec/int64-bytes';
import { sliceDecoder } from '../codec/slice-decoder';
import { asBuffer, toBytes } from '../codec/utf8';
import { type Codec, decodeSlice, type SliceCodec } from '../model/codec';
import { Row } from './rows';

/** In the order in which records of one time that have met nobody come out. */
export const RIGHT = 0;
export const LEFT = 1;
export type Side = typeof RIGHT | typeof LEFT;

/** A record that has come to a join, from one of its sides. Immutable. */
export class Joining<V> {
  readonly side: Side;
  readonly value: V;
  /** It has met nobody yet, and is to come out alone if it never does. */
  readonly waits: boolean;

  constructor(side: Side, value: V, waits: boolean) {
    this.side = side;
    this.value = value;
    this.waits = waits;
  }
}

/**
 * Rows of a key lie by time, those of one time right before left, those of one time and side as they came. `start` is the time; `end` is
 * no time, but side and number among these.
 */
export type JoinRow<V> = Row<Joining<V>>;

/** Behind every number that rows of one time and side may have. */
const SIDES_APART = 2 ** 32;

function rowOf<V>(time: number, number: number, joining: Joining<V>, encoded?: Uint8Array): JoinRow<V> {
  return new Row(time, joining.side * SIDES_APART + number, joining, time, encoded);
}

/** 0 for the first row of its time and side. */
export function numberOf({ end, value: { side } }: JoinRow<unknown>): number {
  return end - side * SIDES_APART;
}

/** `rows` with one more, behind those of its time and side. */
export function withRow<V>(rows: readonly JoinRow<V>[], time: number, joining: Joining<V>): readonly JoinRow<V>[] {
  const at = firstFrom(rows, time, (joining.side + 1) * SIDES_APART);
  const last = rows[at - 1];
  const number = last !== undefined && last.start === time && last.value.side === joining.side ? numberOf(last) + 1 : 0;
  const more = rows.slice();
  more.splice(at, 0, rowOf(time, number, joining));
  return more;
}

/** The same row when it waits no longer; its value is not encoded again. */
export function settledRow<V>(row: JoinRow<V>): JoinRow<V> {
  const { side, value } = row.value;
  const encoded = row.encoded === undefined ? undefined : Uint8Array.from(row.encoded);
  if (encoded !== undefined) encoded[0] = headOf(side, false);
  return rowOf(row.start, numberOf(row), new Joining(side, value, false), encoded);
}

/** Index of the first row at or behind this time, and at or behind this place within it. */
export function firstFrom(rows: readonly JoinRow<unknown>[], time: number, end = 0): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const row = rows[middle]!;
    if (row.start < time || (row.start === time && row.end < end)) low = middle + 1;
    else high = middle;
  }
  return low;
}

// ---- bytes

/** The changelog has a record for each row: key ‖ i64 time ‖ u8 side ‖ i32 number. */
const TAIL = 13;

type Place = Pick<Row<unknown>, 'start' | 'end'>;

/** A row kind (row-kind.ts). */
export const joinRows = {
  tail: TAIL,
  timeOf: ({ start }: Place): number => start,
  order: (a: Place, b: Place): number => (a.start === b.start ? a.end - b.end : a.start - b.start),
  changelogKey(key: Uint8Array, { start, end }: Place): Uint8Array {
    const bytes = new Uint8Array(key.length + TAIL);
    bytes.set(key);
    const side = end >= SIDES_APART ? LEFT : RIGHT;
    writeInt64(bytes, start, key.length);
    bytes[key.length + 8] = side;
    writeInt32(bytes, end - side * SIDES_APART, key.length + 9);
    return bytes;
  },
  boundsIn(buffer: Uint8Array, to: number): Place {
    return { start: readInt64(buffer, to - TAIL), end: buffer[to - 5]! * SIDES_APART + readInt32(buffer, to - 4) };
  },
} as const;

function headOf(side: Side, waits: boolean): number {
  return side + (waits ? 2 : 0);
}

/** What is kept of a record: u8 (1: of the left side, 2: waits, or their sum) ‖ value. */
export function joiningCodec<L, R>(left: Codec<L>, rightSide: Codec<R>): SliceCodec<Joining<L | R>> {
  const codecs: readonly Codec<L | R>[] = [rightSide as Codec<L | R>, left as Codec<L | R>];
  const decoders = codecs.map((codec) => sliceDecoder(codec));
  const decode = (buffer: Buffer, from: number, to: number): Either<Error, Joining<L | R>> => {
    const head = buffer[from]!;
    const side = (head & 1) as Side;
    const value = decoders[side]!(buffer, from + 1, to);
    return isLeft(value) ? value : right(new Joining(side, value.right, (head & 2) !== 0));
  };
  return {
    encode: ({ side, value, waits }) => {
      const encoded = toBytes(codecs[side]!.encode(value));
      const bytes = new Uint8Array(1 + encoded.length);
      bytes[0] = headOf(side, waits);
      bytes.set(encoded, 1);
      return bytes;
    },
    decode: (bytes) => decode(asBuffer(bytes), 0, bytes.length),
    [decodeSlice]: decode,
  };
}
