import * as fc from 'fast-check';
import type { BytesSnapshot } from '../../src/state/port';
import { OrderedMemory } from '../../src/state/ordered-memory';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const key = fc.uint8Array({ maxLength: 3, max: 4 }).map((array) => Buffer.from(array).toString('latin1'));
const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('put' as const), key, value: key }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const), from: key, to: key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('snapshot' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('read' as const), from: key, to: key, limit: fc.integer({ min: 1, max: 9 }) }) },
);

type Rows = ReadonlyMap<string, string>;

function range(rows: Rows, from: string, to: string, limit: number): [string, string][] {
  const within = [...rows].filter(([name]) => name >= from && name < to);
  return within.sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, limit);
}

describe('ordered bytes in memory', () => {
  it('equal a sorted map, and so do their snapshots', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 100, size: 'max' }), async (operations) => {
        const memory = new OrderedMemory();
        let rows = new Map<string, string>();
        const snapshots: { readonly snapshot: BytesSnapshot; readonly rows: Rows }[] = [];
        for (const step of operations) {
          if (step.kind === 'put') {
            await memory.write([{ type: 'put', key: bytes(step.key), value: bytes(step.value) }]);
            rows.set(step.key, step.value);
          } else if (step.kind === 'delete') {
            await memory.write([{ type: 'delete', key: bytes(step.key) }]);
            rows.delete(step.key);
          } else if (step.kind === 'clear') {
            await memory.clear({ from: bytes(step.from), to: bytes(step.to) });
            rows = new Map([...rows].filter(([name]) => name < step.from || name >= step.to));
          } else if (step.kind === 'snapshot') {
            snapshots.push({ snapshot: memory.snapshot(), rows: new Map(rows) });
          } else {
            for (const { snapshot, rows: seen } of [{ snapshot: undefined, rows }, ...snapshots]) {
              const found = await memory.read({ from: bytes(step.from), to: bytes(step.to) }, step.limit, snapshot);
              const texts = found.map((pair) => pair.map((part) => Buffer.from(part).toString('latin1')));
              expect(texts).toEqual(range(seen, step.from, step.to, step.limit));
            }
          }
        }
        expect(memory.size).toBe(rows.size);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps 20,000 keys in order however they come', async () => {
    const memory = new OrderedMemory();
    const names = Array.from({ length: 20_000 }, (_, i) => String((i * 7_919) % 20_000).padStart(5, '0'));
    await memory.write(names.map((name) => ({ type: 'put', key: bytes(name), value: bytes('') })));
    await memory.write(names.filter((_, i) => i % 3 === 0).map((name) => ({ type: 'delete', key: bytes(name) })));
    const left = (await memory.read({ from: bytes('0'), to: bytes(':') }, 30_000)).map(([name]) => Buffer.from(name).toString());
    expect(left).toEqual(names.filter((_, i) => i % 3 !== 0).sort());
  });
});
