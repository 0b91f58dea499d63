/** Tasks that are followed: what a copy has, what it never has, and what is left to read when it takes over. */
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { joinTable, to } from '../../operators';
import type { Topology } from '../../src/task/topology';
import { Machine } from './machine';
import { copying, counting, countingWindows, counts, input, keysOf, record, results, windowResults } from './programs';
import { type Running, type StartOptions, World } from './world';

const PARTITIONS = 2;
const QUICK: StartOptions = { sessionTimeout: 6_000, heartbeatInterval: 500, standbyReplicas: 1 };
const keys = Array.from({ length: PARTITIONS }, (_, partition) => keysOf(partition, PARTITIONS)[0] as string);
const changelog = topic('app-counts-changelog', counts.output);

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

function start(name: keyof typeof machines, options: StartOptions = {}, program: Topology = counting): Running {
  return world.start(program, { ...QUICK, ...machines[name].place, ...options });
}

/** One record to each partition, each committed before the next. */
async function feed(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await world.write(
      input,
      keys.map((key) => record(key, 'v', written)),
    );
    written++;
    await allCommitted();
  }
}

const allCommitted = (): Promise<void> => world.untilCommitted({ input: keys.map(() => written) });
const copied = (running: Running): number => running.total('standby-records-total');
const restored = (running: Running): number => running.total('restore-records-total');
const followed = (running: Running): number[] =>
  running.lines.flatMap(({ message, fields }) => (message.endsWith('is followed') ? [(fields as { task: number }).task] : []));

async function expectCountedOnce(): Promise<void> {
  const found = await world.read(results);
  for (const key of keys) {
    expect([key, found.filter((each) => each.key === key).map(({ value }) => value)]).toEqual([
      key,
      Array.from({ length: written }, (_, at) => at + 1),
    ]);
  }
}

/** Each has one task, and follows that of the other. */
async function two(): Promise<{ readonly one: Running; readonly two: Running }> {
  const one = start('one');
  await world.until(() => one.started.length === PARTITIONS);
  const other = start('two');
  await world.until(() => other.started.length === 1 && followed(one).length === 1 && followed(other).length === 1);
  return { one, two: other };
}

