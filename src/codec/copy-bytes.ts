/** `set` costs more than a loop for the few bytes that keys and counts have. */
export function copyBytes(from: Uint8Array, to: Uint8Array, at: number): void {
  const length = from.length;
  if (length > 32) to.set(from, at);
  else for (let i = 0; i < length; i++) to[at + i] = from[i]!;
}
