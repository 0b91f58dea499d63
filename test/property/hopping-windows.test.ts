/** Hopping windows against a model that reads the whole history again for each output. */
import * as fc from 'fast-check';
import { Subject } from 'rxjs';
import { windowHopping } from '../../operators';
import type { KafkaRecord } from '../../src/model/record';
import type { Window } from '../../src/model/window';
import { record } from '../../src/testing';
import { anyEmit, expectedOf, type Job, outcomeOf, someInputs } from './windows-model';

interface Hops {
  readonly size: number;
  readonly advance: number;
}

const hops: fc.Arbitrary<Hops> = fc
  .integer({ min: 1, max: 20 })
  .chain((size) => fc.record({ size: fc.constant(size), advance: fc.integer({ min: 1, max: size }) }));

const job = fc.record({
  hops,
  grace: fc.integer({ min: 0, max: 15 }),
  extraRetention: fc.constantFrom(0, 1, 7, 1000),
  emit: anyEmit,
});

/** Looks at every multiple of the advance from 0 on. */
function windowsHolding(timestamp: number, { size, advance }: Hops): Window[] {
  const windows: Window[] = [];
  for (let start = 0; start <= timestamp; start += advance) if (timestamp < start + size) windows.push({ start, end: start + size });
  return windows;
}

function assigned(timestamp: number, hops: Hops): readonly Window[] {
  const source = new Subject<KafkaRecord<string, number>>();
  let found: readonly Window[] = [];
  source.pipe(windowHopping(hops)).subscribe(({ windows }) => (found = windows));
  source.next(record('k', 1, timestamp));
  return found;
}

describe('hopping windows under disorder, grace and restarts', () => {
  it('give the results of the whole history, window by window, after the same record, and show the same rows', async () => {
    await fc.assert(
      fc.asyncProperty(job, someInputs({ step: 8, behind: 40, maxLength: 30 }), async ({ hops, grace, extraRetention, emit }, inputs) => {
        const retention = hops.size + grace + extraRetention;
        const model: Job = {
          emit,
          grace,
          retention,
          windowsOf: (timestamp) => windowsHolding(timestamp, hops),
          shows: ({ start }, greatest) => (emit === 'close' ? start >= greatest - retention : start > greatest - retention),
        };
        const windows = { ...hops, grace };
        expect(await outcomeOf(model, windows, windowHopping(windows), inputs)).toEqual(expectedOf(model, inputs));
      }),
      { numRuns: 60 },
    );
  });

  it('are the same whatever was assigned before', () => {
    fc.assert(
      fc.property(hops, fc.array(fc.nat(400), { maxLength: 40 }), (hops, timestamps) => {
        const source = new Subject<KafkaRecord<string, number>>();
        const found: (readonly Window[])[] = [];
        source.pipe(windowHopping(hops)).subscribe(({ windows }) => found.push(windows));
        for (const timestamp of timestamps) source.next(record('k', 1, timestamp));
        expect(found).toEqual(timestamps.map((timestamp) => windowsHolding(timestamp, hops)));
      }),
    );
  });

  it('hold every time up to 2^53 - 1, and are all that do', () => {
    const large = fc.integer({ min: 1, max: 2 ** 50 }).chain((advance) =>
      fc.record({
        size: fc.integer({ min: advance, max: Math.min(8 * advance, Number.MAX_SAFE_INTEGER) }),
        advance: fc.constant(advance),
      }),
    );
    fc.assert(
      fc.property(fc.maxSafeNat(), large, (timestamp, hops) => {
        // In whole numbers: near 2^53 sums of doubles round.
        const [at, size, advance] = [BigInt(timestamp), BigInt(hops.size), BigInt(hops.advance)];
        const expected: number[] = [];
        for (let start = at - (at % advance); start >= 0n && start + size > at; start -= advance) expected.unshift(Number(start));
        expect(assigned(timestamp, hops).map(({ start }) => start)).toEqual(expected);
      }),
    );
  });
});
