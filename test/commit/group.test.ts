/** Tasks that move: every one has one owner, and every record counts once, whatever the group does meanwhile. */
import { tap } from 'rxjs';
import { delay } from '../../src/time/clock';
import { delayedStep } from './parked';
import { counting, countingValues, countingWindows, input, keysOf, record, results, windowResults } from './programs';
import { type Running, type StartOptions, World } from './world';

const PARTITIONS = 4;
const QUICK: StartOptions = { sessionTimeout: 6_000, heartbeatInterval: 500 };
const keys = Array.from({ length: PARTITIONS }, (_, partition) => keysOf(partition, PARTITIONS)[0] as string);

let world: World;
let written = 0;

beforeEach(() => {
  world = new World();
  world.topics({ input: PARTITIONS, results: 1 });
  written = 0;
});

afterEach(() => world.end());

/** One record to each partition, `rounds` times. */
async function feed(rounds: number): Promise<void> {
  const batch = Array.from({ length: rounds }, (_, round) => keys.map((key) => record(key, 'v', written + round))).flat();
  written += rounds;
  await world.write(input, batch);
}

const allCommitted = (): Promise<void> => world.untilCommitted({ input: keys.map(() => written) });
const ownedBy = (running: Running): number[] => [...running.owned].sort();

/** Each key was counted from 1 to the number of its records, once and in order. */
async function expectExact(): Promise<void> {
  const found = await world.read(results);
  for (const key of keys) {
    expect(found.filter((each) => each.key === key).map(({ value }) => value)).toEqual(Array.from({ length: written }, (_, at) => at + 1));
  }
}

describe('two instances', () => {
  it('R1, R8: the second takes half of the tasks; those that stay are not interrupted, and counts stay exact', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await feed(10);
    await allCommitted();
    const two = world.start(counting, { ...QUICK, name: 'two' });
    for (let round = 0; round < 20; round++) {
      await feed(1);
      await world.clock.advance(100);
    }
    await world.until(() => two.started.length === 2);
    await feed(10);
    await allCommitted();
    expect(one.started).toEqual([0, 1, 2, 3]);
    expect([...ownedBy(one), ...ownedBy(two)].sort()).toEqual([0, 1, 2, 3]);
    expect(ownedBy(two)).toHaveLength(2);
    await expectExact();
  });

  it('R1: one closes, the other takes over everything', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    const two = world.start(counting, { ...QUICK, name: 'two' });
    await world.until(() => one.started.length >= 2 && two.started.length >= 2);
    await feed(10);
    await one.close();
    expect(one.completed).toBe(true);
    await world.until(() => ownedBy(two).length === PARTITIONS);
    await feed(10);
    await allCommitted();
    await expectExact();
  });

  it('R1: one dies at work; after its session the other goes on where it was', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    const two = world.start(counting, { ...QUICK, name: 'two' });
    await world.until(() => one.started.length >= 2 && two.started.length >= 2);
    await feed(5);
    world.fault('endTxn', { kind: 'delay', ms: 200 }, ({ clientId }) => clientId === 'one');
    await feed(5);
    await world.until(() => world.asked('endTxn').some(({ clientId, request }) => clientId === 'one' && request.commit));
    one.kill();
    await feed(5);
    await world.until(() => ownedBy(two).length === PARTITIONS, 60_000);
    await allCommitted();
    await expectExact();
  });

  it('S2: open windows go with their tasks, and W16: a closed one stays closed', async () => {
    const one = world.start(countingWindows, { ...QUICK, name: 'one' });
    await world.write(
      input,
      keys.flatMap((key) => [record(key, 'v', 0), record(key, 'v', 15_000)]),
    );
    await world.untilCommitted({ input: keys.map(() => 2) });
    const two = world.start(countingWindows, { ...QUICK, name: 'two' });
    await world.until(() => two.started.length === 2);
    await world.write(
      input,
      keys.flatMap((key) => [record(key, 'v', 1), record(key, 'v', 16_000), record(key, 'v', 30_000)]),
    );
    await world.untilCommitted({ input: keys.map(() => 5) });
    const found = await world.read(windowResults);
    expect(found.map(({ key, value }) => [key.key, key.start, value]).sort()).toEqual(
      keys
        .flatMap((key) => [
          [key, 0, 1],
          [key, 10_000, 2],
        ])
        .sort(),
    );
    expect(one.total('dropped-records-total') + two.total('dropped-records-total')).toBe(PARTITIONS);
  });

  it('behind a repartition: what one has written the other counts, once', async () => {
    world.start(countingValues, { ...QUICK, name: 'one' });
    const two = world.start(countingValues, { ...QUICK, name: 'two' });
    const values = ['red', 'green', 'blue', 'white'];
    const batch = (from: number) =>
      Array.from({ length: 100 }, (_, at) => record(keys[at % 4] as string, values[(at + from) % 4] as string, at));
    await world.write(input, batch(0));
    await world.until(() => two.started.length >= 2);
    await world.write(input, batch(1));
    await world.until(() => world.asked('produce').length > 0);
    const counted = async (): Promise<number> => (await world.read(results)).length;
    await world.untilCommitted({ input: keys.map(() => 50) });
    for (let waited = 0; waited < 50 && (await counted()) < 200; waited++) await world.clock.advance(200);
    const found = await world.read(results);
    for (const value of values) {
      expect(found.filter(({ key }) => key === value).map(({ value: count }) => count)).toEqual(
        Array.from({ length: 50 }, (_, at) => at + 1),
      );
    }
  });
});

