/** Topologies in watermark mode, without a broker: each record is followed to its end before the next. */
import { map, merge, Subject } from 'rxjs';
import { countWithStore, type LateRecord, mapValues, reduceWithStore, selectKey, to, windowTumbling } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { internalTopic, topic } from '../../src/codec/topic';
import { windowStore } from '../../src/state/definition';
import type { KafkaRecord } from '../../src/model/record';
import type { WatermarkOptions } from '../../src/model/topic';
import type { Topology } from '../../src/task/topology';
import { record, testTopology } from '../../src/testing';
import { keysOf } from '../testing/programs';

const perTen = { size: 10 };
const perHundred = { size: 100 };
const counts = windowStore('counts', { key: string, value: int64, windows: perTen });
const results = topic('results', counts.output);
const sums = windowStore('sums', { key: string, value: int64, windows: perHundred });
const totals = topic('totals', sums.output);
const numbers = { key: string, value: int64 };
const through = internalTopic('through', { key: string, value: string });
const summed = internalTopic('summed', numbers);

const input = (watermark?: WatermarkOptions, name = 'input') =>
  topic(name, { key: string, value: string, ...(watermark && { watermark }) });

const counting =
  (watermark?: WatermarkOptions, late?: Subject<LateRecord<string, string>>): Topology =>
  ({ stream, store }) =>
    stream(input(watermark)).pipe(
      windowTumbling(perTen),
      countWithStore(store(counts), { emit: 'close', ...(late && { late }) }),
      to(results),
    );

/** Sums a hundred what was counted in tens: with both windows in one task, or a repartition between them. */
const countingTwice =
  (watermark: WatermarkOptions, between: 'nothing' | 'repartition'): Topology =>
  ({ stream, store, repartition }) => {
    const inTens = stream(input(watermark)).pipe(
      repartition(through, (value) => value),
      windowTumbling(perTen),
      countWithStore(store(counts), { emit: 'close' }),
    );
    // The same key in another form: it stays where it is.
    const tens = inTens.pipe(map((each) => each.withKey(each.key.key) as unknown as KafkaRecord<string, number>));
    const summing = between === 'nothing' ? tens : tens.pipe(repartition(summed));
    return summing.pipe(windowTumbling(perHundred), reduceWithStore(store(sums), { reduce: (a, b) => a + b, emit: 'close' }), to(totals));
  };

const at = (...times: number[]): KafkaRecord<string, string>[] => times.map((time) => record('a', 'v', time));
const seen = (test: ReturnType<typeof testTopology>) => test.read(results).map(({ key, value }) => [key.start, value]);

describe('an operator in watermark mode', () => {
  it('closes a window when the watermark has come to its end, with the record that brings it there', () => {
    const test = testTopology(counting({ outOfOrderness: 5 }));
    test.pipe(input(), ...at(1, 9, 14));
    expect(seen(test)).toEqual([]);
    test.pipe(input(), ...at(15));
    expect(seen(test)).toEqual([[0, 2]]);
  });

  it('takes what is out of order within the bound, whatever grace says', () => {
    const test = testTopology(counting({ outOfOrderness: 5 }));
    test.pipe(input(), ...at(3, 14, 9, 10, 5, 16));
    expect(seen(test)).toEqual([[0, 3]]);
    expect(test.metric('dropped-records-total')).toBe(0);
  });

  it('gives what stream time gives when nothing may be out of order and there is one input', () => {
    const outcome = (watermark?: WatermarkOptions) => {
      const late = new Subject<LateRecord<string, string>>();
      const refused: number[] = [];
      late.subscribe(({ record: each, watermark: time, lateness }) => refused.push(each.timestamp, time, lateness));
      const test = testTopology(counting(watermark, late));
      const found = [3, 12, 5, 11, 27, 19, 9, 30, 30, 50, 1].map((time) => {
        test.pipe(input(watermark), record(time % 2 === 0 ? 'a' : 'b', 'v', time));
        return test.read(results).map(({ key, value, timestamp }) => [key.key, key.start, value, timestamp]);
      });
      return [found, refused];
    };
    expect(outcome({ outOfOrderness: 0 })).toEqual(outcome());
  });

  it('tells `late` the window, the watermark and the lateness, in the same push', () => {
    const late = new Subject<LateRecord<string, string>>();
    const refused: LateRecord<string, string>[] = [];
    late.subscribe((each) => refused.push(each));
    const test = testTopology(counting({ outOfOrderness: 5 }, late));
    test.pipe(input(), ...at(30, 7));
    expect(refused).toEqual([{ record: record('a', 'v', 7), window: { start: 0, end: 10 }, streamTime: 25, watermark: 25, lateness: 18 }]);
    expect(test.metric('dropped-records-total', { reason: 'late' })).toBe(1);
  });

  it('waits for the input that is furthest behind, and takes what others have long passed', () => {
    const [left, right] = [input({ outOfOrderness: 0 }, 'left'), input({ outOfOrderness: 0 }, 'right')];
    const both: Topology = ({ stream, store }) =>
      merge(stream(left), stream(right)).pipe(windowTumbling(perTen), countWithStore(store(counts), { emit: 'close' }), to(results));
    const test = testTopology(both);
    test.pipe(left, ...at(1, 500));
    test.pipe(right, ...at(2, 9));
    expect(seen(test)).toEqual([]);
    test.pipe(right, ...at(10));
    expect(seen(test)).toEqual([[0, 3]]);
    expect(test.metric('dropped-records-total')).toBe(0);
  });

  it('goes on after a restart where it was: what was late before is late after, and what was closed stays closed', () => {
    const test = testTopology(counting({ outOfOrderness: 0 }));
    test.pipe(input(), ...at(5, 25));
    expect(seen(test)).toEqual([[0, 1]]);
    test.restart();
    test.pipe(input(), ...at(6, 26, 40));
    expect(seen(test)).toEqual([[20, 2]]);
    expect(test.metric('dropped-records-total')).toBe(1);
  });
});

