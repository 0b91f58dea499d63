import { bufferCount, debounceTime, filter, map, merge, mergeMap, of, scan, Subject, take, tap, timer } from 'rxjs';
import * as t from 'io-ts';
import { aggregateWithStore, countWithStore, type LateRecord, mapValues, selectKey, to, windowTumbling } from '../../operators';
import { json } from '../../src/codec/json';
import { nullable } from '../../src/codec/nullable';
import { bytes, int64, string } from '../../src/codec/primitives';
import { internalTopic, topic } from '../../src/codec/topic';
import { keyValueStore } from '../../src/state/definition';
import { type KeyValueHandle, runtime } from '../../src/state/handle';
import type { Topology } from '../../src/task/topology';
import { outgoing, record, testTopology } from '../../src/testing';
import * as parked from '../commit/parked';
import * as parkedPrograms from '../commit/programs';
import { errorWith } from '../operators/errors';
import {
  copies,
  copying,
  counting,
  countingValues,
  countingWindows,
  counts,
  input,
  keysOf,
  results,
  windowCounts,
  windowResults,
} from './programs';

describe('testTopology: records in, outputs out', () => {
  it('gives what comes out, equal to what a test writes down', () => {
    const test = testTopology(counting);
    test.pipe(input, record('a', 'x', 1), record('b', 'x', 5), record('a', 'y', 7));
    expect(test.read(results)).toEqual([outgoing(results, 'a', 1, 1), outgoing(results, 'b', 1, 5), outgoing(results, 'a', 2, 7)]);
  });

  it('gives each output once', () => {
    const test = testTopology(counting);
    test.pipe(input, record('a', 'x', 1));
    expect(test.read(results)).toHaveLength(1);
    expect(test.read(results)).toEqual([]);
    test.pipe(input, record('a', 'x', 2));
    expect(test.read(results)).toEqual([outgoing(results, 'a', 2, 2)]);
  });

  it('gives outputs in the order they were emitted in, across partitions', () => {
    const test = testTopology(copying(), { partitions: 3 });
    const keys = Array.from({ length: 20 }, (_, i) => `key-${String(i)}`);
    test.pipe(input, ...keys.map((key, i) => record(key, '', 100 - i)));
    expect(test.read(copies).map(({ key }) => key)).toEqual(keys);
  });

  it('gives outputs of one push in the order they were emitted in, across partitions', () => {
    const fanned: Topology = ({ stream }) =>
      stream(input).pipe(
        mergeMap((r) => of(...['a', 'b', 'c', 'd', 'a', 'e'].map((key) => r.withKey(key)))),
        to(copies),
      );
    const test = testTopology(fanned, { partitions: { input: 1, copies: 3 } });
    test.pipe(input, record('k', '', 1));
    expect(test.read(copies).map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd', 'a', 'e']);
  });

  it('carries headers through, across internal topics too', () => {
    const test = testTopology(countingValues, { partitions: 2 });
    test.pipe(input, record('a', 'x', 1, { trace: 'abc' }));
    const [output] = test.read(results);
    expect(Buffer.from(output!.headers.get('trace')!).toString()).toBe('abc');
  });

  it('reads one partition alone, and leaves the others', () => {
    const test = testTopology(copying(), { partitions: 2 });
    const [[zero], [one]] = [keysOf(0, 2), keysOf(1, 2)] as [[string], [string]];
    test.pipe(input, record(zero, '', 1), record(one, '', 2));
    expect(test.read(copies, { partition: 1 })).toEqual([outgoing(copies, one, '', 2)]);
    expect(test.read(copies)).toEqual([outgoing(copies, zero, '', 1)]);
  });

  it('decodes what was written from its bytes, with the codecs of whoever reads', () => {
    const test = testTopology(counting);
    test.pipe(input, record('a', 'x', 1));
    const raw = topic('results', { key: bytes, value: bytes });
    expect([...test.read(raw)[0]!.value]).toEqual([0, 0, 0, 0, 0, 0, 0, 1]);
  });

  it('feeds what a topology writes to its own input back into it', () => {
    const countdown: Topology = ({ stream }) =>
      stream(input).pipe(
        filter(({ value }) => Number(value) > 0),
        mapValues((value) => String(Number(value) - 1)),
        to(input),
      );
    const test = testTopology(countdown);
    test.pipe(input, record('a', '3', 1));
    expect(test.read(input).map(({ value }) => value)).toEqual(['2', '1', '0']);
  });
});

describe('testTopology: partitions', () => {
  it('places records by murmur2 of the key, as a producer does', () => {
    const test = testTopology(copying(), { partitions: 3 });
    for (const partition of [0, 1, 2]) {
      const keys = keysOf(partition, 3, 4);
      test.pipe(input, ...keys.map((key) => record(key, '', 1)));
      expect(test.metric('process-total', { task: String(partition) })).toBe(4);
    }
  });

  it('gives records without a key to the partitions in turn', () => {
    const raw = topic('raw', { value: string });
    const test = testTopology(({ stream }) => stream(raw).pipe(map((r) => r.withKey('k')), to(copies)), { partitions: 3 }); // prettier-ignore
    test.pipe(raw, ...Array.from({ length: 7 }, () => record(null, '', 1)));
    expect([0, 1, 2].map((task) => test.metric('process-total', { task: String(task) }))).toEqual([3, 2, 2]);
  });

  it('writes to the partition it is told to', () => {
    const test = testTopology(copying(), { partitions: 3 });
    test.pipeTo(input, 2, record('a', '', 1), record('b', '', 2));
    expect(test.metric('process-total', { task: '2' })).toBe(2);
  });

  it('tells a key from the wrong partition, where a store would miscount it', () => {
    const [key] = keysOf(0, 3) as [string];
    const test = testTopology(counting, { partitions: 3 });
    expect(() => test.pipeTo(input, 1, record(key, '', 1))).toThrow(errorWith({ code: 'PARTITIONER_MISMATCH' }));
  });

  it('brings equal keys together through an internal topic', () => {
    const test = testTopology(countingValues, { partitions: 4 });
    test.pipe(input, ...Array.from({ length: 8 }, (_, i) => record(`key-${String(i)}`, i % 2 === 0 ? 'even' : 'odd', i)));
    expect(test.read(results).map(({ key, value }) => `${key} ${value}`)).toEqual([
      'even 1',
      'odd 1',
      'even 2',
      'odd 2',
      'even 3',
      'odd 3',
      'even 4',
      'odd 4',
    ]);
  });

  it('gives internal topics the partitions they ask for', () => {
    const single = internalTopic('single', { key: string, value: string, partitions: 1 });
    const test = testTopology(
      ({ stream, store, repartition }) => stream(input).pipe(repartition(single), countWithStore(store(counts)), to(results)),
      { partitions: 3 },
    );
    for (const partition of [0, 1, 2]) test.pipe(input, record(keysOf(partition, 3)[0]!, '', 1));
    expect(test.metric('process-total', { task: '0' })).toBe(1 + 3);
    expect(test.read(results)).toHaveLength(3);
  });

  it('refuses inputs that meet with different counts', () => {
    const other = topic('other', { key: string, value: string });
    const joined: Topology = ({ stream, store }) => merge(stream(input), stream(other)).pipe(countWithStore(store(counts)), to(results));
    expect(() => testTopology(joined, { partitions: { input: 2, other: 3 } })).toThrow(errorWith({ code: 'CO_PARTITION' }));
  });

  it.each([
    [0, 'cannot have 0 partitions'],
    [1.5, 'cannot have 1.5 partitions'],
    [{ inptu: 2 }, 'partitions names "inptu"; the topology reads and writes "input", "copies"'],
  ])('refuses partitions %j', (partitions, message) => {
    expect(() => testTopology(copying(), { partitions })).toThrow(errorWith({ code: 'CONFIG', message }));
  });
});

describe('testTopology: order', () => {
  it('follows each record to its end before the next', () => {
    const seen: string[] = [];
    const both: Topology = ({ stream, repartition }) =>
      stream(input).pipe(
        tap(({ key }) => seen.push(`in ${key}`)),
        repartition(internalTopic('through', input)),
        tap(({ key }) => seen.push(`out ${key}`)),
        to(copies),
      );
    testTopology(both, { partitions: 4 }).pipe(input, record('a', '', 9), record('b', '', 5), record('c', '', 1));
    expect(seen).toEqual(['in a', 'out a', 'in b', 'out b', 'in c', 'out c']);
  });

  it('lets the task with the oldest record go first, then that of the lowest number', () => {
    const [[zero], [one]] = [keysOf(0, 2), keysOf(1, 2)] as [[string], [string]];
    const seen: string[] = [];
    const fanned: Topology = ({ stream, repartition }) =>
      stream(input).pipe(
        mergeMap((r) => of(r.withKey(one).withTimestamp(7), r.withKey(zero).withTimestamp(8), r.withKey(one).withTimestamp(9))),
        repartition(internalTopic('through', input)),
        tap(({ key, timestamp }) => seen.push(`${key === one ? 'one' : 'zero'} ${String(timestamp)}`)),
        to(copies),
      );
    testTopology(fanned, { partitions: 2 }).pipe(input, record('k', '', 1));
    expect(seen).toEqual(['one 7', 'zero 8', 'one 9']);
  });
});

describe('testTopology: stores', () => {
  it('finds a key wherever its partition is', () => {
    const test = testTopology(counting, { partitions: 4 });
    const keys = [0, 1, 2, 3].map((partition) => keysOf(partition, 4)[0]!);
    test.pipe(input, ...keys.flatMap((key, i) => Array.from({ length: i + 1 }, () => record(key, '', 1))));
    const store = test.store(counts);
    expect(keys.map((key) => store.get(key))).toEqual([1, 2, 3, 4]);
    expect(store.get('never')).toBeUndefined();
  });

  it('finds a key that was placed elsewhere on purpose', () => {
    const [key] = keysOf(0, 3) as [string];
    const perPartition: Topology = ({ stream, store }) =>
      stream(topic('raw', { value: string })).pipe(
        map((r) => r.withKey(key).assumePlaced()),
        countWithStore(store(counts)),
        to(results),
      );
    const test = testTopology(perPartition, { partitions: 3 });
    test.pipeTo(topic('raw', { value: string }), 2, record(null, '', 1));
    expect(test.store(counts).get(key)).toBe(1);
    expect([0, 1, 2].map((partition) => test.store(counts, { partition }).get(key))).toEqual([undefined, undefined, 1]);
  });

  it('walks all tasks by key bytes', async () => {
    const test = testTopology(counting, { partitions: 4 });
    const keys = ['é', 'b', 'a', 'c', 'z', 'd'];
    test.pipe(input, ...keys.map((key) => record(key, '', 1)));
    const found: string[] = [];
    for await (const [key] of test.store(counts).range('b')) found.push(key);
    expect(found).toEqual(['b', 'c', 'd', 'z', 'é']);
  });

  it('reads a window of a key', () => {
    const test = testTopology(countingWindows, { partitions: 3 });
    test.pipe(input, record('a', '', 12), record('a', '', 15), record('b', '', 15));
    expect([test.store(windowCounts).get('a', 10), test.store(windowCounts).get('a', 0)]).toEqual([2, undefined]);
  });

  it('takes what a test puts there as committed', () => {
    let failing = false;
    const failsOnce: Topology = (task) =>
      counting(task).pipe(
        tap(() => {
          if (failing) throw new Error('no');
        }),
      );
    const test = testTopology(failsOnce, { partitions: 3, onProcessingError: 'skip' });
    test.store(counts).put('a', 41);
    failing = true;
    test.pipe(input, record('a', '', 1));
    failing = false;
    test.pipe(input, record('a', '', 2));
    expect(test.read(results)).toEqual([expect.objectContaining({ key: 'a', value: 42 })]);
    test.store(counts).delete('a');
    test.restart();
    expect(test.store(counts).get('a')).toBeUndefined();
  });

  it('names the stores there are, if one is asked for that is not', () => {
    const other = keyValueStore('other', { key: string, value: int64 });
    expect(() => testTopology(counting).store(other)).toThrow(
      errorWith({ code: 'CONFIG', message: 'the topology has no store "other"; it has "counts"' }),
    );
  });
});

describe('testTopology: time', () => {
  const debounced: Topology = ({ stream, clock }) => stream(input).pipe(debounceTime(1_000, clock), to(copies));

  it('moves the wall clock only by hand', () => {
    const test = testTopology(debounced, { now: new Date(5_000) });
    expect(test.now).toBe(5_000);
    test.pipe(input, record('a', '1', 1), record('a', '2', 2));
    test.advanceWallClock(999);
    expect(test.read(copies)).toEqual([]);
    test.advanceWallClock(1);
    expect(test.read(copies)).toEqual([outgoing(copies, 'a', '2', 2)]);
    expect(test.now).toBe(6_000);
  });

  it('stops wherever something is due on the way', () => {
    const at: number[] = [];
    const ticking: Topology = ({ stream, clock }) =>
      stream(input).pipe(
        mergeMap((r) =>
          timer(10, 10, clock).pipe(
            take(3),
            tap(() => at.push(clock.now())),
            map(() => r),
          ),
        ),
        to(copies),
      );
    const test = testTopology(ticking, { now: new Date(0) });
    test.pipe(input, record('a', '', 1));
    test.advanceWallClock(100);
    expect(at).toEqual([10, 20, 30]);
  });

  it.each([-1, 0.5, NaN])('refuses to advance by %d', (ms) => {
    expect(() => testTopology(counting).advanceWallClock(ms)).toThrow(errorWith({ code: 'CONFIG' }));
  });

  it('counts late records, and lets them be seen', () => {
    const late = topic('late', input);
    const withLate: Topology = ({ stream, store }) => {
      const lates = new Subject<LateRecord<string, string>>();
      return merge(
        stream(input).pipe(windowTumbling({ size: 10, grace: 0 }), countWithStore(store(windowCounts), { emit: 'close', late: lates }), to(windowResults)), // prettier-ignore
        lates.pipe(map((l) => l.record), to(late)), // prettier-ignore
      );
    };
    const test = testTopology(withLate);
    test.pipe(input, record('a', 'x', 5), record('a', 'y', 25), record('a', 'z', 6));
    expect(test.read(windowResults)).toEqual([outgoing(windowResults, { key: 'a', start: 0, end: 10 }, 1, 5)]);
    expect(test.read(late)).toEqual([outgoing(late, 'a', 'z', 6)]);
    expect(test.metric('dropped-records-total')).toBe(1);
    expect(test.metric('dropped-records-total', { operator: 'countWithStore', task: '0' })).toBe(1);
    expect(test.metric('dropped-records-total', { operator: 'other' })).toBe(0);
  });
});

describe('testTopology: what goes wrong', () => {
  const failing = copying((value) => {
    if (value === 'bad') throw new Error('cannot do that');
    return value;
  });

  it('is thrown where it was piped, with code and place, and what came before stands', () => {
    const test = testTopology(failing);
    const pipe = () => test.pipe(input, record('a', 'good', 1), record('a', 'bad', 2), record('a', 'never', 3));
    expect(pipe).toThrow(
      errorWith({
        code: 'PROCESSING',
        message: 'offset 1: mapValues: cannot do that',
        where: expect.objectContaining({ topic: 'input', partition: 0, offset: 1 }),
      }),
    );
    expect(test.read(copies)).toEqual([outgoing(copies, 'a', 'good', 1)]);
  });

  it('ends the test: everything throws the same, until a restart meets it again', () => {
    const test = testTopology(failing);
    expect(() => test.pipe(input, record('a', 'bad', 1))).toThrow(errorWith({ code: 'PROCESSING' }));
    expect(() => test.pipe(input, record('a', 'good', 2))).toThrow(errorWith({ code: 'PROCESSING', message: 'offset 0' }));
    expect(() => test.restart()).toThrow(errorWith({ code: 'PROCESSING', message: 'offset 0' }));
  });

  it('is skipped and counted where the policy says so', () => {
    const test = testTopology(failing, { onProcessingError: 'skip' });
    test.pipe(input, record('a', 'bad', 1), record('a', 'good', 2));
    expect(test.read(copies)).toEqual([outgoing(copies, 'a', 'good', 2)]);
    expect(test.metric('skipped-records-total', { operator: 'onProcessingError' })).toBe(1);
  });

  it('is DECODE for bytes that the input does not read', () => {
    const strict = topic('numbers', { key: string, value: json(t.number) });
    const test = testTopology(({ stream }) => stream(strict).pipe(mapValues(String), to(copies)));
    expect(() => test.pipe(topic('numbers', { key: string, value: string }), record('a', '"x"', 1))).toThrow(
      errorWith({ code: 'DECODE', where: expect.objectContaining({ topic: 'numbers', partition: 0, offset: 0 }) }),
    );
  });

  it('is counted where the topic skips what does not decode', () => {
    const lenient = topic('numbers', { key: string, value: json(t.number), onDecodeError: 'skip' });
    const test = testTopology(({ stream }) => stream(lenient).pipe(mapValues(String), to(copies)));
    test.pipe(topic('numbers', { key: string, value: string }), record('a', 'x', 1), record('a', '7', 2));
    expect(test.read(copies)).toEqual([outgoing(copies, 'a', '7', 2)]);
    expect(test.metric('skipped-records-total')).toBe(1);
  });

  it('is NULL_VALUE for a tombstone that the input does not take', () => {
    const test = testTopology(copying());
    const tombstones = topic('input', { key: string, value: nullable(string) });
    expect(() => test.pipe(tombstones, record<string, string | null>('a', null, 1))).toThrow(errorWith({ code: 'NULL_VALUE' }));
  });

  it('is ENCODE for a record that its topic cannot write', () => {
    const numbers = topic('numbers', { key: string, value: int64 });
    const test = testTopology(({ stream }) => stream(numbers).pipe(mapValues(String), to(copies)));
    expect(() => test.pipe(numbers, record('a', 0.5, 1))).toThrow(errorWith({ code: 'ENCODE', where: { topic: 'numbers' } }));
    test.pipe(numbers, record('a', 5, 1));
    expect(test.read(copies)).toHaveLength(1);
  });

  it('is UNKNOWN_TOPIC, with the topics there are', () => {
    const test = testTopology(counting);
    expect(() => test.pipe(copies, record('a', '', 1))).toThrow(
      errorWith({ code: 'UNKNOWN_TOPIC', message: 'the topology does not read "copies"; it reads "input"' }),
    );
    expect(() => test.read(copies)).toThrow(
      errorWith({ code: 'UNKNOWN_TOPIC', message: 'the topology does not write "copies"; it writes "results"' }),
    );
  });

  it('is NO_SUBSCRIBERS when the topology lets go of its input', () => {
    const test = testTopology(({ stream }) => stream(input).pipe(take(1), to(copies)));
    expect(() => test.pipe(input, record('a', '1', 1))).toThrow(errorWith({ code: 'NO_SUBSCRIBERS' }));
    expect(test.read(copies)).toEqual([]);
  });

  it('is what planning says, before anything runs', () => {
    expect(() => testTopology(({ stream, store }) => merge(
      stream(input).pipe(countWithStore(store(counts)), to(results)),
      stream(input).pipe(countWithStore(store(counts)), to(results)),
    ))).toThrow(errorWith({ code: 'STORE_IN_USE' })); // prettier-ignore
  });

  it('is a warning for what may lose or double data, and refused under strict', () => {
    const buffered: Topology = ({ stream }) =>
      stream(input).pipe(
        bufferCount(2),
        mergeMap((pair) => pair),
        to(copies),
      );
    const test = testTopology(buffered);
    test.pipe(input, record('a', '1', 1), record('a', '2', 2), record('a', '3', 3), record('a', '4', 4));
    expect(test.warnings).toEqual([expect.stringContaining('OUTPUT_OUTSIDE_PUSH')]);
    const strict = testTopology(buffered, { strict: true });
    strict.pipe(input, record('a', '1', 1));
    expect(() => strict.pipe(input, record('a', '2', 2))).toThrow(errorWith({ code: 'OUTPUT_OUTSIDE_PUSH' }));
  });
});

describe('testTopology: restart and close', () => {
  it('keeps stores and stream time over a restart, and forgets what plain operators remember', () => {
    const remembering: Topology = ({ stream, store }) =>
      merge(
        stream(input).pipe(windowTumbling({ size: 10, grace: 0 }), countWithStore(store(windowCounts), { emit: 'close' }), to(windowResults)), // prettier-ignore
        stream(input).pipe(
          scan((n, r) => r.withValue(String(Number(n.value) + 1)), record('', '0', 0)),
          map((r) => r.withKey('n')),
          to(copies),
        ),
      );
    const test = testTopology(remembering, { partitions: 2 });
    test.pipe(input, record('a', '', 5), record('a', '', 25), record('a', '', 26));
    test.restart();
    test.pipe(input, record('a', '', 6), record('a', '', 27));
    expect(test.store(windowCounts).get('a', 20)).toBe(3);
    expect(test.metric('dropped-records-total')).toBe(1);
    expect(test.read(copies).map(({ value }) => value)).toEqual(['1', '2', '3', '1', '2']);
  });

  it('reads again what was not committed when it failed', () => {
    let broken = true;
    const repaired: Topology = copying((value) => {
      if (broken) throw new Error('broken');
      return value;
    });
    const test = testTopology(repaired);
    expect(() => test.pipe(input, record('a', '1', 1))).toThrow('broken');
    broken = false;
    test.restart();
    expect(test.read(copies)).toEqual([outgoing(copies, 'a', '1', 1)]);
  });

  it('unsubscribes when it is closed, and refuses more', () => {
    let subscribed = 0;
    const test = testTopology((task) => {
      subscribed++;
      return copying()(task).pipe(tap({ unsubscribe: () => subscribed-- }));
    });
    test.close();
    test.close();
    // Planning has unsubscribed too.
    expect(subscribed).toBe(0);
    expect(() => test.pipe(input, record('a', '', 1))).toThrow(errorWith({ code: 'APPLICATION_CLOSED' }));
  });
});

describe('testTopology: steps that wait for promises', () => {
  it('refuses a look before they have settled, and shows everything after', async () => {
    const { topology, release } = parked.delayedStep();
    const test = testTopology(topology, { partitions: 2 });
    test.pipe(parkedPrograms.input, record('a', '', 1), record('b', '', 2));
    expect(() => test.read(parkedPrograms.results)).toThrow(errorWith({ code: 'UNSETTLED', message: 'await test.settled()' }));
    expect(() => test.store(parkedPrograms.counts)).toThrow(errorWith({ code: 'UNSETTLED' }));
    release();
    await test.settled();
    expect(test.read(parkedPrograms.results).map(({ key }) => key).sort()).toEqual(['a', 'b']); // prettier-ignore
  });

  it('rejects with what a step rejects with', async () => {
    const rejecting: Topology = (task) => {
      const { scope } = (task.store(counts) as KeyValueHandle<string, number>)[runtime];
      return counting(task).pipe(tap(() => scope.drive(() => Promise.reject(new Error('cannot wait'))))); // prettier-ignore
    };
    const test = testTopology(rejecting);
    test.pipe(input, record('a', '', 1));
    await expect(test.settled()).rejects.toThrow('cannot wait');
    expect(() => test.pipe(input, record('a', '', 2))).toThrow('cannot wait');
  });
});

describe('testTopology: as in the documentation', () => {
  it('ranks pages, two stages and two stores', () => {
    const Ranked = t.type({ page: t.string, count: t.number });
    const top = keyValueStore('top', { key: int64, value: json(t.array(Ranked)) });
    const tops = topic('tops', top.output);
    const byMinute = internalTopic('by-minute', { key: int64, value: json(Ranked) });
    const ranking: Topology = ({ stream, store, repartition }) =>
      stream(input).pipe(
        selectKey((page) => page),
        repartition(internalTopic('by-page', input)),
        windowTumbling({ size: 10, grace: 0 }),
        countWithStore(store(windowCounts), { emit: 'close' }),
        map((r) => r.withKey(r.key.start).withValue({ page: r.key.key, count: r.value })),
        repartition(byMinute),
        aggregateWithStore(store(top), {
          initial: () => [] as t.TypeOf<typeof Ranked>[],
          add: (all, page) => [...all, page].sort((a, b) => b.count - a.count),
        }),
        to(tops),
      );
    const test = testTopology(ranking, { partitions: 4 });
    test.pipe(input, record('u', 'p', 1), record('v', 'p', 2), record('u', 'p', 80));
    expect(test.read(tops)).toEqual([outgoing(tops, 0, [{ page: 'p', count: 2 }], 2)]);
    expect(test.store(top).get(0)).toEqual([{ page: 'p', count: 2 }]);
  });
});
