/** Tables with a history, and records that wait for them, in whole instances: exactly once and in order, whatever dies in between. */
import { mergeMap } from 'rxjs';
import { countWithStore, filterValues, joinTable, mapValues, to, toTable, windowTumbling } from '../../operators';
import { bytes, int64, nullable, string, type Topology } from '../../src';
import { internalTopic, topic } from '../../src/codec/topic';
import type { ApiName } from '../../src/memory/call';
import { noOrigin, withHeaders } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import { bufferStore } from '../../src/state/buffer-definition';
import { windowStore } from '../../src/state/definition';
import type { OpenBytes } from '../../src/state/open-bytes';
import { versionedStore } from '../../src/state/versioned-definition';
import { testTopology } from '../../src/testing';
import { FakeDisk } from '../state/fake-disk';
import { type Chance, pureRandom } from './chance';
import { keysOf, record } from './programs';
import { type StartOptions, World } from './world';

const HISTORY = 10_000;
const GRACE = 1_000;
const QUICK: StartOptions = { sessionTimeout: 6_000, heartbeatInterval: 500 };

const prices = topic('prices', { key: string, value: nullable(string) });
const orders = topic('orders', { key: string, value: string });
const priced = topic('priced', { key: string, value: string });
const waiting = bufferStore('waiting', { key: string, value: string });
const both = (order: string, price: string | undefined): string => `${order} ${price ?? '-'}`;

/** As of the time of an order, at once. */
const asOf: Topology = ({ stream, table }) =>
  stream(orders).pipe(joinTable(table(prices, { history: HISTORY }), both, { kind: 'left' }), to(priced));

/** The same when the order has waited. */
const inTime =
  (grace = GRACE, join = both): Topology =>
  ({ stream, table, store }) =>
    stream(orders).pipe(joinTable(table(prices, { history: HISTORY }), join, { kind: 'left', grace, buffer: store(waiting) }), to(priced));

const isFirst = ({ clientId }: { readonly clientId: string }): boolean => clientId === 'one';

/** A disk for each folder. */
function onDisks(): OpenBytes {
  const disks = new Map<string, FakeDisk>();
  return (folder, options) => {
    const disk = disks.get(folder) ?? new FakeDisk();
    disks.set(folder, disk);
    return disk.open(folder, options);
  };
}

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ prices: 1, orders: 1, priced: 1 });
});

afterEach(() => world.end());

const values = async (): Promise<string[]> => (await world.read(priced)).map(({ value }) => value);
const sent = (): number => world.broker.partition({ topic: 'priced', partition: 0 })!.highWatermark;

