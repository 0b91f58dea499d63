/** Where a record's event time comes from, and what is no event time. */
import { countWithStore, to, windowTumbling } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import type { TopicOptions } from '../../src/model/topic';
import { windowStore } from '../../src/state/definition';
import type { Topology } from '../../src/task/topology';
import { World } from './world';

const perTen = { size: 10_000 };
const counts = windowStore('counts', { key: string, value: int64, windows: perTen });
const results = topic('results', counts.output);
const inputWith = (options: TopicOptions<number> = {}) => topic('input', { key: string, value: int64, ...options });
const counting =
  (options: TopicOptions<number>): Topology =>
  ({ stream, store }) =>
    stream(inputWith(options)).pipe(windowTumbling(perTen), countWithStore(store(counts), { emit: 'close' }), to(results));

let world: World;

beforeEach(() => {
  world = new World();
});

afterEach(() => world.end());

/** Value, and the record's own timestamp. */
const write = (...records: readonly [value: number, timestamp: number][]): Promise<void> =>
  world.write(
    inputWith(),
    records.map(([value, timestamp]) => KafkaRecord.of('k', value, timestamp, noOrigin)),
  );

const starts = async (): Promise<[number, number, number][]> =>
  (await world.read(results)).map(({ key, value, timestamp }) => [key.start, value, timestamp]);

describe('event time', () => {
  it('is the timestamp that the producer gave', async () => {
    world.topics({ input: 1, results: 1 });
    await write([1, 5_000], [2, 9_000], [3, 25_000]);
    await world.toTheEnd(counting({}));
    expect(await starts()).toEqual([[0, 2, 9_000]]);
  });

  it('is what the topic’s `timestamp` reads from the value, whatever the record says', async () => {
    world.topics({ input: 1, results: 1 });
    await write([5_000, 70_000], [9_000, 1], [25_000, 3]);
    await world.toTheEnd(counting({ timestamp: (value) => value }));
    expect(await starts()).toEqual([[0, 2, 9_000]]);
  });

  it('of a value moves the watermark too', async () => {
    world.topics({ input: 1, results: 1 });
    await write([5_000, 70_000], [12_000, 1], [9_000, 80_000], [14_000, 1]);
    await world.toTheEnd(counting({ timestamp: (value) => value, watermark: { outOfOrderness: 4_000 } }));
    expect(await starts()).toEqual([[0, 2, 9_000]]);
  });

  describe.each([
    ['by stream time', {}],
    ['by the watermark', { watermark: { outOfOrderness: 0 } }],
  ])('on a LogAppendTime topic, %s', (_, options) => {
    beforeEach(() => {
      world.broker.createTopic('input', 1, { 'message.timestamp.type': 'LogAppendTime' });
      world.topics({ results: 1 });
    });

    it('is the broker’s, at which the batch came, and not the producer’s', async () => {
      const began = world.clock.now();
      await world.clock.advance(10_000 - (began % 10_000));
      const first = world.clock.now();
      await write([1, 900], [2, 7]);
      await world.clock.advance(3_000);
      await write([3, 5]);
      await world.clock.advance(first + 10_000 - world.clock.now());
      await write([4, 1]);
      await world.toTheEnd(counting(options));
      const found = await starts();
      expect(found.map(([start, count]) => [start, count])).toEqual([[first, 3]]);
      expect(found[0]![2]).toBeGreaterThanOrEqual(first + 3_000);
      expect(found[0]![2]).toBeLessThan(first + 10_000);
    });

    it('is not, where the topic has a `timestamp`', async () => {
      await write([5_000, 1], [9_000, 1], [25_000, 1]);
      await world.toTheEnd(counting({ ...options, timestamp: (value) => value }));
      expect(await starts()).toEqual([[0, 2, 9_000]]);
    });
  });
});

describe('a timestamp far ahead', () => {
  const absurd = 2 ** 53 - 1;

  it('without maxFuture closes everything, and all that follows is late', async () => {
    world.topics({ input: 1, results: 1 });
    await write([5_000, 0], [absurd, 0], [9_000, 0]);
    const one = await world.toTheEnd(counting({ timestamp: (value) => value }));
    expect(await starts()).toEqual([[0, 1, 5_000]]);
    expect(one.total('dropped-records-total')).toBe(1);
  });

  it('beyond maxFuture is an error of its record, and ends the run where it stands', async () => {
    world.topics({ input: 1, results: 1 });
    await write([5_000, 0], [absurd, 0], [9_000, 0]);
    const one = world.start(counting({ timestamp: (value) => value, maxFuture: 60_000 }));
    await one.ended();
    expect(one.error).toMatchObject({ code: 'INVALID_TIMESTAMP', where: { topic: 'input', partition: 0, offset: 1 } });
    expect(one.error?.message).toContain('maxFuture');
    expect(world.committed('input', 0)?.offset).toBe(1);
  });

  it('beyond maxFuture is skipped where onDecodeError says so, counted, and moves no time', async () => {
    world.topics({ input: 1, results: 1 });
    await write([5_000, 0], [absurd, 0], [9_000, 0], [25_000, 0]);
    const one = await world.toTheEnd(counting({ timestamp: (value) => value, maxFuture: 60_000, onDecodeError: 'skip' }));
    expect(await starts()).toEqual([[0, 2, 9_000]]);
    expect([one.total('skipped-records-total'), one.total('dropped-records-total')]).toEqual([1, 0]);
  });
});
