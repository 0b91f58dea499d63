/** Joins of two streams in whole instances, through internal topics: exactly once, whatever dies in between. */
import { countWithStore, joinStream, to, windowTumbling } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { internalTopic, topic } from '../../src/codec/topic';
import type { ApiName } from '../../src/memory/call';
import { windowStore } from '../../src/state/definition';
import { joinStore } from '../../src/state/join-definition';
import type { OpenBytes } from '../../src/state/open-bytes';
import type { Topology } from '../../src/task/topology';
import { testTopology } from '../../src/testing';
import { errorWith } from '../operators/errors';
import { FakeDisk } from '../state/fake-disk';
import { pureRandom } from './chance';
import {
  attributing,
  attribution,
  clicks,
  expectedPairs,
  joinedAll,
  last,
  orders,
  pair,
  PARTITIONS,
  results,
  SECOND,
  someRecords,
} from './joins';
import { record } from './programs';
import { type StartOptions, World } from './world';

const QUICK: StartOptions = { sessionTimeout: 6_000, heartbeatInterval: 500 };

const narrow = joinStore('narrow', { key: string, left: string, right: string, windows: { before: 0, after: 10 * SECOND } });

/** A disk for each folder. */
function onDisks(): OpenBytes {
  const disks = new Map<string, FakeDisk>();
  return (folder, options) => {
    const disk = disks.get(folder) ?? new FakeDisk();
    disks.set(folder, disk);
    return disk.open(folder, options);
  };
}

describe('a join through internal topics with 3 partitions', () => {
  it.each(['inner', 'left', 'outer'] as const)('gives all pairs, and what has none (%s)', (kind) => {
    const streams = someRecords(pureRandom(7), 120);
    const test = testTopology(attributing(kind), { partitions: PARTITIONS });
    for (const at of streams.left.keys()) {
      test.pipe(clicks, streams.left[at]!);
      test.pipe(orders, streams.right[at]!);
      if (at % 40 === 20) test.restart();
    }
    test.pipe(clicks, ...last);
    const found = test.read(results).map(({ value }) => value);
    expect(found.sort()).toEqual(expectedPairs(streams, kind));
    expect(found.length).toBeGreaterThan(kind === 'inner' ? 100 : 130);
    expect(test.metric('dropped-records-total')).toBe(0);
  });

  it('W18: is refused when its inputs have different counts: both topics, both counts, the remedy', () => {
    const direct: Topology = ({ stream, store }) => stream(clicks).pipe(joinStream(stream(orders), store(attribution), pair), to(results));
    expect(() => testTopology(direct, { partitions: { clicks: 3, orders: 5, results: 1 } })).toThrow(
      errorWith({
        code: 'CO_PARTITION',
        message: /"clicks" \(3 partitions\) and "orders" \(5 partitions\) meet in joinStream on store "attribution".*repartition\(\)/,
        where: { operator: 'joinStream', store: 'attribution', topic: 'clicks' },
      }),
    );
  });

  it('may join a topic with itself', () => {
    const self: Topology = ({ stream, store }) => {
      const all = stream(clicks);
      return all.pipe(joinStream(all, store(attribution), pair), to(results));
    };
    const test = testTopology(self, { partitions: PARTITIONS });
    test.pipe(clicks, record('a', 'a 1', 10), record('b', 'b 1', 10), record('a', 'a 2', 20));
    expect(test.read(results).map(({ value }) => value)).toEqual(['a 1 + a 1', 'b 1 + b 1', 'a 2 + a 1', 'a 1 + a 2', 'a 2 + a 2']);
  });
});

