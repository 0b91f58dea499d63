/** suppress against models that read the whole history again for each record. */
import * as fc from 'fast-check';
import { countWithStore, sessionize, suppress, to, windowHopping } from '../../operators';
import { compareUtf8 } from '../../src/codec/identity';
import { nullable } from '../../src/codec/nullable';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { sessionStore, windowStore } from '../../src/state/definition';
import { suppressStore } from '../../src/state/suppress-definition';
import { record, testTopology } from '../../src/testing';

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 60);

interface Input {
  readonly key: string;
  readonly value: number | null;
  readonly timestamp: number;
}
type Step = Input | 'restart';

const input = topic('input', { key: string, value: nullable(int64) });
const results = topic('results', { key: string, value: nullable(int64) });
const updates = suppressStore('updates', { key: string, value: nullable(int64) });

const inputs = fc.record({
  key: fc.constantFrom('a', 'ab', 'b', 'é'),
  value: fc.option(fc.nat(9), { freq: 5 }),
  timestamp: fc.nat(60),
});
const stepsOf = fc.array(fc.oneof({ weight: 9, arbitrary: inputs }, { weight: 1, arbitrary: fc.constant('restart' as const) }), {
  maxLength: 40,
});
const recordsIn = (history: readonly Step[]): readonly Input[] => history.filter((step) => step !== 'restart');

interface Held extends Input {
  readonly since: number;
}

/** What a time limit releases: everything held is sorted anew after each record. */
function released(records: readonly Input[], limit: number, maxRecords: number): Input[] {
  const out: Input[] = [];
  let held: Held[] = [];
  for (const [at, one] of records.entries()) {
    const streamTime = Math.max(...records.slice(0, at + 1).map(({ timestamp }) => timestamp));
    const since = held.find(({ key }) => key === one.key)?.since ?? one.timestamp;
    held = [...held.filter(({ key }) => key !== one.key), { ...one, since }].sort((a, b) => a.since - b.since || compareUtf8(a.key, b.key));
    while (held.length > 0 && (held[0]!.since <= streamTime - limit || held.length > maxRecords)) out.push(held.shift()!);
  }
  return out;
}

describe('suppress until a time limit', () => {
  it('releases what a model that sorts anew releases, across restarts', () => {
    fc.assert(
      fc.property(stepsOf, fc.nat(30), fc.integer({ min: 0, max: 4 }), (history: readonly Step[], limit, maxRecords) => {
        const test = testTopology(({ stream, store }) =>
          stream(input).pipe(suppress(store(updates), { until: { limit }, maxRecords }), to(results)),
        );
        for (const step of history) {
          if (step === 'restart') test.restart();
          else test.pipe(input, record(step.key, step.value, step.timestamp));
        }
        const expected = released(recordsIn(history), limit, maxRecords).map(({ key, value, timestamp }) => ({ key, value, timestamp }));
        expect(test.read(results).map(({ key, value, timestamp }) => ({ key, value, timestamp }))).toEqual(expected);
        test.close();
      }),
      { numRuns: RUNS },
    );
  });
});

interface Final {
  readonly key: string;
  readonly start: number;
  readonly end: number;
  readonly value: number | null;
}

/** What must hold of final results whatever the windows: each once, none before its time, and as the last update said. */
function expectFinal(finals: readonly Final[], updatesOf: readonly Final[], isClosed: (end: number) => boolean): void {
  const name = ({ key, start, end }: Final): string => `${key} ${start} ${end}`;
  const last = new Map<string, Final>();
  for (const update of updatesOf) last.set(name(update), update);
  const expected = [...last.values()].filter(({ value, end }) => value !== null && isClosed(end));
  const sorted = (all: readonly Final[]): readonly Final[] => [...all].sort((a, b) => compareUtf8(name(a), name(b)));
  expect(sorted(finals)).toEqual(sorted(expected));
}

const finalOf = ({ key, value }: { readonly key: { key: string; start: number; end: number }; readonly value: number | null }): Final => ({
  ...{ key: key.key, start: key.start, end: key.end },
  value,
});

describe('suppress until windows close', () => {
  const grace = fc.nat(12);

  it('emits each hopping window once, as it was last, in order', () => {
    fc.assert(
      fc.property(stepsOf, grace, (history: readonly Step[], wait) => {
        const windows = { size: 10, advance: 4, grace: wait };
        const counts = windowStore('counts', { key: string, value: int64, windows });
        const finals = suppressStore('finals', counts.output);
        const [raw, final] = [topic('raw', counts.output), topic('final', counts.output)];
        const run = (suppressed: boolean, only: readonly Step[]): Final[] => {
          const test = testTopology(({ stream, store }) => {
            const counted = stream(input).pipe(windowHopping(windows), countWithStore(store(counts)));
            return suppressed ? counted.pipe(suppress(store(finals), { until: 'windowCloses' }), to(final)) : counted.pipe(to(raw));
          });
          for (const step of only) {
            if (step === 'restart') test.restart();
            else test.pipe(input, record(step.key, step.value, step.timestamp));
          }
          const found = test.read(suppressed ? final : raw).map(finalOf);
          test.close();
          return found;
        };
        const all = run(false, recordsIn(history));
        // Results carry the greatest timestamp of their window: event time behind the aggregate is that of its results.
        const seen = Math.max(-1, ...recordsIn(history).map(({ timestamp }) => timestamp));
        const finalResults = run(true, history);
        expectFinal(finalResults, all, (end) => end <= seen - wait);
        const ends = finalResults.map(({ end }) => end);
        expect(ends).toEqual([...ends].sort((a, b) => a - b));
      }),
      { numRuns: RUNS },
    );
  });

  it('emits no session that grows or joins another afterwards, and each once', () => {
    fc.assert(
      fc.property(stepsOf, grace, fc.integer({ min: 1, max: 8 }), (history: readonly Step[], wait, gap) => {
        const windows = { gap, grace: wait };
        const visits = sessionStore('visits', { key: string, value: int64, windows });
        const raw = topic('raw', { key: visits.output.key, value: nullable(int64) });
        const final = topic('final', visits.output);
        const finals = suppressStore('finals', visits.output);
        const test = testTopology(({ stream, store }) =>
          stream(input).pipe(
            sessionize(windows),
            countWithStore(store(visits)),
            suppress(store(finals), { until: 'windowCloses' }),
            to(final),
          ),
        );
        const plain = testTopology(({ stream, store }) => stream(input).pipe(sessionize(windows), countWithStore(store(visits)), to(raw)));
        for (const step of history) {
          if (step === 'restart') test.restart();
          else {
            test.pipe(input, record(step.key, step.value, step.timestamp));
            plain.pipe(input, record(step.key, step.value, step.timestamp));
          }
        }
        const all = plain.read(raw);
        const seen = Math.max(-1, ...all.map(({ timestamp }) => timestamp));
        expectFinal(test.read(final).map(finalOf), all.map(finalOf), (end) => end < seen - wait - gap);
        test.close();
        plain.close();
      }),
      { numRuns: RUNS },
    );
  });
});