describe('a standby', () => {
  it('applies each committed record of the changelogs that it follows, once', async () => {
    const { one, two: other } = await two();
    await feed(20);
    await world.clock.advance(3_000);
    const committed = (await world.read(changelog)).length;
    expect(copied(one) + copied(other)).toBe(committed);
    expect(committed).toBe(2 * 20);
  });

  it('takes over when the other is killed, and reads next to nothing: it has it all', async () => {
    const { one, two: other } = await two();
    await feed(60);
    await world.clock.advance(2_000);
    one.kill();
    await world.until(() => other.started.length === PARTITIONS);
    expect(restored(other)).toBeLessThanOrEqual(1);
    expect(copied(other)).toBeGreaterThanOrEqual(59);
    await feed(5);
    await expectCountedOnce();
  });

  it('takes over without its folder being closed and opened again', async () => {
    const { one, two: other } = await two();
    await feed(5);
    const opened = new Map(machines.two.opened);
    one.kill();
    await world.until(() => other.started.length === PARTITIONS);
    expect(machines.two.opened).toEqual(opened);
    await feed(5);
    await expectCountedOnce();
  });

  it('sees nothing of a transaction that is not committed yet', async () => {
    const { one, two: other } = await two();
    await feed(3);
    await world.clock.advance(2_000);
    const before = copied(one) + copied(other);
    world.fault('endTxn', { kind: 'delay', ms: 8_000 }, ({ request }) => request.commit, 2);
    await world.write(
      input,
      keys.map((key) => record(key, 'v', written)),
    );
    written++;
    await world.until(() => world.asked('endTxn').length > 0);
    await world.clock.advance(6_000);
    expect(copied(one) + copied(other)).toBe(before);
    await allCommitted();
    await world.clock.advance(2_000);
    expect(copied(one) + copied(other)).toBe(before + 2);
    await expectCountedOnce();
  });

  it('applies no record of an aborted transaction', async () => {
    const { one, two: other } = await two();
    for (let round = 0; round < 5; round++) {
      world.fault('txnOffsetCommit', { kind: 'answer', errorCode: 48 });
      await feed(2);
    }
    await world.clock.advance(2_000);
    expect(one.total('abort-total') + other.total('abort-total')).toBe(5);
    expect(copied(one) + copied(other)).toBe((await world.read(changelog)).length);
    one.kill();
    await world.until(() => other.started.length >= PARTITIONS && other.owned.size === PARTITIONS);
    await feed(2);
    await expectCountedOnce();
  });

  it('is gone on with after its instance was killed: it reads what came since', async () => {
    const { one, two: other } = await two();
    await feed(50);
    await world.clock.advance(7_000);
    await feed(1);
    await world.clock.advance(2_000);
    other.kill();
    await machines.two.crash();
    await world.until(() => one.owned.size === PARTITIONS, 30_000);
    await feed(10);
    const again = start('two');
    await world.until(() => followed(again).length === 1 && again.started.length === 1, 30_000);
    await world.clock.advance(2_000);
    expect(copied(again) + restored(again)).toBeLessThanOrEqual(2 * 10 + 2);
    one.kill();
    await world.until(() => again.started.length === PARTITIONS);
    await feed(3);
    await expectCountedOnce();
  });

  it('S2: of windows is taken over with what is open, and each closes once', async () => {
    const one = start('one', {}, countingWindows);
    await world.until(() => one.started.length === PARTITIONS);
    const other = start('two', {}, countingWindows);
    await world.until(() => other.started.length === 1 && followed(other).length === 1);
    for (let at = 0; at < 30; at++) {
      await world.write(
        input,
        keys.map((key) => record(key, 'v', at * 1_000)),
      );
      written++;
      await allCommitted();
    }
    one.kill();
    await world.until(() => other.started.length === PARTITIONS);
    await world.write(
      input,
      keys.map((key) => record(key, 'v', 60_000)),
    );
    written++;
    await allCommitted();
    const found = await world.read(windowResults);
    const ofKey = (key: string): (readonly [number, number])[] =>
      found.flatMap(({ key: windowed, value }) => (windowed.key === key ? [[windowed.start, value] as const] : []));
    for (const key of keys) {
      expect(ofKey(key)).toEqual([
        [0, 10],
        [10_000, 10],
        [20_000, 10],
      ]);
    }
  });

  it('that is in trouble leaves the tasks alone that its instance works on, and comes back', async () => {
    const { one, two: other } = await two();
    await feed(3);
    const [task] = [...other.owned];
    const place = `two/${String(1 - task!)}`;
    machines.two.disks.get(place)!.failing = 3;
    await feed(5);
    await world.clock.advance(60_000);
    expect(other.error).toBeUndefined();
    expect(other.lines.some(({ message }) => message.includes('is behind, and tried again'))).toBe(true);
    expect(other.state).toBe('running');
    one.kill();
    await world.until(() => other.started.length === PARTITIONS);
    expect(restored(other)).toBeLessThanOrEqual(1);
    await feed(2);
    await expectCountedOnce();
  });
});

describe('an instance with standbys', () => {
  it('D3: leaves no folder open and no timer set when it has ended', async () => {
    const { one, two: other } = await two();
    await feed(3);
    await other.close();
    expect([other.waiting, machines.two.open.size]).toEqual([0, 0]);
    await world.until(() => one.owned.size === PARTITIONS, 30_000);
    await one.close();
    expect([one.waiting, machines.one.open.size]).toEqual([0, 0]);
    await expectCountedOnce();
  });

  it('D3: ends in time also while a copy is being made that comes to nothing', async () => {
    const one = start('one', { acceptableLag: 0 });
    await world.until(() => one.started.length === PARTITIONS);
    await feed(5);
    world.fault('fetch', { kind: 'answer', errorCode: 6 }, ({ lane, clientId }) => lane === 'restore' && clientId === 'two', Infinity);
    const other = start('two', { acceptableLag: 0 });
    await world.until(() => other.lines.some(({ message }) => message.includes('is copied in order to be taken over')));
    await world.clock.advance(500);
    const asked = world.clock.monotonic();
    await other.close();
    expect(world.clock.monotonic() - asked).toBeLessThan(2_000);
    // A fetch that was about to be tried again finds nobody.
    await world.clock.advance(100);
    expect([other.waiting, machines.two.open.size]).toEqual([0, 0]);
  });

  it('keeps none of a stateless topology', async () => {
    const one = start('one', {}, copying);
    await world.until(() => one.started.length === PARTITIONS);
    const other = start('two', {}, copying);
    await world.until(() => other.started.length === 1);
    await world.clock.advance(5_000);
    expect([...followed(one), ...followed(other)]).toEqual([]);
  });
});

