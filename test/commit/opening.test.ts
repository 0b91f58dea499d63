/** Tasks that begin at their own pace: one that has much to restore holds up none that has not, whatever happens meanwhile. */
import type { FaultHandle } from '../../src/memory/faults';
import { counting, input, keysOf, record, results } from './programs';
import { type Running, type StartOptions, World } from './world';

const PARTITIONS = 4;
const QUICK: StartOptions = { sessionTimeout: 6_000, heartbeatInterval: 500 };
const keys = Array.from({ length: PARTITIONS }, (_, partition) => keysOf(partition, PARTITIONS)[0] as string);

let world: World;
let written = 0;

beforeEach(async () => {
  world = new World();
  world.topics({ input: PARTITIONS, results: 1 });
  written = 0;
  // A state that none of the instances below has on disk.
  const before = world.start(counting, { ...QUICK, name: 'before' });
  await feed(3);
  await world.untilCommitted({ input: keys.map(() => written) });
  await before.close();
});

afterEach(() => world.end());

async function feed(rounds: number): Promise<void> {
  const batch = Array.from({ length: rounds }, (_, round) => keys.map((key) => record(key, 'v', written + round))).flat();
  written += rounds;
  await world.write(input, batch);
}

/** Restores of these tasks come to nothing until it is removed. */
function stuck(...tasks: readonly number[]): FaultHandle {
  const concerns = (each: { readonly topic: string; readonly partition: number }): boolean =>
    each.topic.endsWith('-changelog') && tasks.includes(each.partition);
  return world.fault(
    'fetch',
    { kind: 'answer', errorCode: 6 },
    ({ lane, request }) => lane === 'restore' && request.partitions.some(concerns),
    Infinity,
  );
}

async function expectCountedOnce(): Promise<void> {
  await world.untilCommitted({ input: keys.map(() => written) });
  const found = await world.read(results);
  for (const key of keys) {
    expect([key, found.filter((each) => each.key === key).map(({ value }) => value)]).toEqual([
      key,
      Array.from({ length: written }, (_, at) => at + 1),
    ]);
  }
}

/** ms of the longest time without a commit of a task. */
function longestGap(times: readonly number[]): number {
  return Math.max(...times.slice(1).map((at, before) => at - times[before]!));
}

describe('a task that restores for long', () => {
  it('holds up none of the others, which work and commit', async () => {
    const fault = stuck(0, 1);
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === 2);
    expect(one.started.sort()).toEqual([2, 3]);
    await feed(5);
    await world.until(() => [2, 3].every((task) => world.committed('input', task)?.offset === written));
    expect(one.state).toBe('rebalancing');
    fault.remove();
    await world.until(() => one.started.length === PARTITIONS);
    expect(one.state).toBe('running');
    await expectCountedOnce();
  });

  it('begins although the transactions of the others are aborted meanwhile, and these begin again', async () => {
    const fault = stuck(0);
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === 3);
    world.fault('txnOffsetCommit', { kind: 'answer', errorCode: 48 });
    await feed(2);
    await world.until(() => one.started.length === 6);
    fault.remove();
    await world.until(() => one.started.length === 7);
    await expectCountedOnce();
  });

  it('is given up with the membership, and begins anew when it comes back', async () => {
    const fault = stuck(0);
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === 3);
    world.fault('heartbeat', { kind: 'answer', errorCode: 25 });
    await feed(2);
    await world.until(() => one.started.length === 6);
    fault.remove();
    await world.until(() => one.started.length === 7);
    await expectCountedOnce();
  });

  it('is let go of when it is to go to another', async () => {
    const fault = stuck(3);
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === 3);
    const two = world.start(counting, { ...QUICK, name: 'two' });
    await world.until(() => two.owned.has(3), 60_000);
    fault.remove();
    await world.until(() => two.started.length === 2);
    await feed(2);
    await expectCountedOnce();
  });

  it('does not keep the instance from closing in time', async () => {
    stuck(0);
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === 3);
    await feed(2);
    await world.until(() => world.committed('input', 2)?.offset === written);
    const asked = world.clock.monotonic();
    await one.close();
    expect(world.clock.monotonic() - asked).toBeLessThan(2_000);
    world.broker.faults.clear();
    const two = world.start(counting, { ...QUICK, name: 'two' });
    await world.until(() => two.started.length === PARTITIONS, 60_000);
    await expectCountedOnce();
  });
});

describe('tasks that stay', () => {
  async function pair(): Promise<{ readonly one: Running; readonly two: Running }> {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === PARTITIONS);
    const two = world.start(counting, { ...QUICK, name: 'two' });
    await world.until(() => two.started.length === 2);
    return { one, two };
  }

  it('go on without a pause of a second while their instance restores what it has been given besides', async () => {
    const { one, two } = await pair();
    const [stays] = [...one.owned];
    const [comes] = [...two.owned];
    two.kill();
    const fault = stuck(comes!);
    const commits: number[] = [];
    let seen = world.committed('input', stays!)!.offset;
    const until = world.clock.monotonic() + 12_000;
    while (world.clock.monotonic() < until) {
      await feed(1);
      await world.clock.advance(50);
      const { offset } = world.committed('input', stays!)!;
      if (offset > seen) commits.push(world.clock.monotonic());
      seen = offset;
    }
    expect(one.owned.size).toBe(PARTITIONS);
    // Once, before it went to the other.
    expect(one.started.filter((task) => task === comes)).toHaveLength(1);
    expect(longestGap(commits)).toBeLessThanOrEqual(1_000);
    expect(commits.length).toBeGreaterThan(50);
    fault.remove();
    await expectCountedOnce();
  });

  it('go on without a pause of a second while others are copied and handed over to a newcomer', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one', acceptableLag: 5 });
    await world.until(() => one.started.length === PARTITIONS);
    await feed(20);
    await world.untilCommitted({ input: keys.map(() => written) });
    const seen = keys.map(() => written);
    const times: number[][] = keys.map(() => []);
    const watch = async (): Promise<void> => {
      await feed(1);
      await world.clock.advance(50);
      keys.forEach((_, task) => {
        const { offset } = world.committed('input', task)!;
        if (offset > seen[task]!) times[task]!.push(world.clock.monotonic());
        seen[task] = offset;
      });
    };
    const two = world.start(counting, { ...QUICK, name: 'two', acceptableLag: 5 });
    for (const until = world.clock.monotonic() + 30_000; two.started.length < 2 && world.clock.monotonic() < until;) await watch();
    for (let more = 0; more < 20; more++) await watch();
    expect([...two.owned]).toHaveLength(2);
    expect(two.lines.filter(({ message }) => message.includes('is copied in order to be taken over'))).toHaveLength(2);
    for (const task of one.owned) expect([task, longestGap(times[task]!) <= 1_000]).toEqual([task, true]);
    await expectCountedOnce();
  });
});
