/** A rolling deploy: two plans in one group at once. What both share is neither lost nor doubled. */
import { merge } from 'rxjs';
import { countWithStore, mapWithStore, to } from '../../operators';
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { keyValueStore } from '../../src/state/definition';
import type { Topology } from '../../src/task/topology';
import { counting, counts, input, keysOf, record, results } from './programs';
import { type Running, type StartOptions, World } from './world';

const PARTITIONS = 4;
const QUICK: StartOptions = { sessionTimeout: 6_000, heartbeatInterval: 500 };
const keys = Array.from({ length: PARTITIONS }, (_, partition) => keysOf(partition, PARTITIONS)[0] as string);
const last = topic('last', { key: string, value: string });
const more = topic('more', { key: string, value: string });
const latest = keyValueStore('latest', { key: string, value: string });

/** Counts, and remembers the value before in a store of its own. */
const withLatest: Topology = ({ stream, store }) => {
  const source = stream(input);
  const previous = mapWithStore(store(latest), {
    initial: () => 'none',
    step: (before: string, value: string) => [value, before] as const,
  });
  return merge(source.pipe(countWithStore(store(counts)), to(results)), source.pipe(previous, to(last)));
};

/** Counts, and copies a topic of six partitions: two more tasks. */
const withMore: Topology = ({ stream, store }) =>
  merge(stream(input).pipe(countWithStore(store(counts)), to(results)), stream(more).pipe(to(last)));

let world: World;
let written = 0;

beforeEach(() => {
  world = new World();
  world.topics({ input: PARTITIONS, results: 1, last: 1, more: 6 });
  written = 0;
});

afterEach(() => world.end());

async function feed(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await world.write(
      input,
      keys.map((key) => record(key, `v${String(written)}`, written)),
    );
    written++;
    await world.clock.advance(100);
  }
}

const allCommitted = (): Promise<void> => world.untilCommitted({ input: keys.map(() => written) });

async function expectExact(): Promise<void> {
  const found = await world.read(results);
  for (const key of keys) {
    expect(found.filter((each) => each.key === key).map(({ value }) => value)).toEqual(Array.from({ length: written }, (_, at) => at + 1));
  }
}

const untilShared = (...running: Running[]): Promise<void> =>
  world.until(
    () => running.every(({ owned }) => owned.size > 0) && running.reduce((sum, { owned }) => sum + owned.size, 0) >= PARTITIONS,
    60_000,
  );

/** `one` at work, `two` comes, `one` goes: what a rolling deploy does for each instance. */
async function roll(before: Topology, after: Topology): Promise<Running> {
  const old = [world.start(before, { ...QUICK, name: 'one' }), world.start(before, { ...QUICK, name: 'two' })];
  await untilShared(...old);
  await feed(5);
  await allCommitted();
  await old[0]?.close();
  const first = world.start(after, { ...QUICK, name: 'three' });
  await feed(10);
  await untilShared(old[1] as Running, first);
  await feed(10);
  await allCommitted();
  await old[1]?.close();
  const second = world.start(after, { ...QUICK, name: 'four' });
  await feed(10);
  await untilShared(first, second);
  await feed(5);
  await allCommitted();
  expect([...old, first, second].map(({ error }) => error)).toEqual([undefined, undefined, undefined, undefined]);
  return second;
}

describe('a rolling deploy', () => {
  it('S8: with a store added, the shared one counts on, wherever tasks go', async () => {
    await roll(counting, withLatest);
    await expectExact();
  });

  it('with a store removed, too', async () => {
    await roll(withLatest, counting);
    await expectExact();
  });

  it('with a topic added that has more partitions: the new tasks go to who knows them', async () => {
    await world.write(
      more,
      Array.from({ length: 60 }, (_, at) => record(`m${String(at)}`, 'v', at)),
    );
    await roll(counting, withMore);
    await expectExact();
    await world.untilCommitted({
      more: [0, 0, 0, 0, 0, 0].map((_, partition) => world.broker.partition({ topic: 'more', partition })?.highWatermark ?? 0),
    });
    const copied = (await world.read(last)).map(({ key }) => key).sort();
    expect(copied).toEqual(Array.from({ length: 60 }, (_, at) => `m${String(at)}`).sort());
  });

  it("with such a topic removed: the tasks that nobody knows any more are nobody's", async () => {
    await roll(withMore, counting);
    await expectExact();
  });

  it('back and forth between both plans, a task keeps its counts', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await untilShared(one);
    for (let turn = 0; turn < 4; turn++) {
      const other = world.start(turn % 2 === 0 ? withLatest : counting, { ...QUICK, name: `other-${String(turn)}` });
      await feed(10);
      await untilShared(one, other);
      await feed(5);
      if (turn % 2 === 0) await other.close();
      else other.kill();
      await feed(5);
    }
    await world.until(() => one.owned.size === PARTITIONS, 60_000);
    await allCommitted();
    await expectExact();
  });
});
