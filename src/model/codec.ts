import type { Either } from 'fp-ts/Either';
import type { ResultWindows } from './window';

/** Bytes ⇄ values; `encode` may give a string, which is written as UTF-8. Neither direction may keep or change its argument. */
export interface Codec<in out A> {
  readonly encode: (value: A) => string | Uint8Array;
  readonly decode: (bytes: Uint8Array) => Either<Error, A>;
}

/** How the two halves of a record become bytes: of a topic, a store, a repartition. */
export interface Codecs<K, V> {
  readonly key: Codec<K>;
  readonly value: Codec<V>;
}

/** Optional fast path of a codec: reads in place, so that the hot path makes no slice of the fetched buffer. */
export const decodeSlice: unique symbol = Symbol('millrace.decodeSlice');

/** Memory for what is encoded and copied at once. */
export interface BytesInPassing {
  /** Bytes of this length, valid until the next call. */
  take(length: number): Uint8Array;
}

/** Optional fast path of a codec: encodes into `bytes` instead of memory of its own. The caller copies what it gets before it asks again. */
export const encodePassing: unique symbol = Symbol('millrace.encodePassing');

/**
 * Optional method of a key codec whose partition is not decided by all of its bytes: gives those that decide.
 * A windowed key lies where its inner key lies.
 */
export const partitionBytes: unique symbol = Symbol('millrace.partitionBytes');

/** Marks a codec whose `encode` gives the very string it was given: such keys are compared and hashed as they are. */
export const textAsIs: unique symbol = Symbol('millrace.textAsIs');

/** Optional mark of the key codec of a windowed store: which windows its keys are of. */
export const keyWindows: unique symbol = Symbol('millrace.keyWindows');

/** Marks a codec made by `nullable`: the only kind that is given a null (Kafka's tombstone). */
export const acceptsNull: unique symbol = Symbol('millrace.acceptsNull');

export interface SliceCodec<in out A> extends Codec<A> {
  readonly [decodeSlice]?: (buffer: Buffer, start: number, end: number) => Either<Error, A>;
  readonly [encodePassing]?: (value: A, bytes: BytesInPassing) => string | Uint8Array;
  readonly [partitionBytes]?: (value: A) => string | Uint8Array;
  readonly [textAsIs]?: boolean;
  readonly [acceptsNull]?: boolean;
  readonly [keyWindows]?: ResultWindows;
}