describe('a table with a history', () => {
  it('has all versions again after a restart without local state, from a changelog of its own', async () => {
    await world.write(prices, [record('a', '1', 100), record('a', '2', 200), record('b', '9', 100)]);
    await world.write(orders, [record('a', 'first', 300)]);
    await world.toTheEnd(asOf);
    await world.write(prices, [record('a', '1.5', 150)]);
    await world.write(orders, [record('a', 'second', 120), record('a', 'third', 199), record('b', 'fourth', 99)]);
    const again = await world.toTheEnd(asOf);
    expect(await values()).toEqual(['first 2', 'second 1', 'third 1.5', 'fourth -']);
    expect(again.total('restore-records-total')).toBe(3);
    expect(world.broker.topics().filter((name) => name.includes('changelog'))).toEqual(['app-prices-versions-changelog']);
  });

  it('loses no version to compaction, neither of its topic nor of its changelog', async () => {
    world.broker.createTopic('rows', 1, { 'cleanup.policy': 'compact' });
    const rows = topic('rows', { key: string, value: string });
    const joining: Topology = ({ stream, table }) =>
      stream(orders).pipe(joinTable(table(rows, { history: HISTORY }), both, { kind: 'left' }), to(priced));
    for (const row of [record('a', '1', 100), record('a', '3', 300), record('a', '2', 200), record('z', 'last', 300)]) {
      await world.write(rows, [row]);
      await world.toTheEnd(joining);
    }
    for (const name of ['rows', 'app-rows-versions-changelog']) {
      world.broker.roll(name);
      const removed = world.broker.compact(name);
      expect([name, removed]).toEqual([name, name === 'rows' ? 2 : 0]);
    }
    await world.write(orders, [record('a', 'x', 150), record('a', 'y', 250), record('a', 'z', 350)]);
    await world.toTheEnd(joining);
    expect(await values()).toEqual(['x 1', 'y 2', 'z 3']);
  });

  it('reads only the difference where local state is left, also after a kill', async () => {
    const options = { ...QUICK, openBytes: onDisks() };
    await world.write(prices, Array.from({ length: 50 }, (_, at) => record(`k${at}`, 'old', at))); // prettier-ignore
    const one = world.start(asOf, options);
    await world.untilCommitted({ prices: [50] });
    await world.clock.advance(6_000);
    await world.write(prices, [record('k1', 'new', 1_000)]);
    await world.untilCommitted({ prices: [51] });
    await world.clock.advance(6_000);
    await world.write(prices, [record('k2', 'newer', 1_001)]);
    await world.untilCommitted({ prices: [52] });
    one.kill();
    await world.clock.advance(10_000);
    await world.write(orders, [record('k1', '1', 999), record('k1', '2', 1_000), record('k2', '3', 1_001), record('k3', '4', 1_001)]);
    const again = await world.toTheEnd(asOf, options);
    expect(await values()).toEqual(['1 old', '2 new', '3 newer', '4 old']);
    expect(again.total('restore-records-total')).toBe(1);
  });

  it('counts what is older than its history once, whatever is undone', async () => {
    world.fault('addPartitionsToTxn', { kind: 'answer', errorCode: 48 }, undefined, 2);
    await world.write(prices, [record('a', '1', 20_000), record('a', '2', 9_999), record('a', '3', 10_000)]);
    const one = await world.toTheEnd(asOf, { until: 'caught-up' }).catch(() => undefined);
    expect(one?.total('dropped-records-total')).toBe(1);
  });
});

