import { type Either, isLeft, right } from 'fp-ts/Either';
import { readInt64, writeInt64 } from '../codec/int64-bytes';
import { sliceDecoder } from '../codec/slice-decoder';
import { asBuffer, toBytes } from '../codec/utf8';
import { type Codec, decodeSlice, type SliceCodec } from '../model/codec';

/** The aggregate of a window of counted records, with how many of them it has. Immutable. */
export class Counted<A> {
  readonly records: number;
  /** Null: there are records, but what was made of them was deleted. */
  readonly value: A | null;

  constructor(records: number, value: A | null) {
    this.records = records;
    this.value = value;
  }
}

/** i64 records ‖ u8 (1: a value follows) ‖ value. */
const HEAD = 9;

/** Counted values of `inner`, which is given no null. */
export function countedCodec<A>(inner: Codec<A>): SliceCodec<Counted<A>> {
  const decodeValue = sliceDecoder(inner);
  const decode = (buffer: Buffer, from: number, to: number): Either<Error, Counted<A>> => {
    const records = readInt64(buffer, from);
    if (buffer[from + HEAD - 1] === 0) return right(new Counted<A>(records, null));
    const value = decodeValue(buffer, from + HEAD, to);
    return isLeft(value) ? value : right(new Counted(records, value.right));
  };
  return {
    encode: ({ records, value }) => {
      const encoded = value === null ? undefined : toBytes(inner.encode(value));
      const bytes = new Uint8Array(HEAD + (encoded?.length ?? 0));
      writeInt64(bytes, records, 0);
      if (encoded !== undefined) {
        bytes[HEAD - 1] = 1;
        bytes.set(encoded, HEAD);
      }
      return bytes;
    },
    decode: (bytes) => decode(asBuffer(bytes), 0, bytes.length),
    [decodeSlice]: decode,
  };
}
