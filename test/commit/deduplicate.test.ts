/** deduplicate in whole instances: what one has seen, the next one knows, and forgets in time. */
import { deduplicate, to } from '../../operators';
import { bytes, int64, nullable, string } from '../../src';
import { topic } from '../../src/codec/topic';
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

const seen = keyValueStore('seen', { key: string, value: int64 });
const results = topic('results', { key: string, value: string });
const changelog = topic('app-seen-changelog', { key: bytes, value: nullable(int64) });
const byId = (id: string): string => id;
const topology =
  (id?: (value: string) => string): Topology =>
  ({ stream, store }) =>
    stream(input).pipe(deduplicate(store(seen), { within: 10_000, ...(id && { id }) }), to(results));

const passed = async (): Promise<string[]> =>
  (await world.read(results)).map(({ key, value, timestamp }) => `${key} ${value} ${timestamp}`);

/** Times that the changelog says are remembered. */
async function remembered(): Promise<number[]> {
  const last = new Map<string, number | null>();
  for (const { key, value } of await world.read(changelog)) last.set(Buffer.from(key).toString('hex'), value);
  return [...last.values()].filter((time) => time !== null);
}

describe('what has been seen', () => {
  it.each([
    ['keys', undefined],
    ['ids', byId],
  ])('by %s is known to the next instance', async (_, id) => {
    await world.write(input, [record('a', 'x', 0), record('b', 'y', 5_000)]);
    await world.toTheEnd(topology(id));
    await world.write(input, [record('a', 'x', 10_000), record('b', 'y', 15_001), record('a', 'x', 15_002)]);
    await world.toTheEnd(topology(id));
    expect(await passed()).toEqual(['a x 0', 'b y 5000', 'b y 15001', 'a x 15002']);
  });

  it('is forgotten by the next instance too, in its changelog as well', async () => {
    const many = Array.from({ length: 2_500 }, (_, at) => record('a', `id ${at}`, at));
    await world.write(input, many);
    await world.toTheEnd(topology(byId));
    await world.write(input, [record('b', 'later', 12_000)]);
    await world.toTheEnd(topology(byId));
    const left = await remembered();
    expect(Math.min(...left)).toBe(2_000);
    expect(left).toHaveLength(501);
  });

  it('passes once, whatever its instance dies of', async () => {
    await world.write(input, [record('a', 'x', 0)]);
    const one = world.start(topology(byId));
    await world.untilCommitted({ input: [1] });
    const struck = world.fault('endTxn', { kind: 'lose answer', then: 'hang' }, ({ clientId }) => clientId === 'one');
    await world.write(input, [record('a', 'y', 1), record('a', 'x', 2)]);
    await world.until(() => struck.hits === 1);
    one.kill();
    world.start(topology(byId), { sessionTimeout: 6_000 });
    await world.untilCommitted({ input: [3] });
    await world.write(input, [record('a', 'y', 3)]);
    await world.untilCommitted({ input: [4] });
    await world.clock.advance(1_000);
    expect(await passed()).toEqual(['a x 0', 'a y 1']);
  });
});
