/** Duplicates against a model that reads the whole history again for each record. */
import * as fc from 'fast-check';
import { deduplicate, to } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { keyValueStore } from '../../src/state/definition';
import { record, testTopology } from '../../src/testing';

const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 60);

interface Input {
  readonly key: string;
  readonly id: string;
  readonly timestamp: number;
}
type Step = Input | 'restart';

const seen = keyValueStore('seen', { key: string, value: int64 });
const input = topic('input', { key: string, value: string });
const results = topic('results', { key: string, value: string });
const shown = ({ key, id, timestamp }: Input): string => `${key} ${id} ${timestamp}`;

/** Which of the records pass: any that has passed in time, is still near event time, and near this one, makes this one a duplicate. */
function passing(records: readonly Input[], within: number, byId: boolean): Input[] {
  const passed: { readonly one: Input; readonly inTime: boolean }[] = [];
  for (const [at, one] of records.entries()) {
    const streamTime = Math.max(...records.slice(0, at + 1).map(({ timestamp }) => timestamp));
    const isDuplicate = passed.some(
      ({ one: other, inTime }) =>
        inTime &&
        other.key === one.key &&
        (!byId || other.id === one.id) &&
        streamTime - other.timestamp <= within &&
        Math.abs(other.timestamp - one.timestamp) <= within,
    );
    if (!isDuplicate) passed.push({ one, inTime: streamTime - one.timestamp <= within });
  }
  return passed.map(({ one }) => one);
}

const inputs = fc.record({ key: fc.constantFrom('a', 'ab'), id: fc.constantFrom('', 'b', 'c'), timestamp: fc.nat(50) });
const steps = fc.array(fc.oneof({ weight: 9, arbitrary: inputs }, { weight: 1, arbitrary: fc.constant('restart' as const) }), {
  maxLength: 40,
});

describe('deduplicate', () => {
  it('lets pass what a model that forgets nothing lets pass, across restarts', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 30 }), fc.boolean(), (history: readonly Step[], within, byId) => {
        const options = byId ? { within, id: (id: string) => id } : { within };
        const test = testTopology(({ stream, store }) => stream(input).pipe(deduplicate(store(seen), options), to(results)));
        for (const step of history) {
          if (step === 'restart') test.restart();
          else test.pipe(input, record(step.key, step.id, step.timestamp));
        }
        const expected = passing(
          history.filter((step) => step !== 'restart'),
          within,
          byId,
        );
        const passed = test.read(results).map(({ key, value, timestamp }) => ({ key, id: value, timestamp }));
        expect(passed.map(shown)).toEqual(expected.map(shown));
        test.close();
      }),
      { numRuns: RUNS },
    );
  });
});
