/** suppress in whole instances: what is held back survives whoever holds it, and is released exactly once. */
import { mergeMap } from 'rxjs';
import { countWithStore, sessionize, suppress, to, windowTumbling } from '../../operators';
import { int64, nullable, string } from '../../src';
import { topic } from '../../src/codec/topic';
import type { ApiName } from '../../src/memory/call';
import { sessionStore } from '../../src/state/definition';
import { suppressStore } from '../../src/state/suppress-definition';
import type { Topology } from '../../src/task/topology';
import { input, perTenSeconds, record, windowCounts, windowResults } from './programs';
import { World } from './world';

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: 1, results: 1 });
});

afterEach(() => world.end());

const finals = suppressStore('finals', windowCounts.output);
const finalCounts: Topology = ({ stream, store }) =>
  stream(input).pipe(
    windowTumbling(perTenSeconds),
    countWithStore(store(windowCounts)),
    suppress(store(finals), { until: 'windowCloses' }),
    to(windowResults),
  );

const latest = suppressStore('latest', { key: string, value: string });
const results = topic('results', { key: string, value: string });
const limited =
  (bounds: { readonly maxRecords?: number; readonly whenFull?: 'emit' | 'fail' } = {}): Topology =>
  ({ stream, store }) =>
    stream(input).pipe(suppress(store(latest), { until: { limit: 10_000 }, ...bounds }), to(results));

const keys = Array.from({ length: 300 }, (_, at) => `k${String(at).padStart(3, '0')}`);
const isFirst = ({ clientId }: { readonly clientId: string }): boolean => clientId === 'one';
const emitted = async (): Promise<string[]> =>
  (await world.read(results)).map(({ key, value, timestamp }) => `${key} ${value} ${timestamp}`);
const finalRows = async (): Promise<string[]> =>
  (await world.read(windowResults)).map(({ key, value }) => `${key.key}@${key.start} ${value}`);

