/** Topics that are given more partitions underneath the application. */
import { joinGlobalTable, to } from '../../operators';
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import type { Topology } from '../../src/task/topology';
import { copied, copying, counting, countingValues, input, keysOf, record, results } from './programs';
import { type StartOptions, World } from './world';

const QUICK: StartOptions = { sessionTimeout: 6_000, heartbeatInterval: 500 };
const keys = Array.from({ length: 4 }, (_, partition) => keysOf(partition, 4)[0] as string);

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: 4, results: 1 });
});

afterEach(() => world.end());

const feed = (): Promise<void> =>
  world.write(
    input,
    keys.map((key) => record(key, 'v')),
  );

describe('an input that is given more partitions while instances run', () => {
  it('ends every instance within a minute, with what was done committed; the error names topic and both numbers', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    const two = world.start(counting, { ...QUICK, name: 'two' });
    await world.until(() => one.owned.size === 2 && two.owned.size === 2);
    await feed();
    await world.untilCommitted({ input: [1, 1, 1, 1] });
    world.broker.growTopic('input', 6);
    await world.until(() => one.error !== undefined && two.error !== undefined, 65_000);
    for (const { error } of [one, two]) {
      expect(error?.code).toBe('PARTITIONS_CHANGED');
      expect(error?.where).toEqual({ topic: 'input' });
      for (const said of ['"input"', '6 partitions', 'it had 4', 'reset']) expect(error?.message).toContain(said);
    }
    expect((await world.read(results)).map(({ value }) => value)).toEqual([1, 1, 1, 1]);
  });

  it('ends it at the next join, whoever joins', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === 4);
    await world.clock.advance(5_000);
    world.broker.growTopic('input', 6);
    const two = world.start(copying, { ...QUICK, name: 'two' });
    const asked = world.clock.monotonic();
    await world.until(() => one.error !== undefined, 65_000);
    expect(one.error?.code).toBe('PARTITIONS_CHANGED');
    expect(world.clock.monotonic() - asked).toBeLessThan(3_000);
    await two.close();
  });

  it('of a global table: all of it is read after a restart', async () => {
    world.topics({ names: 1 });
    const names = topic('names', { key: string, value: string });
    const joining: Topology = ({ stream, globalTable }) =>
      stream(input).pipe(
        joinGlobalTable(
          globalTable(names),
          (value) => value,
          (value, name) => `${value} ${name}`,
        ),
        to(copied),
      );
    const one = world.start(joining, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === 4);
    world.broker.growTopic('names', 2);
    await world.until(() => one.error !== undefined, 65_000);
    expect(one.error?.code).toBe('PARTITIONS_CHANGED');
    for (const said of ['"names"', '2 partitions', 'global table']) expect(one.error?.message).toContain(said);
    await world.write(
      names,
      keysOf(1, 2, 3).map((key) => record(key, 'named')),
    );
    const again = world.start(joining, { ...QUICK, name: 'one' });
    await world.until(() => again.started.length === 4);
    await world.write(input, [record('a', keysOf(1, 2)[0]!)]);
    await world.until(() => (world.broker.partition({ topic: 'results', partition: 0 })?.lastStableOffset ?? 0) > 0);
    expect((await world.read(copied)).map(({ value }) => value)).toEqual([`${keysOf(1, 2)[0]!} named`]);
  });

  it('without state it has as many tasks when it is started again', async () => {
    const one = world.start(copying, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === 4);
    world.broker.growTopic('input', 6);
    await world.until(() => one.error !== undefined, 65_000);
    expect(one.error?.message).toContain('stop all instances, then start them again');
    const again = world.start(copying, { ...QUICK, name: 'one' });
    await world.until(() => again.started.length === 6);
    expect(again.error).toBeUndefined();
  });

  it.each([
    ['a changelog', counting, 'app-counts-changelog'],
    ['a repartition topic', countingValues, 'app-by-value-repartition'],
  ])('with state it does not start again: %s has the old number', async (_, topology, topic) => {
    const one = world.start(topology, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === 4);
    world.broker.growTopic('input', 6);
    await world.until(() => one.error !== undefined, 65_000);
    const again = world.start(topology, { ...QUICK, name: 'one' });
    await again.ended();
    expect(again.error?.code).toBe('CO_PARTITION');
    for (const said of [topic, '4 partitions', '6 are needed', 'reset']) expect(again.error?.message).toContain(said);
  });

  it('is looked for once a minute when nothing else happens', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === 4);
    await world.clock.advance(10_000);
    const before = world.asked('metadata').length;
    await world.clock.advance(300_000);
    expect(world.asked('metadata').length - before).toBe(5);
    await one.close();
    expect(one.error).toBeUndefined();
  });
});