describe('a standby of a table', () => {
  const profiles = topic('profiles', { key: string, value: string });
  const orders = topic('orders', { key: string, value: string });
  const named = topic('named', { key: string, value: string });
  const naming: Topology = ({ stream, table }) =>
    stream(orders).pipe(
      joinTable(table(profiles), (order, name) => `${order} ${name ?? 'nobody'}`, { kind: 'left' }),
      to(named),
    );

  async function begun(): Promise<{ readonly one: Running; readonly other: Running }> {
    world.topics({ profiles: PARTITIONS, orders: PARTITIONS, named: 1 });
    const one = start('one', {}, naming);
    await world.until(() => one.started.length === PARTITIONS);
    const other = start('two', {}, naming);
    await world.until(() => other.started.length === 1 && followed(other).length === 1 && followed(one).length === 1);
    await world.write(
      profiles,
      keys.map((key) => record(key, 'old', 1)),
    );
    await world.untilCommitted({ profiles: keys.map(() => 1) });
    await world.clock.advance(3_000);
    return { one, other };
  }

  it('is never ahead of what the group has committed of its topic', async () => {
    const { one, other } = await begun();
    expect(copied(one) + copied(other)).toBe(2);
    // Nothing of these is committed: the transactions are not answered.
    world.fault('endTxn', { kind: 'delay', ms: 9_000 }, ({ request }) => request.commit, 2);
    await world.write(
      profiles,
      keys.map((key) => record(key, 'new', 2)),
    );
    await world.clock.advance(5_000);
    expect(copied(one) + copied(other)).toBe(2);
    await world.untilCommitted({ profiles: keys.map(() => 2) });
    await world.clock.advance(3_000);
    expect(copied(one) + copied(other)).toBe(4);
    one.kill();
    await world.until(() => other.started.length === PARTITIONS);
    expect(restored(other)).toBe(0);
    await world.write(
      orders,
      keys.map((key) => record(key, '1', 3)),
    );
    await world.untilCommitted({ orders: keys.map(() => 1) });
    expect((await world.read(named)).map(({ value }) => value)).toEqual(['1 new', '1 new']);
  });

  it('whose topic has lost what it would read next is built anew, and said to be', async () => {
    const { one, other } = await begun();
    const stuck = world.fault('fetch', { kind: 'answer', errorCode: 6 }, ({ lane }) => lane === 'standby', Infinity);
    for (const value of ['1', '2', '3', '4']) {
      await world.write(
        profiles,
        keys.map((key) => record(key, value, 2)),
      );
    }
    await world.untilCommitted({ profiles: keys.map(() => 5) });
    const port = world.broker.connect('admin');
    const { topics } = await world.settle(port.metadata(['profiles']));
    for (const { partition, leader } of topics[0]!.partitions) {
      await world.settle(port.deleteRecords(leader, { timeoutMs: 1_000, partitions: [{ topic: 'profiles', partition, offset: 4 }] }));
    }
    stuck.remove();
    await world.clock.advance(10_000);
    for (const running of [one, other]) {
      expect(running.lines.some(({ message }) => message.includes('is cleared and rebuilt from its changelog'))).toBe(true);
      expect(running.error).toBeUndefined();
    }
    one.kill();
    await world.until(() => other.started.length === PARTITIONS);
    expect(restored(other)).toBe(0);
    await world.write(
      orders,
      keys.map((key) => record(key, '1', 3)),
    );
    await world.untilCommitted({ orders: keys.map(() => 1) });
    expect((await world.read(named)).map(({ value }) => value)).toEqual(['1 4', '1 4']);
  });
});
