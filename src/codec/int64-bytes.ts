/**
 * Int64, big-endian, without a BigInt: exact within ±(2^53 - 1). What lies beyond comes out rounded to a double that is no
 * safe integer either, so that the caller's check finds it.
 */
const TWO_32 = 0x1_0000_0000;

export function readInt64(buffer: Uint8Array, at: number): number {
  const high = (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
  const low = (buffer[at + 4]! << 24) | (buffer[at + 5]! << 16) | (buffer[at + 6]! << 8) | buffer[at + 7]!;
  return high * TWO_32 + (low >>> 0);
}

/** `value` is a safe integer, or any int64 as a bigint. */
export function writeInt64(buffer: Uint8Array, value: number | bigint, at: number): void {
  const high = typeof value === 'bigint' ? Number(BigInt.asIntN(32, value >> 32n)) : Math.floor(value / TWO_32);
  const low = typeof value === 'bigint' ? Number(BigInt.asUintN(32, value)) : value - high * TWO_32;
  writeInt32(buffer, high, at);
  writeInt32(buffer, low, at + 4);
}

export function readInt32(buffer: Uint8Array, at: number): number {
  return (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
}

export function writeInt32(buffer: Uint8Array, value: number, at: number): void {
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
}
