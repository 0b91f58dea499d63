/** Groups that find no rest, groups that have nothing but rest, and brokers that come and go under them. */
import { tap } from 'rxjs';
import type { Topology } from '../../src/task/topology';
import { copying, counting, countingValues, input, keysOf, record, records, results } from './programs';
import { type Running, type StartOptions, World } from './world';

const PARTITIONS = 4;
const QUICK: StartOptions = { sessionTimeout: 6_000, heartbeatInterval: 500 };
const keys = Array.from({ length: PARTITIONS }, (_, partition) => keysOf(partition, PARTITIONS)[0] as string);

let world: World;
let written = 0;

beforeEach(() => {
  world = new World();
  written = 0;
});

afterEach(() => world.end());

/** One record to each partition. */
async function feed(): Promise<void> {
  await world.write(
    input,
    keys.map((key) => record(key, 'v', written)),
  );
  written++;
}

const allCommitted = (): Promise<void> => world.untilCommitted({ input: keys.map(() => written) });

async function expectCountedOnce(): Promise<void> {
  const found = await world.read(results);
  for (const key of keys) {
    expect(found.filter((each) => each.key === key).map(({ value }) => value)).toEqual(Array.from({ length: written }, (_, at) => at + 1));
  }
}

/** Longest time between two advances of the committed position of each input partition, ms. */
class Gaps {
  private readonly seen = keys.map(() => ({ offset: 0, since: world.clock.monotonic(), longest: 0 }));

  look(): void {
    const committed = world.broker.group('app')?.committed ?? [];
    this.seen.forEach((gap, task) => {
      const offset = committed.find(({ topic, partition }) => topic === 'input' && partition === task)?.offset ?? 0;
      if (offset === gap.offset) return;
      const now = world.clock.monotonic();
      Object.assign(gap, { offset, since: now, longest: Math.max(gap.longest, now - gap.since) });
    });
  }

  get longest(): number {
    return Math.max(...this.seen.map(({ longest, since }) => Math.max(longest, world.clock.monotonic() - since)));
  }
}

describe('beside one that stays, for a minute,', () => {
  /** Another comes, stays as long, ends, and is away as long. */
  async function minute(everyMs: number, end: (member: Running) => void): Promise<{ readonly stays: Running; readonly gaps: Gaps }> {
    world.topics({ input: PARTITIONS, results: 1 });
    const stays = world.start(counting, { ...QUICK, name: 'stays' });
    await world.until(() => stays.started.length === PARTITIONS);
    const gaps = new Gaps();
    let member: Running | undefined;
    for (let passed = 0; passed < 60_000; passed += 250) {
      if (passed % everyMs === 0) {
        if (member !== undefined) end(member);
        member = member === undefined ? world.start(counting, { ...QUICK, name: `comes at ${passed}` }) : undefined;
      }
      await feed();
      await world.clock.advance(250);
      gaps.look();
    }
    await allCommitted();
    await expectCountedOnce();
    expect(stays.error).toBeUndefined();
    return { stays, gaps };
  }

  it('R11: a member comes and leaves each second: positions go on, what stays is not interrupted, all is counted once', async () => {
    const { stays, gaps } = await minute(1_000, (member) => void member.close());
    expect(gaps.longest).toBeLessThan(1_500);
    // Two tasks go, and come back, with each of 30 members.
    expect(stays.started.length).toBeLessThanOrEqual(PARTITIONS + 2 * 30);
  });

  it('R11: a member comes and dies each ten seconds: its tasks go on after its session, all is counted once', async () => {
    const { stays, gaps } = await minute(10_000, (member) => {
      member.kill();
    });
    expect(gaps.longest).toBeLessThan(8_000);
    expect(stays.started.length).toBeLessThanOrEqual(PARTITIONS + 2 * 3);
  });
});