describe('a record that waits', () => {
  const keys = Array.from({ length: 300 }, (_, at) => `k${String(at).padStart(3, '0')}`);

  it.each([
    ['before', 'addPartitionsToTxn'],
    ['before', 'produce'],
    ['after', 'produce'],
    ['before', 'txnOffsetCommit'],
    ['after', 'txnOffsetCommit'],
    ['before', 'endTxn'],
    ['after', 'endTxn'],
  ] as const satisfies readonly (readonly [string, ApiName])[])(
    'is joined once, in order, when its instance dies %s %s',
    async (when, api) => {
      await world.write(prices, keys.map((key) => record(key, `of ${key}`, 50))); // prettier-ignore
      await world.write(orders, [...keys].reverse().map((key) => record(key, key, 100))); // prettier-ignore
      const one = world.start(inTime(), QUICK);
      await world.untilCommitted({ orders: [300], prices: [300] });
      const struck = world.fault(api, when === 'before' ? { kind: 'fail before' } : { kind: 'lose answer', then: 'hang' }, isFirst);
      await world.write(prices, [record('k007', 'late', 70)]);
      await world.write(orders, [record('z', 'last', 1_100)]);
      await world.until(() => struck.hits === 1);
      one.kill();
      world.start(inTime(), QUICK);
      await world.untilCommitted({ orders: [301], prices: [301] });
      await world.until(() => sent() >= 300);
      await world.clock.advance(1_000);
      const all = await values();
      expect(all.filter((value) => !value.startsWith('k007'))).toEqual(
        keys.filter((key) => key !== 'k007').map((key) => `${key} of ${key}`),
      );
      expect(all[7]).toMatch(/^k007 (of k007|late)$/);
    },
  );

  it.each([
    ['with local disk', true],
    ['without local disk', false],
  ])('has its place in the order and its headers after a restart %s', async (_, isOnDisk) => {
    const options = isOnDisk ? { openBytes: onDisks() } : {};
    const traced = (key: string, value: string, time: number): KafkaRecord<string, string> =>
      KafkaRecord.of(key, value, time, withHeaders(noOrigin, new Map([['trace', Buffer.from(value)]])));
    await world.write(orders, [traced('b', '1', 100), traced('a', '2', 100), traced('b', '3', 100), traced('c', '4', 90)]);
    await world.toTheEnd(inTime(), options);
    await world.write(prices, [record('b', 'x', 95)]);
    await world.write(orders, [traced('b', '5', 100), record('z', 'last', 2_000)]);
    await world.toTheEnd(inTime(), options);
    const found = await world.read(priced);
    expect(found.map(({ value }) => value)).toEqual(['4 -', '2 -', '1 x', '3 x', '5 x']);
    expect(found.map(({ headers }) => Buffer.from(headers.get('trace')!).toString())).toEqual(['4', '2', '1', '3', '5']);
    expect(found.map(({ timestamp }) => timestamp)).toEqual([90, 100, 100, 100, 100]);
  });

  it('is joined at the start when a shorter grace has made it due, before anything else', async () => {
    await world.write(orders, [record('a', '1', 100), record('a', '2', 300)]);
    await world.toTheEnd(inTime());
    await world.write(orders, [record('a', 'late', 150)]);
    await world.toTheEnd(inTime(100));
    expect(await values()).toEqual(['1 -', 'late -']);
  });

  it('is joined at the start when it is due already, though no record comes', async () => {
    await world.write(orders, [record('a', '1', 100), record('b', '2', 300)]);
    await world.toTheEnd(inTime());
    world.start(inTime(200), QUICK);
    await world.until(() => sent() > 0);
    expect(await values()).toEqual(['1 -']);
  });

  it('goes before a record of the same push that came after it was due', () => {
    const split: Topology = ({ stream, table, store }) =>
      stream(orders).pipe(
        mergeMap(({ value }) => value.split(' ').map((time) => record('a', `@${time}`, Number(time)))),
        joinTable(table(prices, { history: HISTORY }), both, { kind: 'left', grace: GRACE, buffer: store(waiting) }),
        to(priced),
      );
    const test = testTopology(split);
    test.pipe(orders, record('a', '100 1100 99 1200', 0));
    expect(test.read(priced).map(({ value }) => value)).toEqual(['@100 -', '@99 -']);
  });

  it('is skipped alone when it is poisonous, and the record that has let it out is not', async () => {
    const join = (order: string, price: string | undefined): string => {
      if (order === 'poison') throw new Error('this one');
      return both(order, price);
    };
    await world.write(orders, [record('a', '1', 100), record('b', 'poison', 100), record('c', '2', 100), record('d', '3', 1_100)]);
    const one = world.start(inTime(GRACE, join), { onProcessingError: 'skip' });
    await world.untilCommitted({ orders: [4] });
    await world.write(orders, [record('e', '4', 2_100)]);
    await world.untilCommitted({ orders: [5] });
    expect(await values()).toEqual(['1 -', '2 -', '3 -']);
    expect(one.total('skipped-records-total')).toBe(1);
  });

  it('leaves nothing in its changelog', async () => {
    await world.write(orders, [record('a', '1', 100), record('b', '2', 101), record('c', '3', 5_000)]);
    await world.toTheEnd(inTime());
    await world.write(orders, [record('d', '4', 50_000)]);
    const again = await world.toTheEnd(inTime());
    expect(await values()).toEqual(['1 -', '2 -', '3 -']);
    expect(again.lines.some(({ level }) => level === 'error')).toBe(false);
    const changelog = topic('app-waiting-changelog', { key: bytes, value: nullable(bytes) });
    const live = new Map<string, boolean>();
    for (const { key, value } of await world.read(changelog)) live.set(Buffer.from(key).toString('hex'), value !== null);
    expect([...live.values()].filter((isLive) => isLive)).toHaveLength(1);
  });

  it('waits for the watermark of the stream, where it has one', async () => {
    const inOrder = topic('orders', { key: string, value: string, watermark: { outOfOrderness: 500, idleAfter: 2_000 } });
    const byWatermark: Topology = ({ stream, table, store }) =>
      stream(inOrder).pipe(
        joinTable(table(prices, { history: HISTORY }), both, { kind: 'left', grace: GRACE, buffer: store(waiting) }),
        to(priced),
      );
    world.start(byWatermark, QUICK);
    await world.write(orders, [record('a', '1', 1_000), record('a', '2', 2_400)]);
    await world.untilCommitted({ orders: [2] });
    await world.clock.advance(1_000);
    expect(await values()).toEqual([]);
    await world.write(orders, [record('a', '3', 2_500)]);
    await world.until(() => sent() > 0);
    expect(await values()).toEqual(['1 -']);
  });
});

