import type { Either } from 'fp-ts/Either';
import { type Codec, decodeSlice, type SliceCodec } from '../model/codec';

export type SliceDecoder<A> = (buffer: Buffer, start: number, end: number) => Either<Error, A>;

/** How to read values of `codec` in place: its own fast path, or a view of the bytes. Ask once, not per record. */
export function sliceDecoder<A>(codec: Codec<A>): SliceDecoder<A> {
  const own = (codec as SliceCodec<A>)[decodeSlice];
  return own ?? ((buffer, start, end) => codec.decode(buffer.subarray(start, end)));
}
