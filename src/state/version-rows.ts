import { type Either, map, right } from 'fp-ts/Either';
import { readInt64, writeInt64 } from '../codec/int64-bytes';
import { sliceDecoder } from '../codec/slice-decoder';
import { asBuffer, toBytes } from '../codec/utf8';
import { type Codec, decodeSlice, type SliceCodec } from '../model/codec';
import type { Row } from './rows';

/** What a key was from `start` on, up to the next version; null: nothing. `end` says nothing. */
export type VersionRow<V> = Row<V | null>;

/** The changelog has a record for each version, so that no compaction loses one: key ‖ i64 time from which it is valid. */
const TAIL = 8;

type Place = Pick<Row<unknown>, 'start' | 'end'>;

/** A row kind (row-kind.ts). */
export const versionRows = {
  tail: TAIL,
  timeOf: ({ start }: Place): number => start,
  order: (a: Place, b: Place): number => a.start - b.start,
  changelogKey(key: Uint8Array, { start }: Place): Uint8Array {
    const bytes = new Uint8Array(key.length + TAIL);
    bytes.set(key);
    writeInt64(bytes, start, key.length);
    return bytes;
  },
  boundsIn(buffer: Uint8Array, to: number): Place {
    const start = readInt64(buffer, to - TAIL);
    return { start, end: start };
  },
} as const;

const nothing = Uint8Array.of(0);

/** u8 (0: from here on there is nothing; 1: there is a value) ‖ value. A null of Kafka's would say that the version is gone. */
export function versionCodec<V>(inner: Codec<V>): SliceCodec<V | null> {
  const decodeValue = sliceDecoder(inner);
  const decode = (buffer: Buffer, from: number, to: number): Either<Error, V | null> =>
    buffer[from] === 0 ? right(null) : map((value: V): V | null => value)(decodeValue(buffer, from + 1, to));
  return {
    encode: (value) => {
      if (value === null) return nothing;
      const encoded = toBytes(inner.encode(value));
      const bytes = new Uint8Array(1 + encoded.length);
      bytes[0] = 1;
      bytes.set(encoded, 1);
      return bytes;
    },
    decode: (bytes) => decode(asBuffer(bytes), 0, bytes.length),
    [decodeSlice]: decode,
  };
}

/** A value that `versionCodec` has written says that there is none. */
export function saysNothing(encoded: Uint8Array): boolean {
  return encoded[0] === 0;
}

/** Index of the version valid at `time`; -1: all are later. */
export function validAt(rows: readonly Place[], time: number): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle]!.start <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * Once the history begins here nobody can find the first version any more: the next one has taken its place, or it says that there is
 * nothing, as would be found without it. Infinity: it is the latest.
 */
export function goneFrom<R extends Place>(rows: readonly R[], isNothing: (row: R) => boolean): number {
  const [first, next] = rows;
  if (first === undefined) return Infinity;
  return isNothing(first) ? first.start : (next?.start ?? Infinity);
}
