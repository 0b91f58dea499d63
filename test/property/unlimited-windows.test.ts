/** Windows without an end against a model that reads the whole history again for each output. */
import * as fc from 'fast-check';
import { windowBy, windowTumbling } from '../../operators';
import type { Window, WindowAssigner } from '../../src/model/window';
import { expectedOf, type Job, outcomeOf, someInputs } from './windows-model';

const emit = fc.constantFrom('update' as const, 'change' as const);

function without(end: number, from: number, emit: 'update' | 'change'): Job {
  const windows: readonly Window[] = [{ start: from, end }];
  return { emit, grace: 0, retention: undefined, windowsOf: (time) => (time < from ? [] : windows), shows: () => true };
}

describe('windows without an end under disorder and restarts', () => {
  it('take every record, however late, and keep what they have', async () => {
    await fc.assert(
      fc.asyncProperty(emit, someInputs({ step: 8, behind: 400, maxLength: 40 }), async (emit, inputs) => {
        const forever = { size: Infinity };
        const model = without(Infinity, 0, emit);
        const outcome = await outcomeOf(model, forever, windowTumbling(forever), inputs);
        expect(outcome).toEqual(expectedOf(model, inputs));
        expect(outcome.late).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  it('leave out what lies before their start, which is not late', async () => {
    await fc.assert(
      fc.asyncProperty(emit, fc.nat(150), someInputs({ step: 8, behind: 100, maxLength: 40 }), async (emit, from, inputs) => {
        const since: WindowAssigner = {
          windowsOf: (time) => (time < from ? [] : [{ start: from, end: Infinity }]),
          endOf: () => Infinity,
        };
        const model = without(Infinity, from, emit);
        expect(await outcomeOf(model, since, windowBy(since), inputs)).toEqual(expectedOf(model, inputs));
      }),
      { numRuns: 60 },
    );
  });
});