describe('behind a repartition', () => {
  const [zero, one] = [keysOf(0, 2)[0] as string, keysOf(1, 2)[0] as string];
  const behind =
    (pushed: (value: string) => void = () => undefined): Topology =>
    ({ stream, store, repartition }) =>
      stream(input({ outOfOrderness: 0 })).pipe(
        repartition(through, (value) => value),
        mapValues((value) => {
          pushed(value);
          return value;
        }),
        windowTumbling(perTen),
        countWithStore(store(counts), { emit: 'close' }),
        to(results),
      );

  it('the least of all upstream tasks holds, and nothing holds before each of them has spoken', () => {
    const test = testTopology(behind(), { partitions: { input: 2, results: 1 } });
    test.pipe(input(), ...[1, 2, 400].map((time) => record(zero, 'v', time)));
    expect(seen(test)).toEqual([]);
    test.pipe(input(), record(one, 'v', 3), record(one, 'v', 9));
    expect(seen(test)).toEqual([]);
    test.pipe(input(), record(one, 'w', 10));
    expect(seen(test)).toEqual([[0, 4]]);
    expect(test.metric('dropped-records-total')).toBe(0);
  });

  it('a marker is no record: user code does not see it, nothing counts it, and null keys are allowed to be refused', () => {
    const values: string[] = [];
    const test = testTopology(
      behind((value) => values.push(value)),
      { partitions: { input: 2, results: 1 } },
    );
    test.pipe(input(), record(zero, 'v', 1), record(one, 'w', 30), record(zero, 'v', 31));
    expect(values).toEqual(['v', 'w', 'v']);
    expect(test.metric('skipped-records-total')).toBe(0);
    expect(seen(test).length).toBeGreaterThan(0);
  });

  it('what a marker closes carries no headers: neither those of the marker nor those of an earlier record', () => {
    const test = testTopology(behind(), { partitions: { input: 2, results: 1 } });
    test.pipe(input(), record(zero, 'v', 1, { trace: 'x' }), record(zero, 'v', 50, { trace: 'y' }), record(one, 'v', 60, { trace: 'z' }));
    const [output] = test.read(results);
    expect([...output!.headers.keys()]).toEqual([]);
  });
});

describe('two windowed operators, one behind the other', () => {
  it.each(['nothing', 'repartition'] as const)('with %s between: the second waits for what the first one has yet to emit', (between) => {
    const test = testTopology(countingTwice({ outOfOrderness: 0 }, between));
    test.pipe(input(), ...at(5, 15, 92, 99));
    test.pipe(input(), ...at(100));
    // The window from 90 to 100 closes in the first operator now, and is in time for the second, which closes behind it.
    expect(test.read(totals).map(({ key, value }) => [key.start, value])).toEqual([[0, 4]]);
    expect(test.metric('dropped-records-total')).toBe(0);
  });

  it('what the first one holds back holds the second one back: results of open windows are in time', () => {
    const slow = { size: 10, grace: 60 };
    const slowCounts = windowStore('slow-counts', { key: string, value: int64, windows: slow });
    const topology: Topology = ({ stream, store }) =>
      stream(input({ outOfOrderness: 0 })).pipe(
        windowTumbling(slow),
        countWithStore(store(slowCounts), { emit: 'close' }),
        mapValues((value) => value),
        windowTumbling(perTen),
        countWithStore(store(windowStore('again', { ...slowCounts.output, value: int64, windows: perTen })), { emit: 'close' }),
        selectKey((_, { key }) => key.key.key),
        to(topic('again-results', numbers)),
      );
    const test = testTopology(topology);
    test.pipe(input(), ...at(1, 12, 25, 65, 5, 75, 99, 200));
    expect(test.read(topic('again-results', numbers)).map(({ timestamp }) => timestamp)).toEqual([5, 12, 25, 65, 75, 99]);
    expect(test.metric('dropped-records-total')).toBe(0);
  });
});
