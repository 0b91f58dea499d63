import fc from 'fast-check';
import { MOST_SORTED, writeOrder } from '../../src/level/write-order';
import type { BytesOperation } from '../../src/state/port';

const put = (key: Uint8Array): BytesOperation => ({ type: 'put', key, value: key });
const compare = (a: BytesOperation, b: BytesOperation): number => Buffer.compare(a.key, b.key);
const inOrder = (operations: readonly BytesOperation[]): BytesOperation[] =>
  [...writeOrder(operations, 0, operations.length)].map((at) => operations[at]!);
/** Scattered over `keys` numbers. */
const scattered = (count: number, keys: number): number[] => Array.from({ length: count }, (_, i) => (i * 7_919 + ((i * i) % 31)) % keys);

describe('the order in which a batch is given to LevelDB', () => {
  it.each([
    ['digits behind a name', (n: number) => Buffer.from(`account-${String(n).padStart(8, '0')}`)],
    [
      'a window’s start before the key',
      (n: number) => Buffer.concat([Buffer.from([1, 0, 1, 0, 0, n % 3, n % 256]), Buffer.from(`k${n}`.padStart(9))]),
    ],
    ['numbers as bytes', (n: number) => Buffer.from([0, n >>> 16, n >>> 8, n])],
  ])('is that of the keys: %s', (_, key) => {
    const operations = scattered(20_000, 100_000).map((n) => put(key(n)));
    expect(inOrder(operations).map(({ key: each }) => each)).toEqual([...operations].sort(compare).map(({ key: each }) => each));
  });

  it('is near to that of the keys when they differ in more bits than are compared', () => {
    const operations = scattered(20_000, 1_000_000).map((n) => put(Buffer.from(`${'x'.repeat(n % 7)}${(n * 0x9e3779b1).toString(36)}`)));
    const ordered = inOrder(operations);
    const descents = ordered.filter((operation, at) => at > 0 && compare(ordered[at - 1]!, operation) > 0).length;
    // In the order of a changelog it would be 10,000.
    expect(descents).toBeLessThan(4_000);
  });

  it('has every operation once, and keeps those of one key in their order', () => {
    const keys = fc.array(fc.oneof(fc.uint8Array({ maxLength: 3 }), fc.uint8Array({ maxLength: 60 })), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 2_000 }), fc.nat({ max: 5 }), (some, count, from) => {
        const operations = Array.from({ length: from + count }, (_, at) => put(some[(at * 7) % some.length]!));
        const order = writeOrder(operations, from, from + count);
        const last = new Map<string, number>();
        const swapped = [...order].filter((at) => {
          const key = Buffer.from(operations[at]!.key).toString('hex');
          const before = last.get(key) ?? -1;
          last.set(key, at);
          return before >= at;
        });
        expect(swapped).toEqual([]);
        expect(new Set(order).size).toBe(count);
        expect([Math.min(...order), Math.max(...order)]).toEqual([from, from + count - 1]);
      }),
      { numRuns: 40 },
    );
  });

  it('holds as many operations as it says at once', () => {
    const operations = Array.from({ length: MOST_SORTED }, (_, at) => put(Buffer.from([255, 255, 255, at % 7, 255 - (at % 11)])));
    expect(new Set(writeOrder(operations, 0, MOST_SORTED)).size).toBe(MOST_SORTED);
  });
});
