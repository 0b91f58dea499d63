import { type Either, left, right } from 'fp-ts/Either';
import { MillraceError } from '../errors/millrace-error';
import { decodeSlice, encodePassing, type SliceCodec, textAsIs } from '../model/codec';
import { readInt64, writeInt32, writeInt64 } from './int64-bytes';
import { asBuffer, isWellFormed, readUtf8 } from './utf8';

/**
 * UTF-8 text. Bytes that are no UTF-8 are a decode error, a lone surrogate is an encode error: both would come back as
 * another text, and two keys as one.
 */
export const string: SliceCodec<string> = {
  encode: (value: unknown) => {
    if (typeof value !== 'string') throw cannotEncode('a string', value);
    if (!isWellFormed(value)) throw new MillraceError('ENCODE', 'the text has a lone surrogate, which UTF-8 cannot hold');
    return value;
  },
  decode: (bytes) => readUtf8(asBuffer(bytes), 0, bytes.length),
  [decodeSlice]: readUtf8,
  [textAsIs]: true,
};

/** Bytes as they are, copied both ways. */
export const bytes: SliceCodec<Uint8Array> = {
  encode: (value: unknown) => {
    if (!(value instanceof Uint8Array)) throw cannotEncode('a Uint8Array', value);
    return copyOf(value);
  },
  decode: (bytes) => right(copyOf(bytes)),
  [decodeSlice]: (buffer, start, end) => right(copyOf(buffer.subarray(start, end))),
};

/** Four bytes big-endian, as the JVM's Integer; a fraction or a number beyond 32 bits is an encode error. */
export const int32: SliceCodec<number> = {
  encode: (value) => {
    if ((value | 0) !== value) throw cannotEncode('a whole number of 32 bits', value);
    const encoded = new Uint8Array(4);
    writeInt32(encoded, value, 0);
    return encoded;
  },
  decode: (bytes) => decodeInt32(asBuffer(bytes), 0, bytes.length),
  [decodeSlice]: decodeInt32,
};

function decodeInt32(buffer: Buffer, start: number, end: number): Either<Error, number> {
  return end - start === 4 ? right(buffer.readInt32BE(start)) : left(wrongLength('int32', 4, end - start));
}

/** Eight bytes big-endian, as the JVM's Long; values beyond ±(2^53 - 1) are a decode error, fractions an encode error. */
export const int64: SliceCodec<number> = {
  encode: (value) => encodeInt64(value, new Uint8Array(8)),
  decode: (bytes) => decodeInt64(asBuffer(bytes), 0, bytes.length),
  [decodeSlice]: decodeInt64,
  [encodePassing]: (value, bytes) => encodeInt64(value, bytes.take(8)),
};

function encodeInt64(value: number, into: Uint8Array): Uint8Array {
  if (!Number.isSafeInteger(value)) throw cannotEncode('a whole number within ±(2^53 - 1)', value);
  writeInt64(into, value, 0);
  return into;
}

function decodeInt64(buffer: Buffer, start: number, end: number): Either<Error, number> {
  if (end - start !== 8) return left(wrongLength('int64', 8, end - start));
  const value = readInt64(buffer, start);
  if (Number.isSafeInteger(value)) return right(value);
  const exact = buffer.readBigInt64BE(start).toString();
  return left(new MillraceError('DECODE', `the int64 ${exact} is beyond ±(2^53 - 1), where a number loses digits`));
}

/** Eight bytes, IEEE 754 big-endian, as the JVM's Double; any number, also NaN, -0 and the infinities. */
export const float64: SliceCodec<number> = {
  encode: (value: unknown) => {
    if (typeof value !== 'number') throw cannotEncode('a number', value);
    const encoded = Buffer.allocUnsafe(8);
    encoded.writeDoubleBE(value, 0);
    return encoded;
  },
  decode: (bytes) => decodeFloat64(asBuffer(bytes), 0, bytes.length),
  [decodeSlice]: decodeFloat64,
};

function decodeFloat64(buffer: Buffer, start: number, end: number): Either<Error, number> {
  return end - start === 8 ? right(buffer.readDoubleBE(start)) : left(wrongLength('float64', 8, end - start));
}

/** A plain array of its own: a Buffer would hold a whole pool slab, or the fetched batch. */
function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  return copy;
}

function wrongLength(codec: string, expected: number, actual: number): MillraceError {
  return new MillraceError('DECODE', `${codec} takes ${expected} bytes, there are ${actual}`);
}

function cannotEncode(expected: string, value: unknown): MillraceError {
  const shown = typeof value === 'number' || typeof value === 'bigint' ? String(value) : value === null ? 'null' : `a ${typeof value}`;
  return new MillraceError('ENCODE', `expected ${expected}, got ${shown}`);
}
