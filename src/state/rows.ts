import type { Codec } from '../model/codec';
import { sliceDecoder } from '../codec/slice-decoder';
import { readInt32, readInt64, writeInt32, writeInt64 } from '../codec/int64-bytes';
import { asBuffer, toBytes } from '../codec/utf8';
import { type Either, isLeft, right } from 'fp-ts/Either';
import { decodeSlice, type SliceCodec } from '../model/codec';

/** One window, or session, of a key. Immutable. */
export class Row<A> {
  readonly start: number;
  readonly end: number;
  readonly value: A;
  /** ms since the epoch: what the result of this row carries. */
  readonly timestamp: number;
  /** The value as its codec gave it, once it was sealed: what changelog and disk say, whatever becomes of `value`. Not needed for a primitive. */
  encoded: Uint8Array | undefined;

  constructor(start: number, end: number, value: A, timestamp: number, encoded?: Uint8Array) {
    this.start = start;
    this.end = end;
    this.value = value;
    this.timestamp = timestamp;
    this.encoded = encoded;
  }
}

/*
 * All rows of a key lie in one entry, so that a record needs one point read: i64 start ‖ i64 end ‖ i64 timestamp ‖ i32 length ‖ value,
 * one behind the other.
 */
const HEAD = 28;

/** Bytes. */
const ABOUT_A_PRIMITIVE = 8;

/** A row as it lies in an entry. */
export interface EncodedRow {
  readonly start: number;
  readonly end: number;
  readonly timestamp: number;
  readonly value: Uint8Array;
}

/** Rows of values of `inner`, as one value. */
export function rowsCodec<A>(inner: Codec<A>): SliceCodec<readonly Row<A>[]> {
  const decodeValue = sliceDecoder(inner);
  const decode = (buffer: Buffer, from: number, to: number): Either<Error, readonly Row<A>[]> => {
    const rows: Row<A>[] = [];
    for (let at = from; at < to;) {
      const length = readInt32(buffer, at + 24);
      const valueAt = at + HEAD;
      const value = decodeValue(buffer, valueAt, valueAt + length);
      if (isLeft(value)) return value;
      const encoded = buffer.subarray(valueAt, valueAt + length);
      rows.push(new Row(readInt64(buffer, at), readInt64(buffer, at + 8), value.right, readInt64(buffer, at + 16), encoded));
      at = valueAt + length;
    }
    return right(rows);
  };
  return {
    encode: (rows) => {
      for (const row of rows) row.encoded ??= toBytes(inner.encode(row.value));
      const bytes = new Uint8Array(bytesOfRows(rows));
      let at = 0;
      for (const row of rows) at = writeRow(bytes, at, row, row.encoded!);
      return bytes;
    },
    decode: (bytes) => decode(asBuffer(bytes), 0, bytes.length),
    [decodeSlice]: decode,
  };
}

/** About what they take in an entry: exactly, once their values are encoded. */
export function bytesOfRows(rows: readonly Row<unknown>[]): number {
  let bytes = 0;
  for (const { encoded } of rows) bytes += HEAD + (encoded === undefined ? ABOUT_A_PRIMITIVE : encoded.length);
  return bytes;
}

export function encodeRows(rows: readonly EncodedRow[]): Uint8Array {
  const bytes = new Uint8Array(rows.reduce((sum, { value }) => sum + HEAD + value.length, 0));
  let at = 0;
  for (const row of rows) at = writeRow(bytes, at, row, row.value);
  return bytes;
}

/** Gives the place behind it. */
function writeRow(bytes: Uint8Array, at: number, row: Omit<EncodedRow, 'value'>, value: Uint8Array): number {
  const { start, end, timestamp } = row;
  writeInt64(bytes, start, at);
  writeInt64(bytes, end, at + 8);
  writeInt64(bytes, timestamp, at + 16);
  writeInt32(bytes, value.length, at + 24);
  bytes.set(value, at + HEAD);
  return at + HEAD + value.length;
}

/** The rows of an entry, their values left as bytes. */
export function decodeRows(bytes: Uint8Array, from: number): EncodedRow[] {
  const buffer = asBuffer(bytes);
  const rows: EncodedRow[] = [];
  for (let at = from; at < buffer.length;) {
    const length = readInt32(buffer, at + 24);
    const value = buffer.subarray(at + HEAD, at + HEAD + length);
    rows.push({ start: readInt64(buffer, at), end: readInt64(buffer, at + 8), timestamp: readInt64(buffer, at + 16), value });
    at += HEAD + length;
  }
  return rows;
}