describe('what suppress holds back', () => {
  it.each([
    ['before', 'addPartitionsToTxn'],
    ['before', 'produce'],
    ['after', 'produce'],
    ['before', 'txnOffsetCommit'],
    ['after', 'txnOffsetCommit'],
    ['before', 'endTxn'],
    ['after', 'endTxn'],
  ] as const satisfies readonly (readonly [string, ApiName])[])(
    'is released once, in order, when its instance dies %s %s',
    async (when, api) => {
      await world.write(
        input,
        [...keys].reverse().map((key) => record(key, 'v', 0)),
      );
      await world.write(input, [record('k007', 'v', 5)]);
      const one = world.start(finalCounts);
      await world.untilCommitted({ input: [301] });
      const struck = world.fault(api, when === 'before' ? { kind: 'fail before' } : { kind: 'lose answer', then: 'hang' }, isFirst);
      await world.write(input, [record('z', 'v', 10_000)]);
      await world.until(() => struck.hits === 1);
      one.kill();
      world.start(finalCounts, { sessionTimeout: 6_000 });
      await world.untilCommitted({ input: [302] });
      await world.until(() => world.broker.partition({ topic: 'results', partition: 0 })!.highWatermark >= 300);
      await world.clock.advance(1_000);
      expect(await finalRows()).toEqual(keys.map((key) => `${key}@0 ${key === 'k007' ? 2 : 1}`));
    },
  );

  it('keeps its place in the order across a restart, and its latest state', async () => {
    await world.write(input, [record('b', 'first', 5_000), record('a', 'first', 5_000), record('c', 'first', 4_000)]);
    await world.toTheEnd(limited());
    await world.write(input, [record('b', 'second', 6_000), record('z', 'v', 15_000)]);
    await world.toTheEnd(limited());
    expect(await emitted()).toEqual(['c first 4000', 'a first 5000', 'b second 6000']);
  });

  it('is in the changelog until it is released', async () => {
    await world.write(input, [record('a', 'v', 0)]);
    await world.toTheEnd(limited());
    const changelog = topic('app-latest-changelog', { key: string, value: nullable(string) });
    expect((await world.read(changelog)).map(({ key, timestamp }) => [key, timestamp])).toEqual([['a', 0]]);
    await world.write(input, [record('z', 'v', 10_000)]);
    await world.toTheEnd(limited());
    expect((await world.read(changelog)).map(({ key, value }) => [key, value === null])).toEqual([
      ['a', false],
      ['z', false],
      ['a', true],
    ]);
  });

  it('counts against its bounds after a restart too', async () => {
    await world.write(input, [record('a', 'v', 0), record('b', 'v', 1)]);
    await world.toTheEnd(limited({ maxRecords: 2 }));
    await world.write(input, [record('c', 'v', 2), record('d', 'v', 3)]);
    await world.toTheEnd(limited({ maxRecords: 2 }));
    expect(await emitted()).toEqual(['a v 0', 'b v 1']);
  });

  it('ends the run at the record that does not fit; what came before it is committed', async () => {
    await world.write(input, [record('a', 'v', 0), record('a', 'w', 1), record('b', 'v', 2)]);
    const one = world.start(limited({ maxRecords: 1, whenFull: 'fail' }));
    await one.ended();
    expect(one.error).toMatchObject({ code: 'SUPPRESS_FULL', where: { topic: 'input', offset: 2, store: 'latest' } });
    expect(world.committed('input', 0)?.offset).toBe(2);
  });

  it('leaves out a record that does not fit under the policy skip, and nothing else', async () => {
    await world.write(input, [record('a', 'v', 0), record('b', 'v', 2), record('a', 'w', 3), record('a', 'x', 10_000)]);
    const one = await world.toTheEnd(limited({ maxRecords: 1, whenFull: 'fail' }), { onProcessingError: 'skip' });
    expect(await emitted()).toEqual(['a x 10000']);
    expect(one.total('skipped-records-total')).toBe(1);
  });

  it('goes before what the same push changes, once an earlier record of the push has made it due', async () => {
    const twofold: Topology = ({ stream, store }) =>
      stream(input).pipe(
        mergeMap((one) => (one.value === 'twice' ? [one, one.withKey('a').assumePlaced()] : [one])),
        suppress(store(latest), { until: { limit: 10_000 } }),
        to(results),
      );
    await world.write(input, [record('a', 'v', 0), record('b', 'twice', 10_000), record('z', 'v', 20_000)]);
    await world.toTheEnd(twofold);
    expect(await emitted()).toEqual(['a v 0', 'a twice 10000', 'b twice 10000']);
  });

  it('leaves out a release that fails under the policy skip, and nothing else', async () => {
    const failing: Topology = ({ stream, store }) =>
      stream(input).pipe(
        suppress(store(latest), { until: { limit: 10_000 } }),
        to([results], (_, { key }) => {
          if (key === 'bad') throw new Error('planted');
          return results;
        }),
      );
    await world.write(input, [record('a', 'v', 0), record('bad', 'v', 0), record('c', 'v', 0)]);
    const one = world.start(failing, { onProcessingError: 'skip' });
    await world.untilCommitted({ input: [3] });
    await world.write(input, [record('z', 'v', 10_000)]);
    await world.untilCommitted({ input: [4] });
    await one.close();
    expect(await emitted()).toEqual(['a v 0', 'c v 0']);
  });

  it('W16: is not released a second time for what is late after a restart', async () => {
    const visits = sessionStore('visits', { key: string, value: int64, windows: { gap: 10_000 }, retention: 100_000 });
    const finalVisits = topic('results', visits.output);
    const topology: Topology = ({ stream, store }) =>
      stream(input).pipe(
        sessionize({ gap: 10_000 }),
        countWithStore(store(visits)),
        suppress(store(suppressed), { until: 'windowCloses' }),
        to(finalVisits),
      );
    const suppressed = suppressStore('final-visits', visits.output);
    await world.write(input, [record('a', 'v', 0), record('b', 'v', 10_000)]);
    await world.toTheEnd(topology);
    await world.write(input, [record('a', 'v', 0), record('b', 'v', 10_001)]);
    await world.toTheEnd(topology);
    await world.write(input, [record('a', 'v', 0), record('b', 'v', 30_000)]);
    await world.toTheEnd(topology);
    expect((await world.read(finalVisits)).map(({ key, value }) => `${key.key} ${key.start}-${key.end} ${value}`)).toEqual([
      'a 0-0 2',
      'b 10000-10001 2',
    ]);
  });
});

describe('suppress behind a watermark', () => {
  it('holds back the event time of those behind it: what it releases is not late there', async () => {
    const topology: Topology = ({ stream, store }) =>
      stream(late).pipe(
        suppress(store(latest), { until: { limit: 30_000 } }),
        windowTumbling(perTenSeconds),
        countWithStore(store(windowCounts), { emit: 'close' }),
        to(windowResults),
      );
    const one = world.start(topology);
    // The second update of a is in time at the input, and far behind by the time it is released.
    await world.write(input, [record('a', 'v', 6_000), record('a', 'v', 1_000), record('b', 'v', 36_000), record('c', 'v', 41_000)]);
    await world.untilCommitted({ input: [4] });
    await world.write(input, [record('d', 'v', 120_000)]);
    await world.untilCommitted({ input: [5] });
    await world.clock.advance(1_000);
    expect(one.total('dropped-records-total')).toBe(0);
    expect((await finalRows()).slice(0, 1)).toEqual(['a@0 1']);
  });

  const late = topic('input', { key: string, value: string, watermark: { outOfOrderness: 5_000, idleAfter: 60_000 } });

  it('releases final results as the watermark passes, with no record of their own', async () => {
    const topology: Topology = ({ stream, store }) =>
      stream(late).pipe(
        windowTumbling(perTenSeconds),
        countWithStore(store(windowCounts)),
        suppress(store(finals), { until: 'windowCloses' }),
        to(windowResults),
      );
    world.start(topology);
    await world.write(input, [record('a', 'v', 1_000), record('a', 'v', 14_999)]);
    await world.untilCommitted({ input: [2] });
    expect(await finalRows()).toEqual([]);
    await world.write(input, [record('b', 'v', 15_000)]);
    await world.untilCommitted({ input: [3] });
    await world.clock.advance(1_000);
    expect(await finalRows()).toEqual(['a@0 1']);
  });
});
