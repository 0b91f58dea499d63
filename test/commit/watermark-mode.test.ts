/** Watermark mode on whole instances: replay, restarts, rebalances, lag, idleness. */
import { merge, tap } from 'rxjs';
import { countWithStore, to, windowTumbling } from '../../operators';
import { string } from '../../src/codec/primitives';
import { internalTopic } from '../../src/codec/topic';
import { BatchReader } from '../../src/kafka/batch-decode';
import type { Topology } from '../../src/task/topology';
import { readMarker, type WatermarkMarker } from '../../src/task/watermark-marker';
import { openTransaction } from './open-transaction';
import { keysOf, record } from './programs';
import { byValue, closed, closingBehind, expectedWindows, inputWith, results, tenSeconds, THROUGH, windowCounts } from './watermarks';
import { type StartOptions, World } from './world';

const QUICK: StartOptions = { sessionTimeout: 6_000, heartbeatInterval: 500 };
const inOrder = { outOfOrderness: 0 };
const idling = { outOfOrderness: 0, idleAfter: 2_000 };
const [left, right] = [keysOf(0, 2)[0] as string, keysOf(1, 2)[0] as string];

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: 2, results: 1, late: 1 });
});

afterEach(() => world.end());

const write = (key: string, ...times: number[]): Promise<void> =>
  world.write(
    inputWith(inOrder),
    times.map((time) => record(key, 'v', time)),
  );

const sent = (): number => world.broker.partition({ topic: 'results', partition: 0 })?.highWatermark ?? 0;

/** Long enough for markers to come through, and for what they close to be committed. */
const aWhile = (): Promise<void> => world.clock.advance(5_000);

describe('behind a repartition', () => {
  it('every window is whole, however far one partition is read ahead of the other', async () => {
    const records = [
      ...Array.from({ length: 2_000 }, (_, at) => record(left, `v${String(at % 3)}`, at * 100)),
      ...Array.from({ length: 500 }, (_, at) => record(right, `v${String(at % 3)}`, at * 400)),
    ];
    await world.write(inputWith(inOrder), records);
    const one = await world.toTheEnd(closingBehind(inOrder));
    expect(one.total('dropped-records-total')).toBe(0);
    expect(await closed(world)).toEqual(expectedWindows(records, ({ value }) => value, 199_600));
  });

  it('nothing closes before every upstream task of the plan has spoken', async () => {
    const one = world.start(closingBehind(inOrder));
    await write(left, 1_000, 50_000);
    await aWhile();
    expect(one.total('process-total')).toBe(4);
    expect(await closed(world)).toEqual([]);
    await write(right, 20_000);
    await world.until(() => sent() > 0);
    expect(await closed(world)).toEqual(['v@0: 1']);
  });

  it('markers alone move committed offsets, are purged, and are not counted as records', async () => {
    const one = world.start(closingBehind(inOrder));
    await write(left, 1_000);
    await write(right, 2_000);
    await aWhile();
    const before = one.total('process-total');
    const other = (world.broker.partition({ topic: THROUGH, partition: 0 })?.highWatermark ?? 0) > 6 ? 1 : 0;
    const marked = world.committed(THROUGH, other)?.offset ?? 0;
    await write(left, 3_000);
    await write(right, 4_000);
    await aWhile();
    // Two records came in and went through, to one partition; markers went to both.
    expect(one.total('process-total')).toBe(before + 4);
    expect(world.committed(THROUGH, other)?.offset).toBeGreaterThan(marked);
    await world.clock.advance(31_000);
    await write(left, 5_000);
    await world.until(() => (world.broker.partition({ topic: THROUGH, partition: other })?.logStartOffset ?? 0) > 0);
    expect(one.error).toBeUndefined();
  });

  it('while records keep coming a task says where it is at most once a second', async () => {
    const one = world.start(closingBehind(inOrder));
    await world.until(() => one.started.length === 2);
    for (let at = 0; at < 100; at++) {
      await write(left, 1_000 + at);
      await write(right, 1_000 + at);
      await world.clock.advance(50);
    }
    await aWhile();
    const markers = markersIn(THROUGH, 0).filter(({ task }) => task === 0);
    expect(markers.length).toBeGreaterThanOrEqual(4);
    expect(markers.length).toBeLessThanOrEqual(15);
    expect(markers.at(-1)?.watermark).toBe(1_099);
  });

  it('through two repartitions: the least goes through the chain', async () => {
    const again = internalTopic('again', { key: string, value: string });
    const chain: Topology = ({ stream, store, repartition }) =>
      stream(inputWith(inOrder)).pipe(
        repartition(byValue, (value) => value),
        repartition(again, (value) => `${value}!`),
        windowTumbling(tenSeconds),
        countWithStore(store(windowCounts), { emit: 'close' }),
        to(results),
      );
    const records = [
      ...Array.from({ length: 300 }, (_, at) => record(left, `v${String(at % 5)}`, at * 300)),
      ...Array.from({ length: 50 }, (_, at) => record(right, `v${String(at % 5)}`, at * 1_800)),
    ];
    await world.write(inputWith(inOrder), records);
    const one = await world.toTheEnd(chain);
    expect(one.total('dropped-records-total')).toBe(0);
    expect(await closed(world)).toEqual(expectedWindows(records, ({ value }) => `${value}!`, 49 * 1_800));
  });
});

