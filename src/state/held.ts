import { type Either, isLeft, right } from 'fp-ts/Either';
import { readInt32, readInt64, writeInt32, writeInt64 } from '../codec/int64-bytes';
import { sliceDecoder } from '../codec/slice-decoder';
import { asBuffer, readUtf8Lossy, toBytes } from '../codec/utf8';
import { type Codec, decodeSlice, type SliceCodec } from '../model/codec';

export type Headers = ReadonlyMap<string, Uint8Array>;

const noHeaders: Headers = new Map();

/** A result that is held back. Immutable. */
export class Held<V> {
  constructor(
    /** Its place in the order, ms: that of the first result held of its key. */
    readonly bufferTime: number,
    readonly value: V | null,
    readonly headers: Headers,
    /** The value as its codec gave it; undefined: null. */
    readonly encoded: Uint8Array | undefined,
    /** Nothing is held: a result has been released, and no other may follow it. */
    readonly isReleased: boolean = false,
  ) {}

  /** Stands where a result was until its time is over. */
  static released<V>(bufferTime: number): Held<V> {
    return new Held<V>(bufferTime, null, noHeaders, undefined, true);
  }

  /** Bytes, the key apart: value, headers, timestamp. */
  get size(): number {
    let size = TIMESTAMP + (this.encoded?.length ?? 0);
    for (const [name, value] of this.headers) size += Buffer.byteLength(name) + value.length;
    return size;
  }
}

const TIMESTAMP = 8;
const HEAD = 12;
const NULL = -1;
const RELEASED = -2;

/*
 * i64 buffer time ‖ i32 length of the value, -1 for null, -2 for what has been released ‖ value ‖ for each header: i32 length ‖ name ‖ i32 length ‖ value. The
 * timestamp of the result is that of the entry.
 */
export function heldCodec<V>(inner: Codec<V>): SliceCodec<Held<V>> {
  const decodeValue = sliceDecoder(inner);
  const decode = (buffer: Buffer, from: number, to: number): Either<Error, Held<V>> => {
    const bufferTime = bufferTimeOf(buffer, from);
    const length = readInt32(buffer, from + 8);
    const valueTo = from + HEAD + Math.max(0, length);
    if (length === RELEASED) return right(Held.released<V>(bufferTime));
    const headers = decodeHeaders(buffer, valueTo, to);
    if (length < 0) return right(new Held<V>(bufferTime, null, headers, undefined));
    const value = decodeValue(buffer, from + HEAD, valueTo);
    if (isLeft(value)) return value;
    return right(new Held(bufferTime, value.right, headers, buffer.subarray(from + HEAD, valueTo)));
  };
  return { encode, decode: (bytes) => decode(asBuffer(bytes), 0, bytes.length), [decodeSlice]: decode };
}

/** The buffer time of what `heldCodec` has written. */
export function bufferTimeOf(bytes: Uint8Array, at: number): number {
  return readInt64(bytes, at);
}

function encode({ bufferTime, headers, encoded, isReleased }: Held<unknown>): Uint8Array {
  const parts: Uint8Array[] = encoded === undefined ? [] : [encoded];
  for (const [name, value] of headers) {
    const text = toBytes(name);
    parts.push(lengthOf(text), text, lengthOf(value), value);
  }
  const head = new Uint8Array(HEAD);
  writeInt64(head, bufferTime, 0);
  writeInt32(head, encoded?.length ?? (isReleased ? RELEASED : NULL), 8);
  return Buffer.concat([head, ...parts]);
}

function lengthOf(part: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  writeInt32(length, part.length, 0);
  return length;
}

function decodeHeaders(buffer: Buffer, from: number, to: number): Headers {
  if (from >= to) return noHeaders;
  const headers = new Map<string, Uint8Array>();
  for (let at = from; at < to;) {
    const nameTo = at + 4 + readInt32(buffer, at);
    const valueTo = nameTo + 4 + readInt32(buffer, nameTo);
    // A copy: what it lies in may be a page of the disk.
    headers.set(readUtf8Lossy(buffer, at + 4, nameTo), Uint8Array.from(buffer.subarray(nameTo + 4, valueTo)));
    at = valueTo;
  }
  return headers;
}
