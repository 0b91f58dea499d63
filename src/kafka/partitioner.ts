import { type Codec, partitionBytes, type SliceCodec } from '../model/codec';

const MULTIPLIER = 0x5bd1e995;
const SEED = 0x9747b28c;

/** Java's murmur2 (`Utils.murmur2`), as a signed int; of a string the hash of its UTF-8 bytes. */
export function murmur2(key: string | Uint8Array): number {
  return typeof key === 'string' ? murmur2OfText(key) : murmur2OfBytes(key);
}

/** The partition Kafka's default partitioner chooses for a key. Who has a null key chooses otherwise. */
export function partitionFor(key: string | Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/** The partition for a key of `codec`, encoded already: a windowed key lies where its inner key lies. */
export function partitionOf<K>(codec: Codec<K>, key: K, encoded: string | Uint8Array, partitions: number): number {
  const deciding = (codec as SliceCodec<K>)[partitionBytes];
  return partitionFor(deciding === undefined ? encoded : deciding(key), partitions);
}

function murmur2OfBytes(bytes: Uint8Array): number {
  const length = bytes.length;
  const whole = length & ~3;
  let hash = SEED ^ length;
  for (let i = 0; i < whole; i += 4) {
    hash = mixed(hash, bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24));
  }
  let tail = 0;
  for (let i = length - 1; i >= whole; i--) tail = (tail << 8) | bytes[i]!;
  return finished(hash, tail, length > whole);
}

/** Hashes the characters as if they were bytes, and begins anew over the bytes if one of them was not ASCII. */
function murmur2OfText(text: string): number {
  const length = text.length;
  const whole = length & ~3;
  let hash = SEED ^ length;
  let seen = 0;
  for (let i = 0; i < whole; i += 4) {
    const a = text.charCodeAt(i);
    const b = text.charCodeAt(i + 1);
    const c = text.charCodeAt(i + 2);
    const d = text.charCodeAt(i + 3);
    seen |= a | b | c | d;
    hash = mixed(hash, a | (b << 8) | (c << 16) | (d << 24));
  }
  let tail = 0;
  for (let i = length - 1; i >= whole; i--) {
    const code = text.charCodeAt(i);
    seen |= code;
    tail = (tail << 8) | code;
  }
  return seen > 0x7f ? murmur2OfBytes(Buffer.from(text, 'utf8')) : finished(hash, tail, length > whole);
}

function mixed(hash: number, word: number): number {
  let k = Math.imul(word, MULTIPLIER);
  k = Math.imul(k ^ (k >>> 24), MULTIPLIER);
  return Math.imul(hash, MULTIPLIER) ^ k;
}

function finished(hash: number, tail: number, withTail: boolean): number {
  let h = withTail ? Math.imul(hash ^ tail, MULTIPLIER) : hash;
  h = Math.imul(h ^ (h >>> 13), MULTIPLIER);
  return h ^ (h >>> 15);
}
