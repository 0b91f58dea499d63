/** Tasks that move with a large state: copied first, while they go on where they are, and handed over when the copy is near. */
import { Machine } from './machine';
import { counting, input, keysOf, record, results } from './programs';
import { type Running, type StartOptions, World } from './world';

const PARTITIONS = 4;
const QUICK: StartOptions = { sessionTimeout: 6_000, heartbeatInterval: 500, acceptableLag: 20 };
const keys = Array.from({ length: PARTITIONS }, (_, partition) => keysOf(partition, PARTITIONS)[0] as string);

let world: World;
let written = 0;
let machines: Readonly<Record<'one' | 'two' | 'three', Machine>>;

beforeEach(() => {
  world = new World();
  world.topics({ input: PARTITIONS, results: 1 });
  written = 0;
  machines = { one: new Machine('one'), two: new Machine('two'), three: new Machine('three') };
});

afterEach(() => world.end());

function start(name: keyof typeof machines, options: StartOptions = {}): Running {
  return world.start(counting, { ...QUICK, ...machines[name].place, ...options });
}

const allCommitted = (): Promise<void> => world.untilCommitted({ input: keys.map(() => written) });

/** One record to each partition, each committed before the next: two changelog offsets each. */
async function feed(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await write();
    await allCommitted();
  }
}

async function write(): Promise<void> {
  await world.write(
    input,
    keys.map((key) => record(key, 'v', written)),
  );
  written++;
}

async function expectCountedOnce(): Promise<void> {
  const found = await world.read(results);
  for (const key of keys) {
    expect([key, found.filter((each) => each.key === key).map(({ value }) => value)]).toEqual([
      key,
      Array.from({ length: written }, (_, at) => at + 1),
    ]);
  }
}

const said = (running: Running, part: string): number => running.lines.filter(({ message }) => message.includes(part)).length;
const joins = (): number => world.asked('joinGroup').length;

/** `one` with all tasks and a state that nobody else has. */
async function alone(): Promise<Running> {
  const one = start('one');
  await world.until(() => one.started.length === PARTITIONS);
  await feed(50);
  return one;
}

/** What `two` reads in order to catch up takes so long. */
const slowly = (ms: number): { remove: () => void } =>
  world.fault('fetch', { kind: 'delay', ms }, ({ lane, clientId }) => lane === 'restore' && clientId === 'two', Infinity);

describe('a task whose new place has nothing of its state', () => {
  it('goes on where it is until the copy has caught up, and is handed over then', async () => {
    const one = await alone();
    const slow = slowly(5_000);
    const two = start('two');
    await world.until(() => said(two, 'is copied in order to be taken over') === 2);
    const commits = one.commits.length;
    await feed(10);
    expect(one.owned.size).toBe(PARTITIONS);
    expect(one.commits.length).toBeGreaterThanOrEqual(commits + 10);
    expect(two.started).toEqual([]);
    slow.remove();
    await world.until(() => two.started.length === 2);
    expect(two.total('restore-records-total')).toBeLessThanOrEqual(4);
    expect(two.total('standby-records-total')).toBeGreaterThanOrEqual(2 * 60);
    await feed(5);
    await expectCountedOnce();
  });

  it('is taken over by the copy when its owner dies meanwhile, from where the copy is', async () => {
    const one = await alone();
    const slow = slowly(5_000);
    const two = start('two');
    await world.until(() => said(two, 'is copied in order to be taken over') === 2);
    one.kill();
    await world.clock.advance(1_000);
    slow.remove();
    await world.until(() => two.started.length === PARTITIONS, 60_000);
    await feed(5);
    await expectCountedOnce();
  });

  it('is copied again from where the copy was when its new place dies and comes back', async () => {
    await alone();
    const slow = slowly(3_000);
    const two = start('two');
    await world.until(() => said(two, 'is copied in order to be taken over') === 2);
    await world.clock.advance(1_000);
    two.kill();
    await machines.two.crash();
    slow.remove();
    await feed(5);
    const again = start('two');
    await world.until(() => again.started.length === 2, 60_000);
    await feed(5);
    await expectCountedOnce();
  });

  it('moves at once, without a copy before, where little is missing', async () => {
    const one = await alone();
    const two = start('two', { acceptableLag: 10_000 });
    one.kill();
    await machines.one.crash();
    await world.until(() => two.started.length === PARTITIONS, 60_000);
    const again = start('one', { acceptableLag: 10_000 });
    await world.until(() => again.started.length === 2, 60_000);
    expect(said(again, 'is copied in order to be taken over')).toBe(0);
    await feed(3);
    await expectCountedOnce();
  });

  it('one at a time, if no more may be copied at once', async () => {
    world.fault('fetch', { kind: 'delay', ms: 2_000 }, ({ lane, clientId }) => lane === 'restore' && clientId === 'two', Infinity);
    const one = start('one', { maxWarmups: 1 });
    await world.until(() => one.started.length === PARTITIONS);
    await feed(50);
    const two = start('two', { maxWarmups: 1 });
    await world.until(() => said(two, 'is copied in order to be taken over') === 1);
    await world.clock.advance(500);
    expect(said(two, 'is copied in order to be taken over')).toBe(1);
    await world.until(() => two.started.length === 2, 60_000);
    expect(said(two, 'is copied in order to be taken over')).toBe(2);
    await feed(2);
    await expectCountedOnce();
  });
});