describe('a join while a transaction is under way', () => {
  /** A transaction of all tasks of `one`, whose offsets reach the broker only when `two` has joined. */
  async function heldOffsets(one: Running, two: () => Running): Promise<Running> {
    const held = world.fault('txnOffsetCommit', { kind: 'delay', ms: 5_000 }, ({ clientId }) => clientId === 'one');
    const generation = world.broker.group('app')?.generationId ?? 0;
    await feed(5);
    await world.until(() => held.hits === 1);
    const joined = two();
    await world.until(() => (world.broker.group('app')?.generationId ?? 0) > generation);
    expect(one.commits.flatMap(({ tasks }) => tasks)).toEqual([]);
    return joined;
  }

  it('R17: 22 keeps the transaction when all of its tasks stay: the same offsets go out under the new generation', async () => {
    await world.end();
    world = new World();
    world.topics({ input: 1, results: 1 });
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === 1);
    const held = world.fault('txnOffsetCommit', { kind: 'delay', ms: 5_000 }, ({ clientId }) => clientId === 'one');
    await world.write(input, [record('a', 'v'), record('a', 'v')]);
    await world.until(() => held.hits === 1);
    world.start(counting, { ...QUICK, name: 'two' });
    await world.untilCommitted({ input: [2] });
    const generations = world.asked('txnOffsetCommit').map(({ request }) => request.generationId);
    expect(generations.length).toBeGreaterThan(1);
    expect(new Set(generations).size).toBe(2);
    expect(one.total('abort-total')).toBe(0);
    expect(one.started).toEqual([0]);
    expect((await world.read(results)).map(({ value }) => value)).toEqual([1, 2]);
  });

  it('R17: 22 keeps it also when one of its tasks leaves: nobody else has it before the next join; all are counted once', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === PARTITIONS);
    const two = await heldOffsets(one, () => world.start(counting, { ...QUICK, name: 'two' }));
    await world.until(() => two.started.length > 0, 30_000);
    await feed(5);
    await allCommitted();
    expect(one.total('abort-total')).toBe(0);
    expect([...ownedBy(one), ...ownedBy(two)].sort()).toEqual([0, 1, 2, 3]);
    await expectExact();
  });

  it('R10: 25 is lost: nothing of it is committed, the tasks start again after the join', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await feed(5);
    await allCommitted();
    world.fault('txnOffsetCommit', { kind: 'answer', errorCode: 25 });
    await feed(5);
    await allCommitted();
    expect(one.total('abort-total')).toBe(1);
    expect(one.started).toEqual([0, 1, 2, 3, 0, 1, 2, 3]);
    await expectExact();
  });

  it('R10: lost by its heartbeat, in-flight work is dropped and done again', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await feed(5);
    await allCommitted();
    const held = world.fault('addOffsetsToTxn', { kind: 'delay', ms: 3_000 });
    await feed(5);
    await world.until(() => held.hits === 1);
    world.fault('heartbeat', { kind: 'answer', errorCode: 25 });
    await feed(5);
    await allCommitted();
    expect(one.started.length).toBeGreaterThan(PARTITIONS);
    await expectExact();
  });

  it('a member that is cut off until its session ends comes back without doubling anything', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    const two = world.start(counting, { ...QUICK, name: 'two' });
    await world.until(() => one.started.length >= 2 && two.started.length >= 2);
    await feed(5);
    await allCommitted();
    const cut = world.broker.faults.add({ match: ({ clientId }) => clientId === 'one', action: { kind: 'fail before' }, times: Infinity });
    await feed(5);
    await world.until(() => ownedBy(two).length === PARTITIONS, 60_000);
    await feed(5);
    await allCommitted();
    cut.remove();
    await world.until(() => ownedBy(two).length === 2, 60_000);
    await feed(5);
    await allCommitted();
    expect([one.error, two.error]).toEqual([undefined, undefined]);
    await expectExact();
  });
});

