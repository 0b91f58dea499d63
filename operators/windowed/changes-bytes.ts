import type { Codec } from '../../src/model/codec';

/** Do the two values differ once encoded? A missing value and null are the same. */
export function changesBytes(codec: Codec<unknown>, before: unknown, after: unknown): boolean {
  const was = before ?? null;
  const is = after ?? null;
  if (Object.is(was, is)) return false;
  if (was === null || is === null) return true;
  return Buffer.compare(asBytes(codec.encode(was)), asBytes(codec.encode(is))) !== 0;
}

function asBytes(encoded: string | Uint8Array): Uint8Array {
  return typeof encoded === 'string' ? Buffer.from(encoded, 'utf8') : encoded;
}
