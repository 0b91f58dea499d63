import { type Codec, type SliceCodec, textAsIs } from '../model/codec';
import { asBuffer, readLatin1 } from './utf8';

/**
 * A string for each key, equal for two keys iff their encoded bytes are equal: what maps of keys are keyed by.
 * For `string` it is the key, with no work; for any other codec it is the encoded bytes as latin1.
 */
export function identityOf<K>(codec: Codec<K>): (key: K) => string {
  if (isText(codec)) return (key) => key as string;
  return (key) => latin1Of(codec.encode(key));
}

/** Orders two identities of one codec as Kafka orders their keys: by bytes, unsigned. Negative, zero or positive. */
export function compareIdentity<K>(codec: Codec<K>): (a: string, b: string) => number {
  return isText(codec) ? compareUtf8 : compareUnits;
}

/** The key's bytes, from its identity. */
export function identityBytes<K>(codec: Codec<K>): (identity: string) => Uint8Array {
  const encoding = isText(codec) ? 'utf8' : 'latin1';
  return (identity) => Buffer.from(identity, encoding);
}

/** What the codec gives for a key, from its identity alone; a text stays one. */
export function encodedKeyOf<K>(codec: Codec<K>): (identity: string) => string | Uint8Array {
  return isText(codec) ? (identity) => identity : identityBytes(codec);
}

function isText<K>(codec: Codec<K>): boolean {
  return (codec as SliceCodec<K>)[textAsIs] === true;
}

function latin1Of(encoded: string | Uint8Array): string {
  if (typeof encoded === 'string') {
    const bytes = Buffer.byteLength(encoded);
    return bytes === encoded.length ? encoded : readLatin1(Buffer.from(encoded, 'utf8'), 0, bytes);
  }
  return readLatin1(asBuffer(encoded), 0, encoded.length);
}

function compareUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Orders texts as their UTF-8 bytes, unsigned. That is the order of code points; UTF-16, which `<` compares, differs from it in
 * one place: surrogates (code points above U+FFFF) sort before U+E000–U+FFFF.
 */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

/** Moves the surrogates above every other unit. Where two texts differ first, that makes units compare as code points do. */
export function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x2800 : unit;
}
