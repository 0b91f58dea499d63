import { type Either, left, map } from 'fp-ts/Either';
import { readInt64, writeInt64 } from '../codec/int64-bytes';
import { sliceDecoder } from '../codec/slice-decoder';
import { asBuffer, toBytes } from '../codec/utf8';
import { MillraceError } from '../errors/millrace-error';
import { type Codec, decodeSlice, type SliceCodec } from '../model/codec';

/** A key with a number by arrival: what several rows of one key are told apart by. Immutable. */
export class NumberedKey<K> {
  constructor(
    readonly key: K,
    readonly number: number,
  ) {}
}

const NUMBER = 8;

/** key ‖ i64 number. */
export function numberedKeyCodec<K>(inner: Codec<K>): SliceCodec<NumberedKey<K>> {
  const decodeKey = sliceDecoder(inner);
  const decode = (buffer: Buffer, from: number, to: number): Either<Error, NumberedKey<K>> => {
    const at = to - NUMBER;
    if (at < from) return left(new MillraceError('DECODE', 'the bytes are no key with a number behind it'));
    return map((key: K) => new NumberedKey(key, readInt64(buffer, at)))(decodeKey(buffer, from, at));
  };
  return {
    encode: ({ key, number }) => {
      const encoded = toBytes(inner.encode(key));
      const bytes = new Uint8Array(encoded.length + NUMBER);
      bytes.set(encoded);
      writeInt64(bytes, number, encoded.length);
      return bytes;
    },
    decode: (bytes) => decode(asBuffer(bytes), 0, bytes.length),
    [decodeSlice]: decode,
  };
}

/** Orders identities (codec/identity.ts) by the bytes of their keys, then by number: as they are, one key may end within another. */
export function compareNumbered(a: string, b: string): number {
  return compareUnits(a.slice(0, -NUMBER), b.slice(0, -NUMBER)) || compareUnits(a.slice(-NUMBER), b.slice(-NUMBER));
}

function compareUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