describe('the group', () => {
  it('is asked for a task once when its copy is near, and comes to rest', async () => {
    await alone();
    const before = joins();
    const two = start('two');
    await world.until(() => two.started.length === 2, 60_000);
    await world.clock.advance(5_000);
    const settled = joins();
    expect(said(two, 'the group is asked for the task')).toBeLessThanOrEqual(2);
    expect(settled - before).toBeLessThanOrEqual(14);
    await world.clock.advance(120_000);
    expect(joins()).toBe(settled);
  });
});

describe('a task that was given up', () => {
  it('is followed by the instance that had it, with what it had, and goes back without a restore', async () => {
    const one = start('one', { standbyReplicas: 1 });
    await world.until(() => one.started.length === PARTITIONS);
    await feed(50);
    const opened = new Map(machines.one.opened);
    const two = start('two', { standbyReplicas: 1 });
    await world.until(() => two.started.length === 2, 60_000);
    await feed(20);
    await world.clock.advance(2_000);
    expect(one.total('standby-records-total')).toBe(2 * 20);
    two.kill();
    await world.until(() => one.started.length === PARTITIONS + 2, 60_000);
    expect(one.total('restore-records-total')).toBeLessThanOrEqual(2);
    expect(machines.one.opened).toEqual(opened);
    await feed(3);
    await expectCountedOnce();
  });

  it('is closed when nobody wants a copy, and removed ten minutes later', async () => {
    const one = await alone();
    const two = start('two');
    await world.until(() => two.started.length === 2, 60_000);
    const left = [...two.owned].map((task) => `one/${task}`);
    await world.until(() => left.every((folder) => !machines.one.open.has(folder)), 40_000);
    await world.clock.advance(500_000);
    expect(left.every((folder) => machines.one.disks.has(folder))).toBe(true);
    await world.clock.advance(170_000);
    expect(left.some((folder) => machines.one.disks.has(folder))).toBe(false);
    expect([...one.owned].every((task) => machines.one.disks.has(`one/${task}`))).toBe(true);
    await feed(3);
    await expectCountedOnce();
  });
});

describe('a restart', () => {
  it('tells of what lies on disk, read from the folders where no note is: the tasks go back to who has their state', async () => {
    const one = await alone();
    await world.clock.advance(6_000);
    await feed(1);
    await world.clock.advance(1_000);
    one.kill();
    await machines.one.crash();
    await world.clock.advance(10_000);
    // Both are there before the first generation is over; only one of them has anything.
    const two = start('two');
    const again = start('one');
    await world.until(() => again.started.length + two.started.length >= PARTITIONS, 60_000);
    expect(again.started.length).toBe(PARTITIONS);
    expect(two.started).toEqual([]);
    expect(again.total('restore-records-total')).toBeLessThanOrEqual(PARTITIONS);
    await world.until(() => two.started.length === 2, 60_000);
    await feed(3);
    await expectCountedOnce();
  });

  it('after a clean end believes its notes, and opens only the folders of the tasks that it is given', async () => {
    const one = await alone();
    await one.close();
    const opened = new Map(machines.one.opened);
    const two = start('two', { acceptableLag: 1_000 });
    await world.until(() => two.started.length === PARTITIONS);
    const again = start('one', { acceptableLag: 1_000 });
    await world.until(() => again.started.length === 2);
    const reopened = [...machines.one.opened].filter(([folder, times]) => times > (opened.get(folder) ?? 0)).map(([folder]) => folder);
    expect(reopened.sort()).toEqual([...again.owned].map((task) => `one/${task}`).sort());
    await feed(3);
    await expectCountedOnce();
  });
});
