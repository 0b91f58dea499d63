/** What comes outside a push, and who leaves within one: no innocent record pays for it, and nothing is committed that is refused. */
import { map, merge, mergeMap, startWith, take } from 'rxjs';
import { countWithStore, to, windowTumbling } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { internalTopic, topic } from '../../src/codec/topic';
import type { KafkaRecord, Placement } from '../../src/model/record';
import type { Topology } from '../../src/task/topology';
import { outgoing, record, testTopology, type TopologyTest } from '../../src/testing';
import { errorWith } from '../operators/errors';
import { copies, input, windowCounts, windowResults } from '../testing/programs';

const sizes = topic('sizes', { key: string, value: int64 });
/** int64 does not take halves. */
const halved = map((r: KafkaRecord<string, string, Placement>) => r.withValue(Number(r.value) / 2));

/** Everything that the microtasks under way lead to. */
async function promisesSettled(test: TopologyTest): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  await test.settled();
}

describe('an output outside a push that cannot be encoded', () => {
  const later: Topology = ({ stream }) =>
    stream(input).pipe(
      mergeMap((r) => Promise.resolve(r)),
      halved,
      to(sizes),
    );

  it('ends the run although errors are skipped: there is no record to skip', async () => {
    const test = testTopology(later, { onProcessingError: 'skip' });
    test.pipe(input, record('a', '1', 1));
    await expect(promisesSettled(test)).rejects.toThrow(errorWith({ code: 'ENCODE' }));
    expect(test.metric('skipped-records-total')).toBe(0);
  });

  it('is not blamed on the record that is pushed next', async () => {
    const test = testTopology(later, { onProcessingError: 'skip' });
    test.pipe(input, record('a', '1', 1));
    await expect(promisesSettled(test)).rejects.toThrow(errorWith({ code: 'ENCODE' }));
    test.restart();
    test.pipe(input, record('a', '4', 2));
    await promisesSettled(test);
    expect(test.read(sizes)).toEqual([outgoing(sizes, 'a', 2, 2)]);
    expect(test.metric('skipped-records-total')).toBe(0);
  });

  it('ends the run when it comes at assembly', () => {
    const atOnce: Topology = ({ stream }) => stream(input).pipe(startWith(record('x', '1', 0)), halved, to(sizes));
    expect(() => testTopology(atOnce, { onProcessingError: 'skip' })).toThrow(errorWith({ code: 'ENCODE' }));
  });
});

describe('an output that is refused under strict', () => {
  it('is not committed with what was pushed before it', () => {
    const test = testTopology(({ stream }) => stream(input).pipe(startWith(record('x', 'x', 0)), to(copies)));
    expect(test.read(copies)).toHaveLength(1);
    expect(() => testTopology(({ stream }) => stream(input).pipe(startWith(record('x', 'x', 0)), to(copies)), { strict: true })).toThrow(
      errorWith({ code: 'OUTPUT_OUTSIDE_PUSH' }),
    );
  });

  it('does not reach an internal topic either', async () => {
    const byValue = internalTopic('by-value', input);
    let strictly = true;
    const test = testTopology(
      ({ stream, repartition }) =>
        stream(input).pipe(
          mergeMap((r) => (strictly ? Promise.resolve(r) : [])),
          repartition(byValue),
          to(copies),
        ),
      { strict: true },
    );
    test.pipe(input, record('a', '1', 1));
    await expect(promisesSettled(test)).rejects.toThrow(errorWith({ code: 'OUTPUT_OUTSIDE_PUSH' }));
    strictly = false;
    test.restart();
    expect(test.read(copies)).toEqual([]);
  });
});

describe('a subscriber that leaves', () => {
  it('within the steps that a record leaves to do: they are undone with the record', () => {
    let taking = 1;
    const first: Topology = ({ stream, store }) =>
      stream(input).pipe(
        windowTumbling({ size: 10, grace: 0 }),
        countWithStore(store(windowCounts), { emit: 'close' }),
        take(taking),
        to(windowResults),
      );
    const test = testTopology(first);
    test.pipe(input, record('a', '', 1), record('b', '', 2));
    expect(() => test.pipe(input, record('c', '', 11))).toThrow(errorWith({ code: 'NO_SUBSCRIBERS' }));
    expect(test.read(windowResults)).toEqual([]);
    taking = Infinity;
    test.restart();
    expect(test.read(windowResults).map(({ key }) => key.key)).toEqual(['a', 'b']);
  });

  it('is noticed although others of the same source stay, and said so', () => {
    const test = testTopology(({ stream }) => merge(stream(input).pipe(take(1)), stream(input)).pipe(to(copies)));
    expect(() => test.pipe(input, record('a', '1', 1))).toThrow(
      errorWith({ code: 'NO_SUBSCRIBERS', message: 'a subscriber of "input" has left' }),
    );
    expect(test.read(copies)).toEqual([]);
  });
});
