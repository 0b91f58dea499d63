/**
 * Sessions against a model that finds them anew for each record: the records of a key that retention has not hidden, in chains whose
 * neighbours lie at most the gap apart.
 */
import * as fc from 'fast-check';
import { pipe } from 'rxjs';
import { aggregateWithStore, sessionize } from '../../operators';
import { string } from '../../src/codec/primitives';
import type { SessionStore } from '../../src/model/store-definition';
import { sessionStore } from '../../src/state/definition';
import {
  byEnd,
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
} from './rows-model';
import type { Input } from './windows-model';

/** More with MILLRACE_SEEDS. */
const RUNS = Number(process.env['MILLRACE_SEEDS'] ?? 80);

interface Sessions {
  readonly gap: number;
  readonly grace: number;
  /** Undefined: the default, which hides nothing that is open. */
  readonly retention: number | undefined;
  readonly emit: 'update' | 'close';
}

/** Numbers in order, whichever session they came from: the order of merging is the vectors' to pin. */
const sorted = (values: Numbers): Numbers => [...values].sort((a, b) => a - b);

function jobOf({ gap, grace, retention, emit }: Sessions): Job<SessionStore<string, Numbers>> {
  const windows = { gap, grace };
  const merge = (a: Numbers, b: Numbers): Numbers => sorted([...a, ...b]);
  return {
    definition: sessionStore('model', { key: string, value: listOfNumbers, windows, ...(retention !== undefined && { retention }) }),
    windowing: (store, late) => pipe(sessionize<string, Numbered>(windows), aggregateWithStore(store, { ...collect, merge, emit, late })),
    dropsNullValues: false,
    andAtTheBound: false,
    withTimestamps: false,
  };
}

// ---- the model

type Taken = readonly Numbered[];

const startOf = (session: Taken): number => Math.min(...session.map(({ timestamp }) => timestamp));
const endOf = (session: Taken): number => Math.max(...session.map(({ timestamp }) => timestamp));
const numbersOf = (session: Taken): Numbers => sorted(session.map(({ at }) => at));

/** By end. */
function chains(gap: number, records: Taken): Taken[] {
  const found: Numbered[][] = [];
  for (const record of [...records].sort((a, b) => a.timestamp - b.timestamp)) {
    const last = found.at(-1);
    if (last !== undefined && record.timestamp - last.at(-1)!.timestamp <= gap) last.push(record);
    else found.push([record]);
  }
  return found;
}

/** All that the records up to one leave behind. */
interface Kept {
  /** Of every key, hidden ones included. */
  readonly sessions: readonly Taken[];
  readonly results: readonly Result[];
  /** Undefined: the last record was taken. */
  readonly refusedBy: Taken | undefined;
}

const resultOf = (after: number, session: Taken, values: Numbers | null): Result => {
  const window = { start: startOf(session), end: endOf(session) };
  return { after, key: session[0]!.key, window, values, timestamp: window.end };
};

function afterRecord(
  { gap, grace, retention = gap + grace + 1, emit }: Sessions,
  before: readonly Taken[],
  record: Numbered,
  times: Times,
): Kept {
  const { timestamp: t, key, at, deletes } = record;
  const seen = before.filter((session) => session[0]!.key === key && endOf(session) > times.before - retention);
  const joined = chains(gap, [...seen.flat(), record]).find((session) => session.includes(record))!;
  const met = seen.filter((session) => joined.includes(session[0]!)).sort((a, b) => endOf(a) - endOf(b));
  const isTaken = endOf(joined) >= times.now - gap - grace;

  const sameBounds = (session: Taken): boolean =>
    session[0]!.key === key && startOf(session) === startOf(joined) && endOf(session) === endOf(joined);
  const others = isTaken ? before.filter((session) => !met.includes(session) && !sameBounds(session)) : before;
  const sessions = isTaken && !deletes ? [...others, joined] : others;
  if (emit === 'close') {
    const closing = sessions.filter((session) => endOf(session) < times.now - gap - grace && endOf(session) >= times.before - gap - grace);
    const results = closing.map((session) => resultOf(at, session, numbersOf(session))).sort(byEnd);
    return { sessions, results, refusedBy: isTaken ? undefined : joined };
  }
  if (!isTaken) return { sessions, results: [], refusedBy: joined };
  const isInstant = startOf(joined) === t && endOf(joined) === t;
  const takenBack = isInstant ? [] : met.map((session) => resultOf(at, session, null));
  return { sessions, results: [...takenBack, resultOf(at, joined, deletes ? null : numbersOf(joined))], refusedBy: undefined };
}

/** Stream time before and with a record. */
interface Times {
  readonly before: number;
  readonly now: number;
}

/** From the first record on. */
function afterAll(sessions: Sessions, records: Taken): Kept {
  let kept: Kept = { sessions: [], results: [], refusedBy: undefined };
  for (const [n, record] of records.entries()) {
    const times = { before: streamTime(records.slice(0, n), record.at), now: streamTime(records, record.at) };
    kept = afterRecord(sessions, kept.sessions, record, times);
  }
  return kept;
}

function expectedOf(sessions: Sessions, inputs: readonly Input[]): Outcome {
  const { gap, grace, retention = gap + grace + 1 } = sessions;
  const records = numbered(inputs, false);
  const after = records.map((_, n) => afterAll(sessions, records.slice(0, n + 1)));
  const late = records.flatMap(({ at }, n) => {
    const { refusedBy } = after[n]!;
    return refusedBy === undefined ? [] : [[at, { start: startOf(refusedBy), end: endOf(refusedBy) }] as const];
  });
  const seen = (after.at(-1)?.sessions ?? []).filter((session) => endOf(session) > streamTime(records, Infinity) - retention);
  const rows = seen.map((session) => rowOf(session[0]!.key, { start: startOf(session), end: endOf(session) }, numbersOf(session)));
  const dropped = late.length + inputs.length - records.length;
  return { results: after.flatMap(({ results }) => results), late, rows: rows.sort(), dropped };
}

// ---- what is tried

const sessions: fc.Arbitrary<Sessions> = fc
  .record({
    gap: fc.integer({ min: 1, max: 12 }),
    grace: fc.nat(15),
    extraRetention: fc.constantFrom(undefined, 0, 1, 7, 1000),
    emit: fc.constantFrom('update' as const, 'close' as const),
  })
  .map(({ extraRetention: extra, ...rest }) => ({ ...rest, retention: extra === undefined ? extra : rest.gap + rest.grace + extra }));

describe('sessions under disorder, grace and restarts', () => {
  it('give the results of the whole history, in order, after the same record, and show the same rows', async () => {
    await fc.assert(
      fc.asyncProperty(sessions, inputsOfFewKeys(6, 30), async (sessions, inputs) => {
        expect(await outcomeOf(jobOf(sessions), inputs)).toEqual(expectedOf(sessions, inputs));
      }),
      { numRuns: RUNS },
    );
  });
});
