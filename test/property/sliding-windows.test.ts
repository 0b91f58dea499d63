/**
 * Sliding windows against a model that goes through the whole history again for each output, and against their definition: which windows
 * there are and what lies in each, from nothing but the times of all records.
 */
import * as fc from 'fast-check';
import { pipe } from 'rxjs';
import { aggregateWithStore, windowSliding } from '../../operators';
import { string } from '../../src/codec/primitives';
import type { WindowStore } from '../../src/model/store-definition';
import { windowStore } from '../../src/state/definition';
import {
  byStart,
  collect,
  inputsOfFewKeys,
  type Job,
  listOfNumbers,
  numbered,
  type Numbered,
  type Numbers,
  type Outcome,
  outcomeOf,
  type Result,
  rowOf,
  streamTime,
  valuesOf,
} from './rows-model';
import type { Input } from './windows-model';

/** More with MILLRACE_SEEDS. */
const RUNS = Number(process.env['MILLRACE_SEEDS'] ?? 80);

interface Slides {
  readonly difference: number;
  readonly grace: number;
  readonly retention: number;
  readonly emit: 'update' | 'close';
}

function jobOf({ difference, grace, retention, emit }: Slides): Job<WindowStore<string, Numbers>> {
  const windows = { difference, grace };
  return {
    definition: windowStore('model', { key: string, value: listOfNumbers, windows, retention }),
    windowing: (store, late) => pipe(windowSliding<string, Numbered>(windows), aggregateWithStore(store, { ...collect, emit, late })),
    dropsNullValues: true,
    andAtTheBound: emit === 'close',
    withTimestamps: true,
  };
}

// ---- the model

/** The records that a window has taken, in order. */
type Taken = readonly Numbered[];

interface Step {
  readonly windows: ReadonlyMap<number, Taken>;
  /** What was made or changed, in order. */
  readonly updates: readonly (readonly [start: number, taken: Taken])[];
  readonly missed: readonly number[];
}

const greatestTime = (taken: Taken): number => Math.max(...taken.map(({ timestamp }) => timestamp));

/** What a record does to the windows of its key: the rules of KIP-450, one after the other. */
function step({ difference, grace }: Slides, windows: Step['windows'], record: Numbered, now: number): Step {
  const { timestamp: t } = record;
  const isOpen = (start: number): boolean => start + difference >= now - grace;
  if (!isOpen(t)) return { windows, updates: [], missed: [t] };

  const holding = [...windows.keys()].filter((start) => start <= t && t <= start + difference).sort((a, b) => b - a);
  const earlier = [...windows.keys()].filter((start) => start + difference < t && start >= t - 2 * difference);
  const nearest = earlier.length === 0 ? undefined : windows.get(Math.max(...earlier));
  const latest = holding.find((start) => start + difference > t);
  const left = Math.max(0, t - difference);
  const known = windows.get(left);

  const changes: (readonly [number, Taken])[] = [];
  const extend = (start: number): unknown => changes.push([start, [...(windows.get(start) ?? []), record]]);
  const makeRightOf = (previous: Taken | undefined): void => {
    if (previous === undefined || greatestTime(previous) >= t) return;
    const start = greatestTime(previous) + 1;
    if (start + difference >= t && !windows.has(start)) changes.push([start, [record]]);
  };
  const makeRight = (): void => {
    const taken = latest === undefined ? [] : windows.get(latest)!;
    if (greatestTime(taken) > t && !windows.has(t + 1)) changes.push([t + 1, taken]);
  };

  if (t < difference) {
    for (const start of holding.reverse()) if (start > 0) extend(start);
    makeRight();
    makeRightOf(known);
    extend(0);
  } else {
    holding.forEach(extend);
    if (known === undefined || greatestTime(known) < t) {
      makeRightOf(nearest ?? known);
      if (known === undefined) changes.push([left, [...(nearest !== undefined && greatestTime(nearest) >= left ? nearest : []), record]]);
      makeRight();
    }
  }

  const updates = changes.filter(([start]) => isOpen(start));
  const next = new Map(windows);
  for (const [start, taken] of updates) next.set(start, taken);
  for (const [start, taken] of updates) if (valuesOf(taken) === null) next.delete(start);
  return { windows: next, updates, missed: changes.filter(([start]) => !isOpen(start)).map(([start]) => start) };
}

/** What the last of these records has done, from the first one on. */
function lastStep(slides: Slides, records: Taken, key: string, at: number): Step {
  let last: Step = { windows: new Map(), updates: [], missed: [] };
  for (const record of records) {
    if (record.key === key && record.at <= at) last = step(slides, last.windows, record, streamTime(records, record.at));
  }
  return last;
}

