/** Windows of one's own against a model that reads the whole history again for each output. */
import * as fc from 'fast-check';
import { windowBy, windowHopping } from '../../operators';
import type { Window, WindowAssigner } from '../../src/model/window';
import { anyEmit, expectedOf, type Job, outcomeOf, someInputs } from './windows-model';

/** Starts ascend, ends never fall; gaps and overlaps as they come. The last one may have no end. */
const windows: fc.Arbitrary<readonly Window[]> = fc
  .array(fc.record({ after: fc.integer({ min: 1, max: 12 }), length: fc.integer({ min: 1, max: 25 }) }), { maxLength: 20 })
  .map((steps) => {
    const all: Window[] = [];
    let [start, end] = [-1, 0];
    for (const { after, length } of steps) {
      start += after;
      end = Math.max(end, start + length);
      all.push({ start, end });
    }
    return all;
  });

/** By the timestamps it is asked for, as one would write it with tables. */
function assignerOf(windows: readonly Window[], grace: number): WindowAssigner {
  const ends = new Map(windows.map(({ start, end }) => [start, end]));
  const known = new Map<number, readonly Window[]>();
  return {
    windowsOf: (timestamp) => {
      let found = known.get(timestamp);
      if (found === undefined) known.set(timestamp, (found = windows.filter(({ start, end }) => start <= timestamp && end > timestamp)));
      return found;
    },
    endOf: (start) => ends.get(start) ?? start + 1,
    grace,
  };
}

const job = fc.record({
  windows,
  grace: fc.integer({ min: 0, max: 15 }),
  retention: fc.constantFrom(undefined, undefined, 0, 7, 1000),
  emit: anyEmit,
});

describe("windows of one's own under disorder, grace and restarts", () => {
  it('give the results of the whole history; are read until they close, or as long as retention says', async () => {
    await fc.assert(
      fc.asyncProperty(job, someInputs({ step: 8, behind: 30, maxLength: 30 }), async ({ windows, grace, retention, emit }, inputs) => {
        const model: Job = {
          emit,
          grace,
          retention,
          windowsOf: (timestamp) => windows.filter(({ start, end }) => start <= timestamp && timestamp < end),
          shows: ({ start, end }, greatest, streamTime) => end > streamTime - grace || start > greatest - (retention ?? 0),
        };
        const assigner = assignerOf(windows, grace);
        expect(await outcomeOf(model, assigner, windowBy(assigner), inputs)).toEqual(expectedOf(model, inputs));
      }),
      { numRuns: 60 },
    );
  });

  it('are hopping windows when written so', async () => {
    const hops = fc
      .integer({ min: 1, max: 15 })
      .chain((size) => fc.record({ size: fc.constant(size), advance: fc.integer({ min: 1, max: size }), grace: fc.nat(10) }));
    await fc.assert(
      fc.asyncProperty(hops, someInputs({ step: 5, behind: 20, maxLength: 25 }), async ({ size, advance, grace }, inputs) => {
        const own: WindowAssigner = {
          windowsOf: (timestamp) => {
            const found: Window[] = [];
            for (let start = timestamp - (timestamp % advance); start >= 0 && start + size > timestamp; start -= advance) {
              found.unshift({ start, end: start + size });
            }
            return found;
          },
          endOf: (start) => start + size,
          grace,
        };
        const model: Job = { emit: 'close', grace, retention: undefined, windowsOf: own.windowsOf, shows: () => true };
        const { rows: _, ...byOwn } = await outcomeOf(model, own, windowBy(own), inputs);
        const given = { size, advance, grace };
        const { rows: __, ...byHopping } = await outcomeOf(model, given, windowHopping(given), inputs);
        expect(byOwn).toEqual(byHopping);
      }),
      { numRuns: 40 },
    );
  });

  it('without an end never close', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(60), someInputs({ step: 8, behind: 60, maxLength: 25 }), async (from, inputs) => {
        const since: WindowAssigner = {
          windowsOf: (timestamp) => (timestamp < from ? [] : [{ start: from, end: Infinity }]),
          endOf: () => Infinity,
        };
        const model: Job = { emit: 'update', grace: 0, retention: undefined, windowsOf: since.windowsOf, shows: () => true };
        const outcome = await outcomeOf(model, since, windowBy(since), inputs);
        expect(outcome).toEqual(expectedOf(model, inputs));
        expect(outcome.late).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});
