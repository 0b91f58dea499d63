import { type Either, left, map } from 'fp-ts/Either';
import { readInt32, writeInt32 } from '../codec/int64-bytes';
import { sliceDecoder } from '../codec/slice-decoder';
import { asBuffer, isWellFormed, readUtf8, toBytes } from '../codec/utf8';
import { MillraceError } from '../errors/millrace-error';
import { type Codec, decodeSlice, type SliceCodec } from '../model/codec';

/** What rows are kept by where a key has several. Immutable. */
export class KeyWithId<K> {
  constructor(
    readonly key: K,
    readonly id: string,
  ) {}
}

const LENGTH = 4;

/** key ‖ id as UTF-8 ‖ i32 length of the id in bytes: unequal pairs have unequal bytes, and rows of a key lie side by side. */
export function keyWithIdCodec<K>(store: string, inner: Codec<K>): SliceCodec<KeyWithId<K>> {
  const decodeKey = sliceDecoder(inner);
  const decode = (buffer: Buffer, from: number, to: number): Either<Error, KeyWithId<K>> => {
    const idTo = to - LENGTH;
    const idFrom = idTo < from ? -1 : idTo - readInt32(buffer, idTo);
    if (idFrom < from || idFrom > idTo) return left(new MillraceError('DECODE', 'the bytes are no key with an id behind it'));
    const id = readUtf8(buffer, idFrom, idTo);
    if (id._tag === 'Left') return id;
    return map((key: K) => new KeyWithId(key, id.right))(decodeKey(buffer, from, idFrom));
  };
  return {
    encode: (pair) => {
      if (!(pair instanceof KeyWithId)) throw keptById(store);
      if (!isWellFormed(pair.id)) throw new MillraceError('ENCODE', `the id ${JSON.stringify(pair.id)} is no valid text: half a character`);
      const key = toBytes(inner.encode(pair.key));
      const id = Buffer.from(pair.id, 'utf8');
      const bytes = new Uint8Array(key.length + id.length + LENGTH);
      bytes.set(key);
      bytes.set(id, key.length);
      writeInt32(bytes, id.length, key.length + id.length);
      return bytes;
    },
    decode: (bytes) => decode(asBuffer(bytes), 0, bytes.length),
    [decodeSlice]: decode,
  };
}

function keptById(store: string): MillraceError {
  return new MillraceError('CONFIG', `store ${store}: its rows are kept by key and id, so that a key alone names none of them`, {
    where: { store },
  });
}