function expectedOf(slides: Slides, inputs: readonly Input[]): Outcome {
  const { difference, grace, retention, emit } = slides;
  const records = numbered(inputs, true);
  const keys = [...new Set(records.map(({ key }) => key))];
  const windowOf = (start: number) => ({ start, end: start + difference });
  const result = (after: number, key: string, start: number, taken: Taken): Result => {
    return { after, key, window: windowOf(start), values: valuesOf(taken), timestamp: greatestTime(taken) };
  };
  const steps = records.map(({ key, at }) => lastStep(slides, records, key, at));
  const updates = records.flatMap(({ key, at }, n) => steps[n]!.updates.map(([start, taken]) => result(at, key, start, taken)));
  const late = records.flatMap(({ at }, n) => steps[n]!.missed.map((start) => [at, windowOf(start)] as const));

  const closed = records.flatMap(({ at }, n) => {
    const [before, now] = [streamTime(records.slice(0, n), at) - grace, streamTime(records, at) - grace];
    const rows = keys.flatMap((key) =>
      [...lastStep(slides, records, key, at).windows].map(([start, taken]) => result(at, key, start, taken)),
    );
    return rows.filter(({ window: { end } }) => end < now && end >= before).sort(byStart);
  });

  const bound = Math.max(...updates.map(({ window }) => window.start)) - retention;
  const rows = keys.flatMap((key) =>
    [...lastStep(slides, records, key, Infinity).windows]
      .filter(([start]) => (emit === 'close' ? start >= bound : start > bound))
      .map(([start, taken]) => rowOf(key, windowOf(start), valuesOf(taken), greatestTime(taken))),
  );
  const dropped = late.length + inputs.length - records.length;
  return { results: emit === 'close' ? closed : updates, late, rows: rows.sort(), dropped };
}

// ---- the definition, for records of which none is late

function windowsByDefinition(difference: number, records: Taken): Map<number, Taken> {
  const within = (start: number): Taken => records.filter(({ timestamp: t }) => start <= t && t <= start + difference);
  const starts = records.flatMap(({ timestamp: t }) => [Math.max(0, t - difference), t + 1]);
  return new Map(starts.map((start) => [start, within(start)] as const).filter(([, taken]) => taken.length > 0));
}

const lineOf = (after: number, start: number, values: Numbers | null, timestamp: number): string =>
  `${after}: ${start} ${JSON.stringify(values)} at ${timestamp}`;

// ---- what is tried

const slides: fc.Arbitrary<Slides> = fc
  .record({
    difference: fc.nat(12),
    grace: fc.nat(15),
    extraRetention: fc.constantFrom(0, 1, 7, 1000),
    emit: fc.constantFrom('update' as const, 'close' as const),
  })
  .map(({ extraRetention, ...rest }) => ({ ...rest, retention: 2 * rest.difference + rest.grace + extraRetention }));

describe('sliding windows under disorder, grace and restarts', () => {
  it('give the results of the whole history, in order, after the same record, and show the same rows', async () => {
    await fc.assert(
      fc.asyncProperty(slides, inputsOfFewKeys(4, 25), async (slides, inputs) => {
        expect(await outcomeOf(jobOf(slides), inputs)).toEqual(expectedOf(slides, inputs));
      }),
      { numRuns: RUNS },
    );
  });

  it('are those of the definition after every record, and each that changes is emitted', async () => {
    const patient = slides.map((given): Slides => ({ ...given, grace: 10_000, retention: 100_000, emit: 'update' }));
    const keeping = inputsOfFewKeys(4, 25).map((inputs) => inputs.filter(({ value }) => value !== 0));
    await fc.assert(
      fc.asyncProperty(patient, keeping, async (slides, inputs) => {
        const { results, dropped } = await outcomeOf(jobOf(slides), inputs);
        const records = numbered(inputs, true);
        const expected = records.flatMap(({ key, at }): string[] => {
          const of = (until: number): Taken => records.filter((each) => each.key === key && each.at <= until);
          const before = windowsByDefinition(slides.difference, of(at - 1));
          const changed = [...windowsByDefinition(slides.difference, of(at))].filter(([start, taken]) => {
            return taken.length !== before.get(start)?.length;
          });
          return changed.map(([start, taken]) => lineOf(at, start, valuesOf(taken), greatestTime(taken)));
        });
        // Two windows made for one record may be the same one.
        const found = new Set(results.map(({ after, window, values, timestamp }) => lineOf(after, window.start, values, timestamp)));
        expect([...found].sort()).toEqual(expected.sort());
        expect(dropped).toBe(inputs.length - records.length);
      }),
      { numRuns: RUNS },
    );
  });
});