describe('a group with nothing to do', () => {
  beforeEach(() => {
    world.topics({ input: PARTITIONS, results: 1 });
  });

  it('R12: rebalances, and what arrives then is processed promptly, wherever it belongs', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === PARTITIONS);
    await world.clock.advance(60_000);
    const two = world.start(counting, { ...QUICK, name: 'two' });
    await world.until(() => two.started.length === 2);
    await world.clock.advance(60_000);
    const asked = world.clock.monotonic();
    await feed();
    await allCommitted();
    expect(world.clock.monotonic() - asked).toBeLessThan(500);
    await expectCountedOnce();
  });

  it('R12: loses a member, and what arrives then is processed promptly, too', async () => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    const two = world.start(counting, { ...QUICK, name: 'two' });
    await world.until(() => one.started.length >= 2 && two.started.length === 2);
    await two.close();
    await world.until(() => one.owned.size === PARTITIONS);
    await world.clock.advance(60_000);
    const asked = world.clock.monotonic();
    await feed();
    await allCommitted();
    expect(world.clock.monotonic() - asked).toBeLessThan(500);
    await expectCountedOnce();
  });

  it('K18: for a minute asks no more than it must, and no timer spins', async () => {
    const one = world.start(countingValues, { ...QUICK, name: 'one' });
    await world.until(() => one.state === 'running');
    await world.clock.advance(5_000);
    world.heard.length = 0;
    let turns = 0;
    const end = world.clock.monotonic() + 60_000;
    while (world.clock.monotonic() < end && (await world.clock.step())) turns++;
    const count = (api: string): number => world.heard.filter((heard) => heard.api === api).length;
    expect(count('heartbeat')).toBeLessThanOrEqual(120);
    expect(count('fetch')).toBeLessThanOrEqual(600);
    // Whether the inputs still have as many partitions.
    expect(count('metadata')).toBeLessThanOrEqual(1);
    expect(world.heard.length).toBe(count('heartbeat') + count('fetch') + count('metadata'));
    expect(turns).toBeLessThan(60 * 100);
  });
});

describe('while a broker', () => {
  beforeEach(() => {
    world.topics({ input: PARTITIONS, results: 1 });
  });

  it.each([
    ['K1: restarts, no member joins anew, and all is counted once', { kind: 'fail before' } as const],
    ['K1: is not the leader any more, no member joins anew, and all is counted once', { kind: 'answer', errorCode: 6 } as const],
  ])('%s', async (_, action) => {
    const one = world.start(counting, { ...QUICK, name: 'one' });
    await world.until(() => one.started.length === PARTITIONS);
    await feed();
    await allCommitted();
    const generation = world.broker.group('app')?.generationId;
    const joined = world.asked('joinGroup').length;
    const struck = (['fetch', 'produce'] as const).map((api) => world.fault(api, action, ({ clientId }) => clientId === 'one', 5));
    for (let round = 0; round < 20; round++) {
      await feed();
      await world.clock.advance(50);
    }
    await allCommitted();
    expect(struck.map(({ hits }) => hits)).toEqual([5, 5]);
    expect([world.broker.group('app')?.generationId, world.asked('joinGroup').length]).toEqual([generation, joined]);
    expect(one.error).toBeUndefined();
    await expectCountedOnce();
  });
});

describe('work that takes long', () => {
  it('K15: as several sessions: heartbeats go out between its records, and no rebalance follows', async () => {
    world.topics({ input: 1, results: 1 });
    await world.write(input, records('a', 60));
    const each = 900;
    let silent = 0;
    let longest = 0;
    let beats = 0;
    const slow: Topology = (task) =>
      copying(task).pipe(
        tap(() => {
          const heard = world.asked('heartbeat').length;
          silent = heard === beats ? silent + each : 0;
          beats = heard;
          longest = Math.max(longest, silent);
          world.pass(each);
        }),
      );
    const one = world.start(slow, QUICK);
    await world.untilCommitted({ input: [60] });
    expect(longest).toBeLessThan(3_000);
    expect(world.broker.group('app')?.generationId).toBe(1);
    expect(one.started).toEqual([0]);
  });
});

describe('one instance with many partitions', () => {
  it('R14: that all have data: all have begun before the first is through', async () => {
    const many = 64;
    world.topics({ input: many, results: 1 });
    const pushed = new Map<string, number>();
    let begunWhenFirstWasThrough = 0;
    const watched: Topology = (task) =>
      copying(task).pipe(
        tap(({ key }) => {
          const count = (pushed.get(key as string) ?? 0) + 1;
          pushed.set(key as string, count);
          if (count === 50 && begunWhenFirstWasThrough === 0) begunWhenFirstWasThrough = pushed.size;
          world.pass(1);
        }),
      );
    const one = world.start(watched, QUICK);
    await world.until(() => one.started.length === many);
    const all = Array.from({ length: many }, (_, partition) => keysOf(partition, many)[0] as string);
    await world.write(
      input,
      all.flatMap((key) => records(key, 50)),
    );
    await world.untilCommitted({ input: all.map(() => 50) });
    expect(begunWhenFirstWasThrough).toBe(many);
  });
});
