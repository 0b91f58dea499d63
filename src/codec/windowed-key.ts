import { type Either, left, right } from 'fp-ts/Either';
import { MillraceError } from '../errors/millrace-error';
import { type BytesInPassing, type Codec, decodeSlice, encodePassing, partitionBytes, type SliceCodec } from '../model/codec';
import type { Windowed } from '../model/window';
import { copyBytes } from './copy-bytes';
import { readInt64, writeInt64 } from './int64-bytes';
import { sliceDecoder } from './slice-decoder';
import { asBuffer, toBytes, writeShortAscii } from './utf8';

const onTheirOwn: BytesInPassing = { take: (length) => new Uint8Array(length) };

/**
 * The key of a time window in a topic, as Kafka Streams writes it: key ‖ i64 start. The end is not written: `endOf` gives it when
 * reading, so it is that of the declared windows. The partition is that of the inner key.
 */
export function timeWindowedKey<K>(inner: Codec<K>, endOf: (start: number) => number): SliceCodec<Windowed<K>> {
  const decodeInner = sliceDecoder(inner);
  const decode = (buffer: Buffer, start: number, end: number): Either<Error, Windowed<K>> => {
    if (end - start < 8) return left(tooShort('a time window', 8, end - start));
    const windowStart = readInt64(buffer, end - 8);
    if (!isTime(windowStart)) return left(noTime(buffer, end - 8));
    const key = decodeInner(buffer, start, end - 8);
    if (key._tag === 'Left') return key;
    try {
      return right({ key: key.right, start: windowStart, end: endOf(windowStart) });
    } catch (cause) {
      return left(new MillraceError('DECODE', `no window starts at ${windowStart}`, { cause }));
    }
  };
  const encode = (windowed: Windowed<K>, bytes: BytesInPassing): Uint8Array => {
    const encoded = withSuffix(inner.encode(windowed.key), 8, bytes);
    writeInt64(encoded, checked(windowed.start), encoded.length - 8);
    return encoded;
  };
  return {
    encode: (windowed) => encode(windowed, onTheirOwn),
    decode: (bytes) => decode(asBuffer(bytes), 0, bytes.length),
    [decodeSlice]: decode,
    [encodePassing]: encode,
    [partitionBytes]: innerPartitionBytes(inner),
  };
}

/** The key of a session, in a topic and in a store, as Kafka Streams writes it: key ‖ i64 end ‖ i64 start. The partition is that of the inner key. */
export function sessionWindowedKey<K>(inner: Codec<K>): SliceCodec<Windowed<K>> {
  const decodeInner = sliceDecoder(inner);
  const decode = (buffer: Buffer, start: number, end: number): Either<Error, Windowed<K>> => {
    if (end - start < 16) return left(tooShort('a session', 16, end - start));
    const sessionEnd = readInt64(buffer, end - 16);
    const sessionStart = readInt64(buffer, end - 8);
    if (!isTime(sessionEnd)) return left(noTime(buffer, end - 16));
    if (!isTime(sessionStart)) return left(noTime(buffer, end - 8));
    const key = decodeInner(buffer, start, end - 16);
    return key._tag === 'Left' ? key : right({ key: key.right, start: sessionStart, end: sessionEnd });
  };
  return {
    encode: (windowed) => {
      const encoded = withSuffix(inner.encode(windowed.key), 16, onTheirOwn);
      writeInt64(encoded, checked(windowed.end), encoded.length - 16);
      writeInt64(encoded, checked(windowed.start), encoded.length - 8);
      return encoded;
    },
    decode: (bytes) => decode(asBuffer(bytes), 0, bytes.length),
    [decodeSlice]: decode,
    [partitionBytes]: innerPartitionBytes(inner),
  };
}

function innerPartitionBytes<K>(inner: Codec<K>): (windowed: Windowed<K>) => string | Uint8Array {
  const own = (inner as SliceCodec<K>)[partitionBytes];
  return own ? (windowed) => own(windowed.key) : (windowed) => inner.encode(windowed.key);
}

/** The bytes of a key with room for `suffix` more behind them. */
function withSuffix(key: string | Uint8Array, suffix: number, room: BytesInPassing): Uint8Array {
  if (typeof key === 'string') {
    const bytes = room.take(key.length + suffix);
    if (writeShortAscii(key, bytes, 0)) return bytes;
  }
  const encoded = toBytes(key);
  const bytes = room.take(encoded.length + suffix);
  copyBytes(encoded, bytes, 0);
  return bytes;
}

function isTime(time: number): boolean {
  return Number.isSafeInteger(time) && time >= 0;
}

function checked(time: number): number {
  if (!isTime(time)) throw new MillraceError('ENCODE', `a window bound is a whole number of ms from 0 to 2^53 - 1, not ${time}`);
  return time;
}

function noTime(buffer: Buffer, at: number): MillraceError {
  return new MillraceError('DECODE', `the window bound ${buffer.readBigInt64BE(at).toString()} is no time from 0 to 2^53 - 1`);
}

function tooShort(what: string, least: number, actual: number): MillraceError {
  return new MillraceError('DECODE', `the key of ${what} has at least ${least} bytes, there are ${actual}`);
}