describe('after a crash or a move', () => {
  it('what was late before a restart is late after it, and a closed window never opens again', async () => {
    await write(left, 1_000, 25_000);
    await write(right, 1_000, 25_000);
    const one = world.start(closingBehind(inOrder), QUICK);
    await world.until(() => sent() > 0);
    await aWhile();
    one.kill();
    const two = world.start(closingBehind(inOrder), { ...QUICK, name: 'two' });
    await write(left, 2_000, 26_000, 45_000);
    await write(right, 3_000, 27_000, 45_000);
    await world.until(() => sent() > 2, 60_000);
    await aWhile();
    expect(await closed(world)).toEqual(['v@0: 2', 'v@20000: 4']);
    expect(two.total('dropped-records-total')).toBe(2);
  });

  it('an upstream that is silent after the restart has not been forgotten', async () => {
    await write(left, 1_000, 90_000);
    await write(right, 1_000, 12_000);
    const one = world.start(closingBehind(inOrder), QUICK);
    await world.until(() => sent() > 0);
    await aWhile();
    one.kill();
    world.start(closingBehind(inOrder), { ...QUICK, name: 'two' });
    await write(right, 95_000);
    await world.until(() => sent() > 2, 60_000);
    await aWhile();
    expect(await closed(world)).toEqual(['v@0: 2', 'v@10000: 1']);
  });

  it('an upstream task that is dead holds all back, and what it had not said yet is not lost', async () => {
    const one = world.start(closingBehind(inOrder), { ...QUICK, name: 'one' });
    const two = world.start(closingBehind(inOrder), { ...QUICK, name: 'two' });
    await world.until(() => one.started.length + two.started.length >= 2 && one.owned.size === 1 && two.owned.size === 1);
    await write(left, 1_000, 11_000);
    await write(right, 1_000, 11_000);
    await world.until(() => sent() > 0);
    const dead = one.owned.has(0) ? one : two;
    dead.kill();
    await write(left, 12_000, 35_000);
    await write(right, 13_000, 36_000);
    await world.clock.advance(3_000);
    expect(await closed(world)).toEqual(['v@0: 2']);
    await world.until(() => sent() > 2, 60_000);
    await aWhile();
    expect(await closed(world)).toEqual(['v@0: 2', 'v@10000: 4']);
    expect(one.total('dropped-records-total') + two.total('dropped-records-total')).toBe(0);
  });

  it('an aborted transaction has said nothing: what it would have closed closes once, when it is done again', async () => {
    const one = world.start(closingBehind(inOrder), QUICK);
    await world.until(() => one.started.length === 2);
    const refused = world.fault('txnOffsetCommit', { kind: 'answer', errorCode: 29 }, undefined, 3);
    await write(left, 1_000, 25_000);
    await write(right, 1_000, 25_000);
    await world.until(() => sent() > 0, 60_000);
    await aWhile();
    expect(refused.hits).toBe(3);
    expect(await closed(world)).toEqual(['v@0: 2']);
    expect(one.total('dropped-records-total')).toBe(0);
  });
});

