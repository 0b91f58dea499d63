import { left, right, type Either } from 'fp-ts/Either';
import { MillraceError } from '../errors/millrace-error';
import type { Codec } from '../model/codec';
import { readInt32, writeInt32 } from './int64-bytes';
import { toBytes } from './utf8';
import type { Change } from '../model/table';

const BEFORE = 1;
const AFTER = 2;
const HEAD = 5;

/** A change of a row on its way through an internal topic: u8 which of the two there are ‖ i32 length of the first ‖ before ‖ after. */
export function changeOf<V>(value: Codec<V>): Codec<Change<V>> {
  const bytesOf = (side: V | undefined): Uint8Array => (side === undefined ? new Uint8Array() : toBytes(value.encode(side)));
  return {
    encode: ({ before, after }) => {
      const [first, second] = [bytesOf(before), bytesOf(after)];
      const bytes = new Uint8Array(HEAD + first.length + second.length);
      bytes[0] = (before === undefined ? 0 : BEFORE) | (after === undefined ? 0 : AFTER);
      writeInt32(bytes, first.length, 1);
      bytes.set(first, HEAD);
      bytes.set(second, HEAD + first.length);
      return bytes;
    },
    decode: (bytes) => {
      const middle = bytes.length < HEAD ? Infinity : HEAD + readInt32(bytes, 1);
      if (middle > bytes.length || middle < HEAD) return left(new MillraceError('DECODE', 'these bytes are no change of a row'));
      const before = side(value, (bytes[0]! & BEFORE) !== 0, bytes.subarray(HEAD, middle));
      if (before._tag === 'Left') return before;
      const after = side(value, (bytes[0]! & AFTER) !== 0, bytes.subarray(middle));
      return after._tag === 'Left' ? after : right({ before: before.right, after: after.right });
    },
  };
}

function side<V>(value: Codec<V>, isThere: boolean, bytes: Uint8Array): Either<Error, V | undefined> {
  return isThere ? value.decode(bytes) : right(undefined);
}
