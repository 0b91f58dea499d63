import { encodePassing, type BytesInPassing, type Codec, type SliceCodec } from '../model/codec';

/** Pieces longer than this are made anew each time. */
const LONGEST_KEPT = 256;

/** One piece of memory for what is encoded and copied at once. Its views are kept, so that handing one out allocates nothing. */
export class PassingBytes implements BytesInPassing {
  private readonly memory = new ArrayBuffer(LONGEST_KEPT);
  private readonly views: (Uint8Array | undefined)[] = [];

  take(length: number): Uint8Array {
    if (length > LONGEST_KEPT) return new Uint8Array(length);
    return (this.views[length] ??= new Uint8Array(this.memory, 0, length));
  }
}

/** What the codec gives for `value`, valid until something else is encoded in passing through `bytes`. */
export function encodeInPassing<A>(codec: Codec<A>, value: A, bytes: BytesInPassing): string | Uint8Array {
  const passing = (codec as SliceCodec<A>)[encodePassing];
  return passing === undefined ? codec.encode(value) : passing(value, bytes);
}