describe('an idle partition', () => {
  it('behind a repartition, says so itself after `idleAfter`, and windows close', async () => {
    world.start(closingBehind(idling));
    await write(right, 500);
    await write(left, 1_000, 30_000);
    await world.untilCommitted({ input: [2, 1] });
    await world.clock.advance(1_500);
    expect(await closed(world)).toEqual([]);
    await world.until(() => sent() > 0, 10_000);
    expect(await closed(world)).toEqual(['v@0: 2']);
  });

  it('holds nobody back if there never was a record in it', async () => {
    world.start(closingBehind(idling));
    await write(left, 1_000, 30_000);
    await world.until(() => sent() > 0, 20_000);
    expect(await closed(world)).toEqual(['v@0: 1']);
  });

  it('without `idleAfter` holds the others back for ever', async () => {
    world.start(closingBehind(inOrder));
    await write(right, 500);
    await write(left, 1_000, 30_000);
    await world.clock.advance(120_000);
    expect(await closed(world)).toEqual([]);
  });

  it('when all are idle, the greatest watermark holds: windows close up to what was seen, and no further', async () => {
    world.start(closingBehind(idling));
    await write(left, 1_000, 25_000);
    await write(right, 2_000, 48_000);
    await world.until(() => sent() > 2, 20_000);
    await world.clock.advance(60_000);
    expect(await closed(world)).toEqual(['v@0: 2', 'v@20000: 1']);
  });

  it('is idle at the last stable offset: a transaction of somebody else that stays open holds nobody back', async () => {
    world.start(closingBehind(idling));
    await write(right, 500);
    await openTransaction(world, { topic: 'input', partition: 1 });
    await write(left, 1_000, 30_000);
    await world.until(() => sent() > 0, 20_000);
    expect(await closed(world)).toEqual(['v@0: 2']);
    const { lastStableOffset, highWatermark } = world.broker.partition({ topic: 'input', partition: 1 })!;
    expect([lastStableOffset, highWatermark]).toEqual([1, 2]);
  });

  it('is not idle while its backlog is worked off, however long that takes: nothing closes early', async () => {
    const backlog = Array.from({ length: 400 }, (_, at) => record(right, 'v', at * 70));
    await world.write(inputWith(inOrder), [...backlog, record(left, 'v', 1_000), record(left, 'v', 90_000)]);
    const slow: Topology = ({ stream, store, repartition }) =>
      stream(inputWith({ outOfOrderness: 0, idleAfter: 100 })).pipe(
        tap(() => world.pass(50)),
        repartition(byValue, (value) => value),
        windowTumbling(tenSeconds),
        countWithStore(store(windowCounts), { emit: 'close' }),
        to(results),
      );
    const one = world.start(slow, { sessionTimeout: 60_000 });
    await world.until(() => one.total('process-total') >= 2 * 402, 200_000);
    await aWhile();
    expect(one.total('dropped-records-total')).toBe(0);
    expect(await closed(world)).toContain('v@0: 144');
  });

  it('is not idle while its broker does not answer: nothing closes early', async () => {
    await world.end();
    world = new World({ brokers: 2 });
    world.topics({ near: 1, far: 1, results: 1 });
    const [near, far] = [inputWith(idling, 'near'), inputWith(idling, 'far')];
    const both: Topology = ({ stream, store }) =>
      merge(stream(near), stream(far)).pipe(
        windowTumbling(tenSeconds),
        countWithStore(store(windowCounts), { emit: 'close' }),
        to(results),
      );
    await world.write(near, [record('a', 'v', 1_000), record('a', 'v', 30_000)]);
    await world.write(far, [record('a', 'v', 2_000), record('a', 'v', 35_000)]);
    const held = world.fault(
      'fetch',
      { kind: 'delay', ms: 25_000 },
      ({ request }) => request.partitions.some(({ topic }) => topic === 'far'),
      2,
    );
    const one = world.start(both, { maxTaskIdle: -1 });
    await world.clock.advance(20_000);
    expect(held.hits).toBe(1);
    expect(one.total('process-total')).toBe(2);
    expect(await closed(world)).toEqual([]);
    await world.until(() => sent() > 0, 120_000);
    expect(await closed(world)).toEqual(['a@0: 2']);
    expect(one.total('dropped-records-total')).toBe(0);
  });

  it('that comes back is late where the others have passed it, and counted', async () => {
    const one = world.start(closingBehind(idling));
    await write(right, 500);
    await write(left, 1_000, 30_000);
    await world.until(() => sent() > 0, 20_000);
    await write(right, 700, 31_000);
    await aWhile();
    expect(one.total('dropped-records-total')).toBe(1);
    expect(await closed(world)).toEqual(['v@0: 2']);
  });
});

function markersIn(topic: string, partition: number): WatermarkMarker[] {
  const found: WatermarkMarker[] = [];
  const reader = new BatchReader({ topic, partition });
  for (const batch of world.broker.partition({ topic, partition })?.batches ?? []) {
    reader.reset(batch, { aborted: [], from: 0, readCommitted: false });
    while (reader.nextRecord()) {
      const marker = readMarker(reader);
      if (marker !== undefined) found.push(marker);
    }
  }
  return found;
}