describe('what follows a join that waits, in watermark mode', () => {
  const inOrder = topic('orders', { key: string, value: string, watermark: { outOfOrderness: 0 } });
  const pricesInOrder = topic('prices', { key: string, value: nullable(string), watermark: { outOfOrderness: 0 } });
  const perTenSeconds = { size: 10_000 };
  const counts = windowStore('counts', { key: string, value: int64, windows: perTenSeconds });
  const windows = topic('windows', counts.output);
  const through = internalTopic('through', { key: string, value: string });

  it.each([
    ['in the same task', false],
    ['behind a repartition', true],
  ])('is held back %s until nothing older can come', (_, isBehindTopic) => {
    const counted: Topology = ({ stream, table, store, repartition }) => {
      const rows = table(pricesInOrder, { history: HISTORY });
      const joined = stream(inOrder).pipe(joinTable(rows, both, { kind: 'left', grace: 5_000, buffer: store(waiting) }));
      return (isBehindTopic ? joined.pipe(repartition(through)) : joined).pipe(
        windowTumbling(perTenSeconds),
        countWithStore(store(counts), { emit: 'close' }),
        to(windows),
      );
    };
    const test = testTopology(counted);
    for (let second = 0; second <= 60; second++) {
      test.pipe(inOrder, record('k', `order ${second}`, second * 1_000));
      test.pipe(pricesInOrder, record('k', `price ${second}`, second * 1_000));
    }
    expect(test.metric('dropped-records-total')).toBe(0);
    expect(test.read(windows).map(({ key, value }) => [key.start, value])).toEqual([0, 10_000, 20_000, 30_000, 40_000].map((start) => [start, 10])); // prettier-ignore
  });
});

describe('with 3 partitions, and both sides on other ones before', () => {
  const PARTITIONS = 3;
  const users = [0, 1, 2].flatMap((partition) => keysOf(partition, PARTITIONS, 2));
  const pricesByUser = internalTopic('prices-by-user', { key: string, value: string });
  const ordersByUser = internalTopic('orders-by-user', { key: string, value: string });
  const raw = topic('prices', { key: string, value: string });
  const versions = versionedStore('versions', { key: string, value: string, history: HISTORY });
  const userOf = (value: string): string => value.split(' ')[0]!;
  const through: Topology = ({ stream, store, repartition }) =>
    stream(orders).pipe(
      repartition(ordersByUser, userOf),
      joinTable(toTable(stream(raw).pipe(repartition(pricesByUser, userOf)), store(versions)), both, {
        grace: GRACE,
        buffer: store(waiting),
      }),
      to(priced),
    );

  it('all meet, through internal topics, though an instance dies', async () => {
    world = new World();
    world.topics({ prices: PARTITIONS, orders: PARTITIONS, priced: 1 });
    await world.write(raw, users.flatMap((user, at) => [record(`p${at}`, `${user} old`, 100), record(`q${at}`, `${user} new`, 200)])); // prettier-ignore
    await world.write(orders, users.map((user, at) => record(`o${at}`, `${user} order`, 150))); // prettier-ignore
    const one = world.start(through, { ...QUICK, name: 'one' });
    world.start(through, { ...QUICK, name: 'two' });
    await world.until(() => world.broker.topics().includes('app-waiting-changelog'));
    await world.clock.advance(5_000);
    one.kill();
    await world.clock.advance(10_000);
    expect(sent()).toBe(0);
    await world.write(orders, users.map((user, at) => record(`l${at}`, `${user} last`, 5_000))); // prettier-ignore
    await world.until(() => sent() >= users.length);
    await world.clock.advance(1_000);
    expect((await values()).sort()).toEqual(users.map((user) => `${user} order ${user} old`).sort());
  });
});

