import fc from 'fast-check';
import { keyOrder } from '../../src/state/key-order';

/** The keys in the order that is found for them; they lie with gaps between them, backwards. */
function inOrder(keys: readonly Uint8Array[]): { readonly order: number[]; readonly keys: Uint8Array[] } {
  const bytes = Buffer.alloc(
    keys.reduce((sum, { length }) => sum + length + 1, 0),
    0xee,
  );
  const [starts, ends] = [new Int32Array(keys.length + 3), new Int32Array(keys.length + 3)];
  let at = bytes.length;
  keys.forEach((key, i) => {
    at -= key.length + 1;
    bytes.set(key, at);
    [starts[i], ends[i]] = [at, at + key.length];
  });
  const order = [...keyOrder(bytes, starts, ends, keys.length)];
  return { order, keys: order.map((i) => keys[i]!) };
}

/** Scattered over as many numbers as there are. */
const scattered = (count: number, below: number): number[] => Array.from({ length: count }, (_, i) => (i * 7_919 + ((i * i) % 31)) % below);
const text = (keys: readonly Uint8Array[]): string[] => keys.map((key) => Buffer.from(key).toString('hex'));

describe('the order of keys', () => {
  it.each([
    ['digits behind a name', (n: number) => Buffer.from(`account-${String(n).padStart(8, '0')}`)],
    [
      'a window’s start before a name',
      (n: number) => Buffer.concat([Buffer.of(1, 0, 1, 0, n % 3, n % 256), Buffer.from(`k${n}`.padEnd(9))]),
    ],
    ['numbers as bytes', (n: number) => Buffer.of(0, n >>> 16, n >>> 8, n)],
  ])('is found: %s', (_, key) => {
    const keys = scattered(20_000, 100_000).map(key);
    expect(text(inOrder(keys).keys)).toEqual(text(keys).sort());
  });

  it('is nearly found when the keys differ in more bits than a double holds', () => {
    const keys = scattered(20_000, 1_000_000).map((n) => Buffer.from(`${'x'.repeat(n % 3)}${((n * 0x9e3779b1) >>> 0).toString(36)}`));
    const found = inOrder(keys).keys;
    const descents = found.filter((key, at) => at > 0 && Buffer.compare(found[at - 1]!, key) > 0).length;
    // As they come there are 10,000.
    expect(descents).toBeLessThan(4_000);
  });

  it('has each key once, and keeps those that are equal in their order', () => {
    const some = fc.array(fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.uint8Array({ maxLength: 60 })), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(some, fc.integer({ min: 1, max: 2_000 }), (distinct, count) => {
        const keys = Array.from({ length: count }, (_, at) => distinct[(at * 7) % distinct.length]!);
        const { order } = inOrder(keys);
        const last = new Map<string, number>();
        const swapped = order.filter((at) => {
          const key = Buffer.from(keys[at]!).toString('hex');
          const before = last.get(key) ?? -1;
          last.set(key, at);
          return before >= at;
        });
        expect(swapped).toEqual([]);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, at) => at));
      }),
      { numRuns: 40 },
    );
  });
});
