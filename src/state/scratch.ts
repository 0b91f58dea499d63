import { ByteSlab } from './byte-slab';

/** Views longer than this are made anew each time. */
const LONGEST_KEPT = 256;

/** One piece of memory that is written anew each time. Its views are kept, so that handing one out allocates nothing. */
export class Scratch extends ByteSlab {
  private readonly views: (Uint8Array | undefined)[] = [];
  private viewed: Buffer = this.buffer;

  /** The first `length` bytes, until they are written again. */
  upTo(length: number): Uint8Array {
    if (length > LONGEST_KEPT) return this.view(0, length);
    if (this.viewed !== this.buffer) {
      this.viewed = this.buffer;
      this.views.length = 0;
    }
    return (this.views[length] ??= this.view(0, length));
  }
}