describe('whatever dies, and whenever', () => {
  const PARTITIONS = 3;
  const events = topic('events', { key: string, value: string });
  const versions = versionedStore('versions', { key: string, value: string, history: 60 });
  const shortGrace = 25;
  const users = [0, 1, 2].flatMap((partition) => keysOf(partition, PARTITIONS, 2));
  type Event = KafkaRecord<string, string>;

  /** Both sides in one topic, so that offsets say what comes first. */
  const mixed: Topology = ({ stream, store }) => {
    const all = stream(events);
    const rows = all.pipe(
      filterValues((value) => value.startsWith('row')),
      mapValues((value) => (value === 'row gone' ? null : value)),
    );
    return all.pipe(
      filterValues((value) => value.startsWith('line')),
      joinTable(toTable(rows, store(versions)), both, { kind: 'left', grace: shortGrace, buffer: store(waiting) }),
      to(priced),
    );
  };

  function someEvents(chance: Chance, count: number): Event[] {
    return Array.from({ length: count }, (_, at) => {
      const time = Math.max(0, at * 2 - chance.below(40));
      const value = chance.below(2) === 0 ? `line${at}` : chance.below(4) === 0 ? 'row gone' : `row${at}`;
      return record(users[chance.below(users.length)]!, value, time);
    });
  }

  /** By the definitions, of one partition. */
  function expected(all: readonly Event[]): string[] {
    const accepted: Event[] = [];
    let lines: Event[] = [];
    const found: string[] = [];
    let [newest, streamTime] = [-Infinity, -Infinity];
    const join = ({ key, value, timestamp }: Event): void => {
      const times = accepted.filter((row) => row.key === key);
      const valid = times.filter((row) => row.timestamp <= timestamp).sort((a, b) => a.timestamp - b.timestamp).at(-1); // prettier-ignore
      const isLatest = valid !== undefined && times.every((row) => row.timestamp <= valid.timestamp);
      const isKnown = isLatest || timestamp >= newest - 60;
      const row = !isKnown || valid === undefined || valid.value === 'row gone' ? undefined : valid.value;
      found.push(`${key} ${both(value, row)} @${timestamp}`);
    };
    for (const event of all) {
      const { value, timestamp } = event;
      if (value.startsWith('row')) {
        if (timestamp < newest - 60) continue;
        newest = Math.max(newest, timestamp);
        accepted.push(event);
        continue;
      }
      streamTime = Math.max(streamTime, timestamp);
      if (timestamp < streamTime - shortGrace) join(event);
      else lines.push(event);
      const due = lines.filter((line) => line.timestamp <= streamTime - shortGrace);
      lines = lines.filter((line) => !due.includes(line));
      due.sort((a, b) => a.timestamp - b.timestamp || (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).forEach(join);
    }
    return found;
  }

  const partitionOf = (key: string): number => [0, 1, 2].find((partition) => keysOf(partition, PARTITIONS, 2).includes(key))!;

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('every record is joined as it should be, in order and once (seed %p)', async (seed) => {
    const chance = pureRandom(seed);
    world = new World();
    world.topics({ events: PARTITIONS, priced: PARTITIONS });
    const all = someEvents(chance, 240);
    const options = seed % 2 === 0 ? { ...QUICK, openBytes: onDisks() } : QUICK;
    for (let from = 0; from < all.length;) {
      const upTo = Math.min(all.length, from + 10 + chance.below(50));
      await world.write(events, all.slice(from, upTo));
      const running = world.start(mixed, { ...options, name: 'one' });
      await world.clock.advance(chance.below(3_000));
      if (chance.below(3) === 0) await running.close();
      else running.kill();
      from = upTo;
    }
    await world.clock.advance(10_000);
    await world.toTheEnd(mixed, { ...options, name: 'one' });
    const found = await world.read(priced);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const own = found.filter(({ key }) => partitionOf(key) === partition);
      expect(own.map(({ key, value, timestamp }) => `${key} ${value} @${timestamp}`)).toEqual(
        expected(all.filter(({ key }) => partitionOf(key) === partition)),
      );
    }
  });
});
