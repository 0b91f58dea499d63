import * as fc from 'fast-check';
import { ClosingIndex } from '../../src/state/closing-index';
import { DueIndex } from '../../src/state/due-index';

/** More with PROPERTY_RUNS. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 100);

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g');
const time = fc.integer({ min: -1, max: 12 });
const add = { weight: 6, arbitrary: fc.record({ kind: fc.constant('add' as const), key, time }) };
const take = { weight: 4, arbitrary: fc.record({ kind: fc.constant('take' as const) }) };
const remove = { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), key }) };
const postpone = { weight: 4, arbitrary: fc.record({ kind: fc.constant('postpone' as const), by: fc.nat(5) }) };
const operation = fc.oneof(add, take, postpone, remove, { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) });
const layered = fc.oneof(
  add,
  take,
  ...(['checkpoint', 'rollback', 'seal', 'commit', 'abort'] as const).map((kind) => ({
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant(kind) }),
  })),
);

type Bounds = Map<string, number>;

function lower(bounds: Bounds, name: string, at: number): void {
  bounds.set(name, Math.min(at, bounds.get(name) ?? Infinity));
}

const earliestOf = (bounds: Bounds): number => Math.min(...bounds.values());

/** Takes from both; of several keys with one time any may come first. */
function takeFrom(index: DueIndex, bounds: Bounds): string | undefined {
  const earliest = earliestOf(bounds);
  const taken = index.take();
  if (taken === undefined) expect(bounds.size).toBe(0);
  else expect(bounds.get(taken)).toBe(earliest);
  bounds.delete(taken!);
  return taken;
}

function postponeFirst(index: DueIndex, bounds: Bounds, by: number): void {
  const { first } = index;
  if (first === undefined) return;
  const time = earliestOf(bounds) + by;
  expect(bounds.get(first)).toBe(earliestOf(bounds));
  index.postpone(time);
  bounds.set(first, time);
}

function expectSame(index: DueIndex, bounds: Bounds): void {
  expect(index.earliest).toBe(earliestOf(bounds));
  expect(index.size).toBe(bounds.size);
  expect(new Map(index.entries())).toEqual(bounds);
}

describe('an index of what is due', () => {
  it('equals a map of the lowest time of each key, however often times are lowered', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60, size: 'max' }), (operations) => {
        const index = new DueIndex();
        const bounds: Bounds = new Map();
        for (const step of operations) {
          if (step.kind === 'add') {
            index.add(step.key, step.time);
            lower(bounds, step.key, step.time);
          } else if (step.kind === 'take') takeFrom(index, bounds);
          else if (step.kind === 'postpone') postponeFirst(index, bounds, step.by);
          else if (step.kind === 'remove') {
            index.remove(step.key);
            bounds.delete(step.key);
          } else {
            index.clear();
            bounds.clear();
          }
          expectSame(index, bounds);
        }
      }),
      { numRuns: RUNS },
    );
  });

  it('keeps no places of keys that are gone, however many there were behind one that stays', () => {
    const index = new DueIndex();
    index.add('stays', 0);
    for (let at = 1; at <= 10_000; at++) {
      index.add(`k${at}`, at);
      index.remove(`k${at}`);
    }
    expect([index.size, index.earliest]).toEqual([1, 0]);
    expect((index as unknown as { readonly times: readonly number[] }).times.length).toBeLessThan(100);
  });

  it('keeps what a key has at the earliest time, and a later time only once the key was taken', () => {
    const index = new DueIndex();
    for (const at of [7, 9, 5, 6]) index.add('a', at);
    expect([index.earliest, index.size]).toEqual([5, 1]);
    expect(index.take()).toBe('a');
    expect([index.earliest, index.take()]).toEqual([Infinity, undefined]);
    index.add('a', 9);
    expect(index.earliest).toBe(9);
  });
});

describe('an index of what is to be closed', () => {
  it('brings back whatever was taken in a layer that is dropped, at the time it was taken at', () => {
    fc.assert(
      fc.property(fc.array(layered, { maxLength: 60, size: 'max' }), (operations) => {
        const index = new ClosingIndex();
        const bounds: Bounds = new Map();
        let taken: { readonly key: string; readonly time: number; layer: 'sealed' | 'kept' | 'new' }[] = [];
        const bringBack = (layers: readonly string[]): void => {
          for (const { key, time, layer } of taken) if (layers.includes(layer)) lower(bounds, key, time);
          taken = taken.filter(({ layer }) => !layers.includes(layer));
        };
        for (const step of operations) {
          if (step.kind === 'add') {
            index.add(step.key, step.time);
            lower(bounds, step.key, step.time);
          } else if (step.kind === 'take') {
            const time = index.earliest;
            const key = takeFrom(index, bounds);
            if (key !== undefined) taken.push({ key, time, layer: 'new' });
          } else if (step.kind !== 'seal' || !taken.some(({ layer }) => layer === 'sealed')) {
            index[step.kind]();
            if (step.kind === 'checkpoint') for (const each of taken) each.layer = each.layer === 'new' ? 'kept' : each.layer;
            else if (step.kind === 'seal') for (const each of taken) each.layer = 'sealed';
            else if (step.kind === 'commit') taken = taken.filter(({ layer }) => layer !== 'sealed');
            else bringBack(step.kind === 'rollback' ? ['new'] : ['new', 'kept', 'sealed']);
          }
          expectSame(index, bounds);
        }
      }),
      { numRuns: RUNS },
    );
  });
});
