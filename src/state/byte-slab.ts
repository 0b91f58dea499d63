import { copyBytes } from '../codec/copy-bytes';
import { writeAscii, writeUtf8 } from '../codec/utf8';

const SLAB_BYTES = 64 * 1024;

/**
 * Hands out small pieces of large buffers: an allocation of its own for each key and value would cost more than the bytes.
 * What was handed out is never written again.
 */
export class ByteSlab {
  buffer: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES);
  /** Where the next piece begins. */
  at = 0;

  /** Makes room for `bytes` from `at` on. */
  reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    this.buffer = Buffer.allocUnsafeSlow(Math.max(bytes, SLAB_BYTES));
    this.at = 0;
  }

  /** Writes what a codec gave at `at`, for which `reserve(roomFor(encoded))` has made room, and gives its length. Does not move `at`. */
  write(encoded: string | Uint8Array, at: number): number {
    if (typeof encoded !== 'string') {
      copyBytes(encoded, this.buffer, at);
      return encoded.length;
    }
    if (writeAscii(encoded, this.buffer, at)) return encoded.length;
    const length = Buffer.byteLength(encoded);
    writeUtf8(encoded, this.buffer, at, length);
    return length;
  }

  /** A view of [from, to). */
  view(from: number, to: number): Uint8Array {
    return new Uint8Array(this.buffer.buffer, this.buffer.byteOffset + from, to - from);
  }
}

/** Bytes that `encoded` takes at most; exact for bytes. */
export function roomFor(encoded: string | Uint8Array): number {
  return typeof encoded === 'string' ? encoded.length * 3 : encoded.length;
}
