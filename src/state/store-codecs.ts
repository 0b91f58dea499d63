import { inspect } from 'node:util';
import { isLeft } from 'fp-ts/Either';
import { compareIdentity, encodedKeyOf, identityBytes, identityOf } from '../codec/identity';
import { encodeInPassing, PassingBytes } from '../codec/passing-bytes';
import { sliceDecoder, type SliceDecoder } from '../codec/slice-decoder';
import { asBuffer } from '../codec/utf8';
import { MillraceError } from '../errors/millrace-error';
import type { Codec } from '../model/codec';
import type { StoreShape } from '../model/store-definition';

/** Keys and values of one store as bytes and back; what a codec throws or refuses names the store. */
export class StoreCodecs<K, A> {
  readonly identityOf: (key: K) => string;
  readonly compare: (a: string, b: string) => number;
  readonly identityBytes: (identity: string) => Uint8Array;
  /** What the codec has given for the key of an identity, a text as it is. */
  readonly keyOf: (identity: string) => string | Uint8Array;
  private readonly room = new PassingBytes();
  private readonly decodeKeySlice: SliceDecoder<K>;
  private readonly decodeValueSlice: SliceDecoder<A>;

  constructor(private readonly shape: StoreShape) {
    this.identityOf = identityOf(shape.key);
    this.compare = compareIdentity(shape.key);
    this.identityBytes = identityBytes(shape.key);
    this.keyOf = encodedKeyOf(shape.key);
    this.decodeKeySlice = sliceDecoder(shape.key) as SliceDecoder<K>;
    this.decodeValueSlice = sliceDecoder(shape.value) as SliceDecoder<A>;
  }

  /** @throws ENCODE */
  encodeKey(key: K): string | Uint8Array {
    try {
      return this.shape.key.encode(key);
    } catch (cause) {
      throw this.unwritable(`the key ${shown(key)}`, cause);
    }
  }

  /** @throws ENCODE */
  encodeValue(key: K, value: A): string | Uint8Array {
    try {
      return this.shape.value.encode(value);
    } catch (cause) {
      throw this.unwritableValue(key, cause);
    }
  }

  /** As `encodeValue`, valid until the next call. @throws ENCODE */
  encodeValueInPassing(key: K, value: A): string | Uint8Array {
    try {
      return encodeInPassing(this.shape.value as Codec<A>, value, this.room);
    } catch (cause) {
      throw this.unwritableValue(key, cause);
    }
  }

  unwritableValue(key: K, cause: unknown): MillraceError {
    return this.unwritable(`the value of key ${shown(key)}`, cause);
  }

  /** @throws DECODE */
  decodeKey(bytes: Uint8Array, from: number): K {
    const buffer = asBuffer(bytes);
    const key = this.decodeKeySlice(buffer, from, buffer.length);
    if (isLeft(key)) throw this.unreadable('a key', key.left);
    return key.right;
  }

  /** @throws DECODE */
  decodeValue(bytes: Uint8Array, from: number): A {
    const buffer = asBuffer(bytes);
    const value = this.decodeValueSlice(buffer, from, buffer.length);
    if (isLeft(value)) throw this.unreadable('a value', value.left);
    return value.right;
  }

  private unwritable(what: string, cause: unknown): MillraceError {
    const { name } = this.shape;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new MillraceError('ENCODE', `store "${name}": ${what} does not encode: ${reason}`, { cause, where: { store: name } });
  }

  private unreadable(what: string, cause: Error): MillraceError {
    const { name } = this.shape;
    return new MillraceError(
      'DECODE',
      `store "${name}": its codec does not read ${what} that was stored: ${cause.message}; if the codec has changed, reset the application or name a new store`,
      { cause, where: { store: name } },
    );
  }
}

function shown(key: unknown): string {
  return inspect(key, { depth: 2, breakLength: Infinity, maxStringLength: 100, maxArrayLength: 20 });
}
