import {
  acceptsNull,
  type BytesInPassing,
  type Codec,
  decodeSlice,
  encodePassing,
  partitionBytes,
  type SliceCodec,
  textAsIs,
} from '../model/codec';
import { MillraceError } from '../errors/millrace-error';

/**
 * A codec for what may be Kafka's null: a tombstone as a value, no key as a key. The null itself never reaches a codec; whoever
 * reads or writes a record asks `takesNull` and handles it.
 *
 * @example nullable(json(Visit))
 */
export function nullable<A>(codec: Codec<A>): SliceCodec<A | null> {
  const inner: SliceCodec<A> = codec;
  const slice = inner[decodeSlice];
  const partition = inner[partitionBytes];
  const passing = inner[encodePassing];
  return {
    encode: (value) => codec.encode(present(value)),
    decode: (bytes) => codec.decode(bytes),
    ...(slice && { [decodeSlice]: slice }),
    ...(passing && { [encodePassing]: (value: A | null, bytes: BytesInPassing) => passing(present(value), bytes) }),
    ...(partition && { [partitionBytes]: (value: A | null) => partition(present(value)) }),
    ...(inner[textAsIs] && { [textAsIs]: true }),
    [acceptsNull]: true,
  };
}

/** True of codecs made by `nullable`. */
export function takesNull<A>(codec: Codec<A>): boolean {
  return (codec as SliceCodec<A>)[acceptsNull] === true;
}

function present<A>(value: A | null): A {
  if (value === null) throw new MillraceError('ENCODE', "a null has no bytes: it is written as Kafka's null, not by a codec");
  return value;
}