describe('giving tasks up', () => {
  it('R2: drains and commits within its budget', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await feed(10);
    world.start(counting, { ...QUICK, name: 'two', commitInterval: 60_000 });
    const asked = world.clock.monotonic();
    await world.until(() => ownedBy(one).length === 2);
    expect(world.clock.monotonic() - asked).toBeLessThan(3_000);
    await world.until(() => world.broker.group('app')?.members.length === 2);
  });

  it('is not held up by commits that are always under way', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one', commitInterval: 10 });
    await world.until(() => one.started.length === PARTITIONS);
    world.fault('endTxn', { kind: 'delay', ms: 100 }, undefined, Infinity);
    let ended = false;
    const feeding = (async () => {
      while (!ended) {
        await world.cluster.write(
          input,
          keys.map((key) => record(key, 'v', written)),
        );
        written++;
        await delay(world.clock, 5);
      }
    })();
    await world.clock.advance(1_000);
    const two = world.start(counting, { ...QUICK, name: 'two' });
    await world.until(() => two.started.length === 2, 10_000);
    ended = true;
    await world.settle(feeding);
    await allCommitted();
    await expectExact();
  });

  it('R13: a task that waits for a promise beyond the budget is dropped, and nothing of it is committed', async () => {
    const { topology, waiting, release } = delayedStep();
    const one = world.start(topology, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === PARTITIONS);
    await feed(1);
    await world.until(() => waiting() === PARTITIONS);
    const two = world.start(counting, { ...QUICK, name: 'two' });
    await world.until(() => two.started.length === 2, 60_000);
    release();
    await allCommitted();
    await expectExact();
  });

  it('R4: emits nothing that was buffered for a task that has gone', async () => {
    const pushed: string[] = [];
    const topology = (name: string) => (task: Parameters<typeof counting>[0]) =>
      counting(task).pipe(tap(({ key }) => pushed.push(`${name} ${key as string}`)));
    const one = world.start(topology('one'), { ...QUICK, name: 'one' });
    await feed(5);
    await allCommitted();
    const two = world.start(topology('two'), { ...QUICK, name: 'two' });
    await world.until(() => two.started.length === 2);
    pushed.length = 0;
    await feed(5);
    await allCommitted();
    const moved = keys.filter((_, task) => two.owned.has(task));
    expect(pushed.filter((each) => each.startsWith('one ') && moved.includes(each.slice(4)))).toEqual([]);
    expect(pushed).toHaveLength(5 * PARTITIONS);
    expect(one.error).toBeUndefined();
  });
});