describe('a join in watermark mode', () => {
  const inOrder = { outOfOrderness: 1 * SECOND };
  const clicksInOrder = topic('clicks', { key: string, value: string, watermark: inOrder });
  const ordersInOrder = topic('orders', { key: string, value: string, watermark: inOrder });
  const perTenSeconds = { size: 10 * SECOND };
  const perWindow = windowStore('per-window', { key: string, value: int64, windows: perTenSeconds });
  const windows = topic('windows', perWindow.output);
  const through = internalTopic('through', { key: string, value: string });

  /** What comes out alone is as old as `after`: whoever follows must not have gone on without it. */
  const counted =
    (isBehindTopic: boolean): Topology =>
    ({ stream, store, repartition }) => {
      const pairs = stream(clicksInOrder).pipe(joinStream(stream(ordersInOrder), store(narrow), pair, { kind: 'left' }));
      return (isBehindTopic ? pairs.pipe(repartition(through)) : pairs).pipe(
        windowTumbling(perTenSeconds),
        countWithStore(store(perWindow), { emit: 'close' }),
        to(windows),
      );
    };

  it.each([
    ['in the same task', false],
    ['behind a repartition', true],
  ])('holds back what follows it %s until nothing older can come', (_, isBehindTopic) => {
    const test = testTopology(counted(isBehindTopic));
    for (let second = 0; second <= 60; second++) {
      // Every other click meets an order five seconds later.
      test.pipe(clicksInOrder, record('k', `click${second}`, second * SECOND));
      if (second % 20 === 5) test.pipe(ordersInOrder, record('k', `order${second}`, second * SECOND));
      else test.pipe(ordersInOrder, record('o', `order${second}`, second * SECOND));
    }
    expect(test.metric('dropped-records-total')).toBe(0);
    const found = test.read(windows).map(({ key, value }) => [key.start / SECOND, value]);
    // Orders at 5, 25 and 45 meet the clicks of the ten seconds before, at their own time; all others come out alone at theirs.
    expect(found).toEqual([
      [0, 6 + 4],
      [10, 5],
      [20, 11 + 4],
      [30, 5],
    ]);
  });
});

describe('a join on two instances', () => {
  let world: World;

  beforeEach(() => {
    world = new World();
    world.topics({ clicks: PARTITIONS, orders: PARTITIONS, results: 1 });
  });

  afterEach(() => world.end());

  const written = (): number => world.broker.partition({ topic: 'results', partition: 0 })!.highWatermark;
  const found = async (): Promise<string[]> => (await world.read(results)).map(({ value }) => value).sort();
  it.each([
    ['before', 'produce'],
    ['after', 'produce'],
    ['before', 'txnOffsetCommit'],
    ['after', 'txnOffsetCommit'],
    ['before', 'endTxn'],
    ['after', 'endTxn'],
  ] as const satisfies readonly (readonly [string, ApiName])[])('gives each pair once when one dies %s %s', async (when, api) => {
    const streams = someRecords(pureRandom(11), 150);
    const half = 75;
    await world.write(clicks, streams.left.slice(0, half));
    await world.write(orders, streams.right.slice(0, half));
    const one = world.start(attributing('outer'), { ...QUICK, name: 'one' });
    const two = world.start(attributing('outer'), { ...QUICK, name: 'two', openBytes: onDisks() });
    await world.until(() => one.started.length > 0 && two.started.length > 0 && written() > 10);
    const struck = world.fault(
      api,
      when === 'before' ? { kind: 'fail before' } : { kind: 'lose answer', then: 'hang' },
      ({ clientId }) => clientId === 'one',
    );
    await world.write(clicks, streams.left.slice(half));
    await world.write(orders, streams.right.slice(half));
    await world.until(() => struck.hits > 0);
    one.kill();
    await world.until(() => two.owned.size === PARTITIONS);
    await joinedAll(world);
    await world.write(clicks, last);
    await joinedAll(world);
    await world.clock.advance(1_000);
    expect(await found()).toEqual(expectedPairs(streams, 'outer'));
    expect(two.error).toBeUndefined();
    expect(one.total('dropped-records-total') + two.total('dropped-records-total')).toBe(0);
  });
});

