import type { BytesOperation } from '../state/port';

/*
 * LevelDB puts each entry of a batch into a skip list, a search from its top each time. In the order of a changelog nearly every step of it
 * misses the cache; in the order of the keys most of the path was just walked: half of the time of LevelDB's threads, for 16,384 entries.
 */

/** Operations put into order at once: about 2 ms. Their number is part of what is sorted. */
export const MOST_SORTED = 32_768;
/** Fewer are not worth it: their keys lie too far apart. */
const FEWEST_SORTED = 1_000;
/** Together with the number of an operation these bits fill a double's 53. */
const KEY_BITS = 38;
/** Bytes of a key that are looked at. */
const LOOKED_AT = 40;
/** One in so many keys says where keys differ. */
const SAMPLE = 13;

const differences = new Uint8Array(LOOKED_AT);

/** Bits of one byte of the keys. */
interface Bits {
  readonly at: number;
  readonly shift: number;
  readonly scale: number;
}

/**
 * The numbers of the operations from `from` to `to` (at most `MOST_SORTED`), nearly in the order of their keys: by the first 38 bits in
 * which these differ. Operations of one key keep their order.
 */
export function writeOrder(operations: readonly BytesOperation[], from: number, to: number): Uint32Array {
  const count = to - from;
  const order = new Uint32Array(count);
  if (count < FEWEST_SORTED) {
    for (let i = 0; i < count; i++) order[i] = from + i;
    return order;
  }
  const places = new Float64Array(count);
  const bits = differingBits(operations, from, to);
  for (let i = 0; i < count; i++) places[i] = place(operations[from + i]!.key, bits) * MOST_SORTED + i;
  places.sort();
  for (let i = 0; i < count; i++) order[i] = from + (places[i]! % MOST_SORTED);
  return order;
}

function place(key: Uint8Array, bits: readonly Bits[]): number {
  let place = 0;
  for (let i = 0; i < bits.length; i++) {
    const { at, shift, scale } = bits[i]!;
    // What the sample did not differ in is cut off here, so that it cannot run into the byte before.
    place = place * scale + (at < key.length ? (key[at]! >>> shift) & (scale - 1) : 0);
  }
  return place;
}

/** The bits that keys differ in, as a sample shows them; the same bits of all keys are ordered as the keys are. */
function differingBits(operations: readonly BytesOperation[], from: number, to: number): Bits[] {
  const first = operations[from]!.key;
  differences.fill(0);
  for (let i = from; i < to; i += SAMPLE) {
    const { key } = operations[i]!;
    const length = Math.min(Math.max(key.length, first.length), LOOKED_AT);
    for (let at = 0; at < length; at++) differences[at]! |= (key[at] ?? 0) ^ (first[at] ?? 0);
  }
  const bits: Bits[] = [];
  let left = KEY_BITS;
  for (let at = 0; at < LOOKED_AT && left > 0; at++) {
    const differing = differences[at]!;
    if (differing === 0) continue;
    const highest = 32 - Math.clz32(differing);
    const lowest = 31 - Math.clz32(differing & -differing);
    const width = Math.min(left, highest - lowest);
    bits.push({ at, shift: highest - width, scale: 2 ** width });
    left -= width;
  }
  return bits;
}
