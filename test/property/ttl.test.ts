/** Rows that age against a model that keeps every write there ever was. */
import * as fc from 'fast-check';
import { processWithStore, to } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { keyValueStore } from '../../src/state/definition';
import { record, testTopology } from '../../src/testing';

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 60);
const READS = -1;
const DELETES = -2;

/** A value >= 0 is put. */
interface Input {
  readonly key: string;
  readonly value: number;
  readonly timestamp: number;
}
type Step = Input | 'restart';

const input = topic('input', { key: string, value: int64 });
const results = topic('results', { key: string, value: int64 });

/** What each input reads before it does what its value says; READS: nothing. */
function readBy(steps: readonly Step[], ttl: number): number[] {
  const before: Input[] = [];
  return steps.flatMap((step) => {
    if (step === 'restart') return [];
    before.push(step);
    const streamTime = Math.max(...before.map(({ timestamp }) => timestamp));
    const writes = before.slice(0, -1).filter(({ key, value }) => key === step.key && value !== READS);
    const last = writes.at(-1);
    return [last === undefined || last.value === DELETES || streamTime - last.timestamp > ttl ? READS : last.value];
  });
}

const inputs = fc.record({
  key: fc.constantFrom('a', 'b', 'ab'),
  value: fc.oneof(fc.nat(9), fc.constant(READS), fc.constant(DELETES)),
  timestamp: fc.nat(60),
});
const steps = fc.array(fc.oneof({ weight: 9, arbitrary: inputs }, { weight: 1, arbitrary: fc.constant('restart' as const) }), {
  maxLength: 40,
});

describe('a key-value store with ttl', () => {
  it('shows what a model that forgets nothing shows, across restarts', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 40 }), (history, ttl) => {
        const rows = keyValueStore('rows', { key: string, value: int64, ttl });
        const test = testTopology(({ stream, store }) =>
          stream(input).pipe(
            processWithStore(
              { own: store(rows) },
              {
                record: (one, { own }) => {
                  const seen = own.get(one.key) ?? READS;
                  if (one.value >= 0) own.put(one.key, one.value);
                  if (one.value === DELETES) own.delete(one.key);
                  return [one.withValue(seen)];
                },
              },
            ),
            to(results),
          ),
        );
        for (const step of history) {
          if (step === 'restart') test.restart();
          else test.pipe(input, record(step.key, step.value, step.timestamp));
        }
        expect(test.read(results).map(({ value }) => value)).toEqual(readBy(history, ttl));
        test.close();
      }),
      { numRuns: RUNS },
    );
  });
});
