/** What was late before a restart or a move is late after it, and a window once closed never opens again. Late records, in the same transaction. */
import { map, merge, Subject } from 'rxjs';
import { countWithStore, type LateRecord, to, windowHopping } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import type { KafkaRecord } from '../../src/model/record';
import type { TopicOptions } from '../../src/model/topic';
import { windowStore } from '../../src/state/definition';
import type { Topology } from '../../src/task/topology';
import { keysOf, record } from './programs';
import { late, lateOnes } from './watermarks';
import { type Running, type StartOptions, World } from './world';

const QUICK: StartOptions = { sessionTimeout: 6_000, heartbeatInterval: 500 };
const PARTITIONS = 2;
const keys = [0, 1].map((partition) => keysOf(partition, PARTITIONS)[0] as string);

type Kind = 'tumbling' | 'hopping';

const advances = { tumbling: 10_000, hopping: 5_000 };

function programOf(kind: Kind, options: TopicOptions<string>, grace = 0): Topology {
  const input = topic('input', { key: string, value: string, ...options });
  const windows = { size: 10_000, advance: advances[kind], grace };
  const counts = windowStore('counts', { key: string, value: int64, windows });
  return ({ stream, store }) => {
    const lates = new Subject<LateRecord<string, string>>();
    return merge(
      stream(input).pipe(
        windowHopping(windows),
        countWithStore(store(counts), { emit: 'close', late: lates }),
        to(topic('results', counts.output)),
      ),
      lates.pipe(
        map((each) => each.record),
        to(late),
      ),
    );
  };
}

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: PARTITIONS, results: 1, late: 1 });
});

afterEach(() => world.end());

/** For each key. */
const write = (...times: number[]): Promise<void> =>
  world.write(
    topic('input', { key: string, value: string }),
    keys.flatMap((key) => times.map((time) => record(key, 'v', time))),
  );

async function emitted(): Promise<string[]> {
  const { output } = windowStore('counts', { key: string, value: int64, windows: { size: 10_000 } });
  const found = await world.read(topic('results', output));
  return found.map(({ key, value }) => `${key.key}@${String(key.start)}: ${String(value)}`).sort();
}

const perKey = (...each: string[]): string[] => keys.flatMap((key) => each.map((text) => `${key}@${text}`)).sort();
const sorted = (records: readonly KafkaRecord<string, string>[]): string[] =>
  records.map(({ key, timestamp }) => `${key}@${timestamp}`).sort();

const upheavals: Readonly<Record<string, (program: Topology, one: Running) => Promise<void>>> = {
  'it was closed and started again': async (program, one) => {
    await one.close();
    world.start(program, { ...QUICK, name: 'one' });
  },
  'it died, and came back': async (program, one) => {
    one.kill();
    world.start(program, { ...QUICK, name: 'one' });
    await world.clock.advance(1_000);
  },
  'it died, and another took over': async (program, one) => {
    one.kill();
    world.start(program, { ...QUICK, name: 'two' });
    await world.clock.advance(8_000);
  },
  'another joined, and took a task': async (program, one) => {
    const two = world.start(program, { ...QUICK, name: 'two' });
    await world.until(() => two.started.length === 1 && one.owned.size === 1);
  },
  'another joined, and died': async (program, one) => {
    const two = world.start(program, { ...QUICK, name: 'two' });
    await world.until(() => two.started.length === 1 && one.owned.size === 1);
    two.kill();
    await world.until(() => one.owned.size === 2, 30_000);
  },
  'its transactions were aborted': () => {
    world.fault('produce', { kind: 'answer', errorCode: 45 }, ({ clientId }) => clientId === 'one', 2);
    return Promise.resolve();
  },
  'it was cut off for so long that it lost its tasks, and got them again': async (_, one) => {
    world.fault('heartbeat', { kind: 'fail before' }, ({ clientId }) => clientId === 'one', 25);
    await world.until(() => one.started.length >= 4, 60_000);
  },
};

