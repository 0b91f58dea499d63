/** Tumbling windows against a model that reads the whole history again for each output. */
import * as fc from 'fast-check';
import { Subject } from 'rxjs';
import { windowTumbling } from '../../operators';
import type { KafkaRecord } from '../../src/model/record';
import { record } from '../../src/testing';
import { anyEmit, expectedOf, type Job, outcomeOf, someInputs } from './windows-model';

const job = fc.record({
  size: fc.integer({ min: 1, max: 20 }),
  grace: fc.integer({ min: 0, max: 15 }),
  extraRetention: fc.constantFrom(0, 1, 7, 1000),
  emit: anyEmit,
});

describe('tumbling windows under disorder, grace and restarts', () => {
  it('give the results of the whole history, after the same record, and show the same rows', async () => {
    await fc.assert(
      fc.asyncProperty(job, someInputs({ step: 8, behind: 40, maxLength: 50 }), async ({ size, grace, extraRetention, emit }, inputs) => {
        const retention = size + grace + extraRetention;
        const model: Job = {
          emit,
          grace,
          retention,
          windowsOf: (timestamp) => {
            const start = Math.floor(timestamp / size) * size;
            return [{ start, end: start + size }];
          },
          shows: ({ start }, greatest) => (emit === 'close' ? start >= greatest - retention : start > greatest - retention),
        };
        const windows = { size, grace };
        expect(await outcomeOf(model, windows, windowTumbling(windows), inputs)).toEqual(expectedOf(model, inputs));
      }),
      { numRuns: 200 },
    );
  });

  it('hold every time in exactly one window, its own', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 2 ** 50 }), (timestamp, size) => {
        const source = new Subject<KafkaRecord<string, number>>();
        let found: readonly { readonly start: number }[] = [];
        source.pipe(windowTumbling({ size })).subscribe(({ windows }) => (found = windows));
        source.next(record('k', 1, timestamp));
        const [{ start }] = found as [{ start: number }];
        expect(found).toHaveLength(1);
        // In whole numbers: near 2^53 sums of doubles round.
        expect(BigInt(start) % BigInt(size)).toBe(0n);
        expect(BigInt(start) <= BigInt(timestamp) && BigInt(timestamp) < BigInt(start) + BigInt(size)).toBe(true);
      }),
    );
  });
});