describe('a join in one task', () => {
  let world: World;

  beforeEach(() => {
    world = new World();
    world.topics({ clicks: 1, orders: 1, results: 1 });
  });

  afterEach(() => world.end());

  const values = async (): Promise<string[]> => (await world.read(results)).map(({ value }) => value);

  const within =
    (closed: (left: string) => void = () => undefined): Topology =>
    ({ stream, store }) =>
      stream(clicks).pipe(
        joinStream(
          stream(orders),
          store(narrow),
          (left, right) => {
            closed(left);
            return pair(left, right);
          },
          { kind: 'left' },
        ),
        to(results),
      );

  it('takes no commit between what a record has closed and the record, however long that takes', async () => {
    const keys = Array.from({ length: 500 }, (_, at) => `k${String(at).padStart(3, '0')}`);
    await world.write(
      clicks,
      keys.map((key) => record(key, key, 0)),
    );
    const slow = within(() => {
      world.pass(2);
    });
    const one = world.start(slow);
    await world.untilCommitted({ clicks: [500] });
    await world.write(clicks, [record('z', 'z', 10_001)]);
    await world.untilCommitted({ clicks: [501] });
    expect(await values()).toEqual(keys.map((key) => `${key} + -`));
    const commits = one.commits.flatMap(({ tasks }) => tasks).filter(({ outputs }) => outputs > 0);
    expect(commits.map(({ records, outputs }) => [records, outputs])).toEqual([[1, 500]]);
  });

  it('skips a record that comes out alone and throws by itself: neither the one that closed it nor its neighbours suffer', async () => {
    const poisonous = within((left) => {
      if (left === 'b') throw new Error('this one');
    });
    await world.write(clicks, [record('a', 'a', 0), record('b', 'b', 0), record('c', 'c', 0), record('z', 'z', 20_000)]);
    await world.write(orders, [record('z', 'Z', 21_000)]);
    const one = world.start(poisonous, { onProcessingError: 'skip' });
    await world.untilCommitted({ clicks: [4], orders: [1] });
    expect(await values()).toEqual(['a + -', 'c + -', 'z + Z']);
    expect(one.total('skipped-records-total')).toBe(1);
  });

  it('ends with the record at which join threw, everything before it committed', async () => {
    const failing = within((left) => {
      if (left === 'b') throw new Error('this one');
    });
    await world.write(clicks, [record('a', 'a', 0), record('b', 'b', 5)]);
    await world.write(orders, [record('a', 'A', 1), record('b', 'B', 6)]);
    const one = world.start(failing);
    await one.ended();
    expect(one.error).toMatchObject({ code: 'PROCESSING', where: { operator: 'joinStream', topic: 'orders', partition: 0, offset: 1 } });
    expect(await values()).toEqual(['a + A']);
  });

  it('is late after a restart by what was late before it', async () => {
    await world.write(clicks, [record('a', 'a', 0), record('z', 'z', 60_000)]);
    await world.toTheEnd(within());
    await world.write(clicks, [record('b', 'late', 49_999)]);
    await world.write(orders, [record('b', 'partner', 50_000), record('z', 'in time', 60_000)]);
    const again = await world.toTheEnd(within());
    expect(await values()).toEqual(['a + -', 'late + -', 'z + in time']);
    expect(again.total('dropped-records-total')).toBe(1);
  });

  it('goes by the watermark where its topics have one: rows come out when both inputs have passed them, without a record of the join', async () => {
    const inOrder = { watermark: { outOfOrderness: 1_000 } };
    const clicksInOrder = topic('clicks', { key: string, value: string, ...inOrder });
    const ordersInOrder = topic('orders', { key: string, value: string, ...inOrder });
    const byWatermark: Topology = ({ stream, store }) =>
      stream(clicksInOrder).pipe(joinStream(stream(ordersInOrder), store(narrow), pair, { kind: 'left' }), to(results));
    await world.write(clicks, [record('a', 'a', 0), record('b', 'b', 20_000), record('c', 'c', 11_500)]);
    world.start(byWatermark);
    await world.untilCommitted({ clicks: [2] });
    await world.write(orders, [record('o', 'o', 500), record('c', 'C', 11_600), record('b', 'B', 19_500), record('b', 'B2', 21_000)]);
    await world.untilCommitted({ clicks: [3], orders: [4] });
    await world.clock.advance(2_000);
    // The watermark is 19,000: of all lefts only a, which closed at 10,000, has been passed.
    expect((await values()).sort()).toEqual(['a + -', 'b + B2', 'c + C']);
  });
});
