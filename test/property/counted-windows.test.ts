/** Counted windows against a model that reads the whole history again for each output. */
import * as fc from 'fast-check';
import { pipe } from 'rxjs';
import { aggregateWithStore, windowEvery } from '../../operators';
import { string } from '../../src/codec/primitives';
import type { WindowStore } from '../../src/model/store-definition';
import { windowStore } from '../../src/state/definition';
import {
  collect,
  inputsOfFewKeys,
  type Job,
  listOfNumbers,
  numbered,
  type Numbered,
  type Numbers,
  type Outcome,
  outcomeOf,
  rowOf,
  valuesOf,
} from './rows-model';
import type { Input } from './windows-model';

/** More with MILLRACE_SEEDS. */
const RUNS = Number(process.env['MILLRACE_SEEDS'] ?? 80);

interface Counts {
  readonly records: number;
  readonly every: number;
  readonly emit: 'update' | 'close';
}

function jobOf({ records, every, emit }: Counts): Job<WindowStore<string, Numbers>> {
  const windows = { records, every };
  return {
    definition: windowStore('model', { key: string, value: listOfNumbers, windows }),
    windowing: (store, late) => pipe(windowEvery<string, Numbered>(windows), aggregateWithStore(store, { ...collect, emit, late })),
    dropsNullValues: false,
    andAtTheBound: true,
    withTimestamps: true,
  };
}

const greatestTime = (taken: readonly Numbered[]): number => Math.max(...taken.map(({ timestamp }) => timestamp));

/** The windows of a key that has had these records, by start, each with those that lie in it. */
function windowsOf(
  { records, every }: Counts,
  had: readonly Numbered[],
): { readonly start: number; readonly taken: readonly Numbered[] }[] {
  const starts = had.map((_, ordinal) => ordinal).filter((ordinal) => ordinal % every === 0);
  return starts.map((start) => ({ start, taken: had.slice(start, start + records) }));
}

function expectedOf(counts: Counts, inputs: readonly Input[]): Outcome {
  const { records, emit } = counts;
  const all = numbered(inputs, false);
  const windowOf = (start: number) => ({ start, end: start + records });
  const results = all.flatMap(({ key, at }) => {
    const had = all.filter((input) => input.key === key && input.at <= at);
    const holding = windowsOf(counts, had).filter(({ taken }) => taken.at(-1)!.at === at);
    const found = holding.map(({ start, taken }) => {
      const result = { after: at, key, window: windowOf(start), values: valuesOf(taken), timestamp: greatestTime(taken) };
      return { ...result, complete: taken.length === records };
    });
    const emitted = emit === 'update' ? found : found.filter(({ complete, values }) => complete && values !== null);
    return emitted.map(({ complete: _, ...result }) => result);
  });
  const rows = [...new Set(all.map(({ key }) => key))].flatMap((key) => {
    const windows = windowsOf(
      counts,
      all.filter((input) => input.key === key),
    );
    const kept = windows.filter(({ taken }, n) => taken.length < records || n === windows.length - 1);
    return kept.map(({ start, taken }) => rowOf(key, windowOf(start), valuesOf(taken), greatestTime(taken)));
  });
  return { results, late: [], rows: rows.sort(), dropped: inputs.length - all.length };
}

const counts: fc.Arbitrary<Counts> = fc.integer({ min: 1, max: 6 }).chain((records) =>
  fc.record({
    records: fc.constant(records),
    every: fc.integer({ min: 1, max: records }),
    emit: fc.constantFrom('update' as const, 'close' as const),
  }),
);

describe('counted windows, whatever the timestamps, over restarts', () => {
  it('give the results of the whole history after the same record, and keep what goes on and the last', async () => {
    await fc.assert(
      fc.asyncProperty(counts, inputsOfFewKeys(8, 40), async (counts, inputs) => {
        expect(await outcomeOf(jobOf(counts), inputs)).toEqual(expectedOf(counts, inputs));
      }),
      { numRuns: RUNS },
    );
  });
});
