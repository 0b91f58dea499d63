/**
 * Freezes a value with everything in it, so that a change in place throws where it is made instead of being lost. What cannot be
 * frozen (typed arrays), or keeps its contents elsewhere (Map, Set, Date), is left as it is.
 */
export function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || Object.isFrozen(value)) return;
  Object.freeze(value);
  for (const part of Object.values(value)) deepFreeze(part);
}
