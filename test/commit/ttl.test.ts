/** Rows that age in whole instances: their removal is part of the transaction of what ended them, and survives whoever dies. */
import { mergeMap, of, throwError } from 'rxjs';
import { countWithStore, to } from '../../operators';
import { int64, nullable, string } from '../../src';
import { topic } from '../../src/codec/topic';
import type { ApiName } from '../../src/memory/call';
import { keyValueStore } from '../../src/state/definition';
import type { Topology } from '../../src/task/topology';
import { input, record } from './programs';
import { World } from './world';

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: 1, results: 1 });
});

afterEach(() => world.end());

const counts = keyValueStore('counts', { key: string, value: int64, ttl: 10_000 });
const results = topic('results', counts.output);
const changelog = topic('app-counts-changelog', { key: string, value: nullable(int64) });
const counting: Topology = ({ stream, store }) => stream(input).pipe(countWithStore(store(counts)), to(results));
const keys = Array.from({ length: 300 }, (_, at) => `k${String(at).padStart(3, '0')}`);
const isFirst = ({ clientId }: { readonly clientId: string }): boolean => clientId === 'one';

/** The rows that the changelog says there are. */
async function rows(): Promise<string[]> {
  const last = new Map<string, number | null>();
  for (const { key, value } of await world.read(changelog)) last.set(key, value);
  return [...last].flatMap(([key, value]) => (value === null ? [] : [`${key} ${value}`])).sort();
}

describe('rows whose time is over', () => {
  it('go by the watermark where there is one', async () => {
    const late = topic('input', { key: string, value: string, watermark: { outOfOrderness: 5_000 } });
    world.start(({ stream, store }) => stream(late).pipe(countWithStore(store(counts)), to(results)));
    await world.write(input, [record('a', 'v', 0), record('b', 'v', 15_000)]);
    await world.untilCommitted({ input: [2] });
    expect(await rows()).toEqual(['a 1', 'b 1']);
    await world.write(input, [record('b', 'v', 15_001)]);
    await world.untilCommitted({ input: [3] });
    await world.clock.advance(1_000);
    expect(await rows()).toEqual(['b 2']);
  });

  it('Q6: leave the changelog too', async () => {
    await world.write(
      input,
      keys.map((key) => record(key, 'v', 0)),
    );
    await world.write(input, [record('k000', 'v', 5_000), record('z', 'v', 10_001)]);
    await world.toTheEnd(counting);
    expect(await rows()).toEqual(['k000 2', 'z 1']);
  });

  it.each([
    ['before', 'produce'],
    ['after', 'produce'],
    ['before', 'txnOffsetCommit'],
    ['before', 'endTxn'],
    ['after', 'endTxn'],
  ] as const satisfies readonly (readonly [string, ApiName])[])('are gone when their instance dies %s %s', async (when, api) => {
    await world.write(
      input,
      keys.map((key) => record(key, 'v', 0)),
    );
    const one = world.start(counting);
    await world.untilCommitted({ input: [300] });
    const struck = world.fault(api, when === 'before' ? { kind: 'fail before' } : { kind: 'lose answer', then: 'hang' }, isFirst);
    await world.write(input, [record('z', 'v', 10_001)]);
    await world.until(() => struck.hits === 1);
    one.kill();
    world.start(counting, { sessionTimeout: 6_000 });
    await world.untilCommitted({ input: [301] });
    await world.write(input, [record('k000', 'v', 10_002)]);
    await world.untilCommitted({ input: [302] });
    await world.clock.advance(1_000);
    expect(await rows()).toEqual(['k000 1', 'z 1']);
  });

  it('are there again when what has removed them is undone, and go later', async () => {
    const failing: Topology = ({ stream, store }) =>
      stream(input).pipe(
        countWithStore(store(counts)),
        mergeMap((one) => (one.key === 'bad' ? throwError(() => new Error('planted')) : of(one))),
        to(results),
      );
    await world.write(input, [record('a', 'v', 0), record('b', 'v', 5_000)]);
    const one = world.start(failing, { onProcessingError: 'skip' });
    await world.untilCommitted({ input: [2] });
    await world.write(input, [record('c', 'v', 10_001), record('bad', 'v', 50_000)]);
    await world.untilCommitted({ input: [4] });
    expect(await rows()).toEqual(['b 1', 'c 1']);
    await world.write(input, [record('z', 'v', 30_000)]);
    await world.untilCommitted({ input: [5] });
    await one.close();
    expect(await rows()).toEqual(['z 1']);
  });

  it('do not come back for a record that was late for them before a restart', async () => {
    await world.write(input, [record('a', 'v', 0), record('z', 'v', 10_001)]);
    await world.toTheEnd(counting);
    await world.write(input, [record('a', 'v', 0)]);
    await world.toTheEnd(counting);
    expect((await world.read(results)).map(({ key, value }) => `${key} ${value}`)).toEqual(['a 1', 'z 1', 'a 1']);
    expect(await rows()).toEqual(['z 1']);
  });
});
