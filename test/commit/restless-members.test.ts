/** Members that come and go all the time, are slow, or are found elsewhere: nothing is lost or doubled, and the others work on. */
import { tap } from 'rxjs';
import { countWithStore, to } from '../../operators';
import type { Topology } from '../../src/task/topology';
import { counting, counts, input, keysOf, record, results } from './programs';
import { type Running, type StartOptions, World } from './world';

const PARTITIONS = 4;
const QUICK: StartOptions = { sessionTimeout: 6_000, heartbeatInterval: 500 };
const keys = Array.from({ length: PARTITIONS }, (_, partition) => keysOf(partition, PARTITIONS)[0] as string);

let world: World;
let written = 0;

beforeEach(() => {
  world = new World({ brokers: 3 });
  world.topics({ input: PARTITIONS, results: 1 });
  written = 0;
});

afterEach(() => world.end());

async function feed(value = 'v'): Promise<void> {
  await world.write(
    input,
    keys.map((key) => record(key, value, written)),
  );
  written++;
}

const allCommitted = (): Promise<void> => world.untilCommitted({ input: keys.map(() => written) });

async function expectExact(): Promise<void> {
  const found = await world.read(results);
  for (const key of keys) {
    expect(found.filter((each) => each.key === key).map(({ value }) => value)).toEqual(Array.from({ length: written }, (_, at) => at + 1));
  }
}

/** Feeds every 100 ms; the longest time between two commits of an instance, once it has begun. */
async function longestGap(of: Running, ms: number): Promise<number> {
  let longest = 0;
  let commits = of.commits.length;
  let since = world.clock.monotonic();
  for (let passed = 0; passed < ms; passed += 100) {
    await feed();
    await world.clock.advance(100);
    if (of.commits.length === commits) continue;
    commits = of.commits.length;
    longest = Math.max(longest, world.clock.monotonic() - since);
    since = world.clock.monotonic();
  }
  return Math.max(longest, world.clock.monotonic() - since);
}

describe('a group without rest', () => {
  it('R11: one comes, goes or dies every second for a minute: positions advance, starts are bounded, and all is counted once', async () => {
    const living = [world.start(counting, { ...QUICK, name: 'first' })];
    const all = [...living];
    const closing: Promise<void>[] = [];
    await world.until(() => living[0]?.started.length === PARTITIONS);
    let longest = 0;
    let behindSince = world.clock.monotonic();
    for (let second = 0; second < 60; second++) {
      if (second % 2 === 0) {
        const next = world.start(counting, { ...QUICK, name: `m${String(second)}` });
        living.push(next);
        all.push(next);
      } else if (second % 10 === 9) {
        living.shift()?.kill();
      } else {
        const leaving = living.shift();
        if (leaving !== undefined) closing.push(leaving.app.close());
      }
      await feed();
      const before = keys.map((_, partition) => world.committed('input', partition)?.offset ?? 0);
      await world.clock.advance(1_000);
      const advanced = keys.some((_, partition) => (world.committed('input', partition)?.offset ?? 0) > (before[partition] ?? 0));
      if (advanced) behindSince = world.clock.monotonic();
      longest = Math.max(longest, world.clock.monotonic() - behindSince);
    }
    await allCommitted();
    await Promise.all(closing);
    await expectExact();
    expect(longest).toBeLessThanOrEqual(8_000);
    expect(all.reduce((sum, { started }) => sum + started.length, 0)).toBeLessThan(60 * PARTITIONS);
    expect(all.filter(({ error }) => error !== undefined).map(({ name, error }) => `${name}: ${String(error)}`)).toEqual([]);
  }, 60_000);
});

describe('more instances than tasks', () => {
  it('those left over idle, and take over when one goes', async () => {
    const all = Array.from({ length: 6 }, (_, at) => world.start(counting, { ...QUICK, name: `m${String(at)}` }));
    await world.until(
      () => all.filter(({ owned }) => owned.size === 1).length === PARTITIONS && all.every(({ state }) => state === 'running'),
    );
    await feed();
    await allCommitted();
    const idle = all.filter(({ owned }) => owned.size === 0);
    expect(idle).toHaveLength(2);
    const busy = all.filter(({ owned }) => owned.size === 1);
    await busy[0]?.close();
    busy[1]?.kill();
    await feed();
    await world.until(() => idle.every(({ owned }) => owned.size === 1), 30_000);
    await feed();
    await allCommitted();
    await expectExact();
  });
});

describe('a slow member', () => {
  it('R1: a record that takes seconds while its task is given up is counted once, by one of both', async () => {
    const slow: Topology = ({ stream, store }) =>
      stream(input).pipe(
        tap(({ value }) => {
          if (value === 'slow') world.pass(3_000);
        }),
        countWithStore(store(counts)),
        to(results),
      );
    const one = world.start(slow, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === PARTITIONS);
    await feed();
    await allCommitted();
    const two = world.start(slow, { ...QUICK, name: 'two' });
    await world.until(() => world.asked('joinGroup').some(({ clientId }) => clientId === 'two'));
    await feed('slow');
    await world.until(() => two.started.length === 2, 60_000);
    await feed();
    await allCommitted();
    await expectExact();
    expect([one.error, two.error]).toEqual([undefined, undefined]);
  });

  it('R8: slow to join, it holds up nobody: the others work and commit on', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === PARTITIONS);
    await feed();
    await allCommitted();
    let joins = 0;
    const isSecond = (): boolean => ++joins === 2;
    world.fault('joinGroup', { kind: 'delay', ms: 5_000 }, ({ clientId }) => clientId === 'two' && isSecond());
    const two = world.start(counting, { ...QUICK, name: 'two' });
    const third = world.start(counting, { ...QUICK, name: 'three' });
    expect(await longestGap(one, 8_000)).toBeLessThanOrEqual(1_000);
    await world.until(() => two.started.length > 0 && third.started.length > 0);
    await allCommitted();
    await expectExact();
    expect(one.total('abort-total')).toBe(0);
  });

  it('slow to rejoin, it stays active meanwhile, and so do the others', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    const two = world.start(counting, { ...QUICK, name: 'two' });
    await world.until(() => one.owned.size === 2 && two.started.length === 2);
    await feed();
    await allCommitted();
    world.fault('joinGroup', { kind: 'delay', ms: 4_000 }, ({ clientId }) => clientId === 'two');
    world.start(counting, { ...QUICK, name: 'three' });
    const gaps = await Promise.all([longestGap(one, 6_000), longestGap(two, 6_000)]);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1_000);
    await allCommitted();
    await expectExact();
  });
});