describe.each([
  ['stream time', {}],
  ['the watermark', { watermark: { outOfOrderness: 0 } }],
] as [string, TopicOptions<string>][])('by %s', (_, options) => {
  describe.each(Object.entries(upheavals))('when %s', (__, happens) => {
    it('what was late is late, and what was closed stays closed', async () => {
      const program = programOf('tumbling', options);
      const one = world.start(program, { ...QUICK, name: 'one' });
      await write(1_000, 25_000);
      await world.untilCommitted({ input: [2, 2] });
      await world.clock.advance(500);
      expect(await emitted()).toEqual(perKey('0: 1'));
      await happens(program, one);
      await write(2_000, 26_000, 45_000, 27_000);
      await world.untilCommitted({ input: [6, 6] });
      await world.clock.advance(2_000);
      expect(await emitted()).toEqual(perKey('0: 1', '20000: 2'));
      expect(sorted(await lateOnes(world))).toEqual(perKey('2000', '27000'));
    });
  });

  it('a record that is late for one of its windows and in time for the other is so after a restart', async () => {
    const program = programOf('hopping', options);
    const one = world.start(program, { ...QUICK, name: 'one' });
    await write(1_000, 16_000);
    await world.untilCommitted({ input: [2, 2] });
    one.kill();
    world.start(program, { ...QUICK, name: 'one' });
    // Windows end at 10 000, 15 000, 20 000 …: 12 000 lies in one that has closed and in one that has not.
    await write(12_000, 40_000);
    await world.untilCommitted({ input: [4, 4] });
    await world.clock.advance(2_000);
    expect(await emitted()).toEqual(perKey('0: 1', '10000: 2', '15000: 1'));
    expect(sorted(await lateOnes(world))).toEqual(perKey('12000'));
  });

  it('a window that has closed stays closed in the next version of the program, whose grace is longer', async () => {
    const one = world.start(programOf('tumbling', options), { ...QUICK, name: 'one' });
    await write(1_000, 25_000);
    await world.untilCommitted({ input: [2, 2] });
    await one.close();
    world.start(programOf('tumbling', options, 30_000), { ...QUICK, name: 'one' });
    // From 10 000 on the longer grace holds: nothing has been emitted of those windows.
    await write(2_000, 22_000, 90_000);
    await world.untilCommitted({ input: [5, 5] });
    await world.clock.advance(2_000);
    expect(await emitted()).toEqual(perKey('0: 1', '20000: 2'));
    expect(sorted(await lateOnes(world))).toEqual(perKey('2000'));
  });
});

describe('a late record that goes to a topic', () => {
  const program = programOf('tumbling', {});

  it('is there when the transaction of its push is committed, and not before', async () => {
    world.start(program, { ...QUICK, name: 'one' });
    await write(25_000);
    await world.untilCommitted({ input: [1, 1] });
    const held = world.fault('endTxn', { kind: 'delay', ms: 3_000 });
    await write(2_000);
    await world.until(() => held.hits === 1);
    expect(await lateOnes(world)).toEqual([]);
    expect(world.committed('input', 0)?.offset).toBe(1);
    await world.clock.advance(4_000);
    expect(sorted(await lateOnes(world))).toEqual(perKey('2000'));
    expect(world.committed('input', 0)?.offset).toBe(2);
  });

  it.each(['produce', 'txnOffsetCommit', 'endTxn'] as const)('is there once, though the process dies at %s', async (api) => {
    const one = world.start(program, { ...QUICK, name: 'one' });
    await write(25_000);
    await world.untilCommitted({ input: [1, 1] });
    const last = world.fault(api, { kind: 'lose answer', then: 'hang' }, ({ clientId }) => clientId === 'one');
    await write(2_000);
    await world.until(() => last.hits === 1);
    one.kill();
    const two = world.start(program, { ...QUICK, name: 'one' });
    await world.untilCommitted({ input: [2, 2] });
    await world.clock.advance(2_000);
    expect(sorted(await lateOnes(world))).toEqual(perKey('2000'));
    expect(two.error).toBeUndefined();
  });
});