describe('with instanceId', () => {
  const start = (instanceId: string, name: string): Running => world.start(counting, { ...QUICK, instanceId, name });

  it('a restart within the session moves nothing: the other one is not even asked to join', async () => {
    const one = start('a', 'one');
    const two = start('b', 'two');
    await world.until(() => one.started.length >= 2 && two.started.length >= 2 && one.owned.size === 2);
    await feed();
    await allCommitted();
    const generation = world.broker.group('app')?.generationId;
    const had = [...two.owned];
    const joins = (): number => world.asked('joinGroup').filter(({ clientId }) => clientId === 'one').length;
    const before = joins();
    await two.close();
    await feed();
    await world.clock.advance(2_000);
    const again = start('b', 'again');
    await world.until(() => again.started.length === 2);
    await feed();
    await allCommitted();
    expect([again.started.sort(), world.broker.group('app')?.generationId, joins()]).toEqual([had.sort(), generation, before]);
    await expectExact();
  });

  it('a second process with the same one takes over while the first is at work; that one ends and names both, and nothing is doubled', async () => {
    const one = start('a', 'one');
    await world.until(() => one.started.length === PARTITIONS);
    await feed();
    await allCommitted();
    const held = world.fault('endTxn', { kind: 'delay', ms: 1_000 }, ({ clientId }) => clientId === 'one');
    await feed();
    await world.until(() => held.hits === 1);
    const two = start('a', 'two');
    for (let round = 0; round < 30; round++) {
      await feed();
      await world.clock.advance(100);
    }
    await one.ended();
    expect(one.error?.code).toBe('INSTANCE_DUPLICATE');
    expect(one.error?.message.match(/started/g)).toHaveLength(2);
    await world.until(() => two.started.length === PARTITIONS);
    await feed();
    await allCommitted();
    await expectExact();
    expect(two.error).toBeUndefined();
  });

  it('one that leaves for good is replaced at once', async () => {
    const one = start('a', 'one');
    const two = start('b', 'two');
    await world.until(() => one.owned.size === 2 && two.started.length === 2);
    await world.settle(two.app.close({ leaveGroup: true }));
    await feed();
    await world.until(() => one.owned.size === PARTITIONS, QUICK.heartbeatInterval! + 100);
    expect(one.owned.size).toBe(PARTITIONS);
    await allCommitted();
    await expectExact();
  });

  it('one that dies and does not come back is replaced when its session ends', async () => {
    const one = start('a', 'one');
    const two = start('b', 'two');
    await world.until(() => one.owned.size === 2 && two.started.length === 2);
    two.kill();
    await feed();
    await world.until(() => one.owned.size === PARTITIONS, 30_000);
    await allCommitted();
    await expectExact();
  });

  it('K1: its coordinator moves: nobody is lost, nothing starts again, and a restart after that moves nothing either', async () => {
    const one = start('a', 'one');
    const two = start('b', 'two');
    await world.until(() => one.owned.size === 2 && two.started.length === 2);
    await feed();
    await allCommitted();
    const started = one.started.length + two.started.length;
    const generation = world.broker.group('app')?.generationId;
    for (const node of [1, 2, 3]) {
      world.broker.moveCoordinator('group', 'app', node, 500);
      expect(await longestGap(one, 2_000)).toBeLessThanOrEqual(1_500);
    }
    await allCommitted();
    expect([one.started.length + two.started.length, world.broker.group('app')?.generationId]).toEqual([started, generation]);
    two.kill();
    world.broker.moveCoordinator('group', 'app', 1, 500);
    await feed();
    const again = start('b', 'again');
    await world.until(() => again.started.length === 2);
    await feed();
    await allCommitted();
    expect(world.broker.group('app')?.generationId).toBe(generation);
    await expectExact();
  });

  it('its coordinator moves in the middle of a rebalance: all come together again', async () => {
    const one = start('a', 'one');
    await world.until(() => one.started.length === PARTITIONS);
    const two = start('b', 'two');
    await world.until(() => world.asked('joinGroup').some(({ clientId }) => clientId === 'two'));
    for (const node of [2, 3, 1, 2]) {
      world.broker.moveCoordinator('group', 'app', node, 300);
      await feed();
      await world.clock.advance(200);
    }
    await world.until(() => one.owned.size === 2 && two.owned.size === 2, 60_000);
    await feed();
    await allCommitted();
    await expectExact();
    expect([one.error, two.error]).toEqual([undefined, undefined]);
  });
});
