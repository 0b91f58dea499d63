/** The wall clock of a machine is set forward and back by days; event time and deadlines go on as they were. */
import { debounceTime, merge } from 'rxjs';
import { countWithStore, processWithStore, to, windowTumbling } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import type { KafkaRecord } from '../../src/model/record';
import { keyValueStore, windowStore } from '../../src/state/definition';
import { timerStore } from '../../src/state/timer-definition';
import type { Topology } from '../../src/task/topology';
import { input, record } from './programs';
import { World } from './world';

const DAY = 86_400_000;
const results = topic('results', { key: string, value: string });
const alarms = timerStore('alarms', { key: string, clock: 'wall' });

/** Rings for each record at the wall time that its value says. */
const ringing: Topology = ({ stream, store }) =>
  stream(input).pipe(
    processWithStore(
      { alarms: store(alarms) },
      {
        record: ({ key, value }, stores): KafkaRecord<string, string>[] => {
          stores.alarms.set(key, Number(value));
          return [];
        },
        timer: (timer) => [timer.record('rings')],
      },
    ),
    to(results),
  );

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: 1, results: 1 });
});

afterEach(() => world.end());

const rung = async (): Promise<string[]> => (await world.read(results)).map(({ key }) => key);

describe('a wall clock that is set', () => {
  it('back by days rings what was set since in its time', async () => {
    world.start(ringing);
    await world.write(input, [record('before', String(world.clock.now() + 1_000))]);
    await world.clock.advance(2_000);
    world.clock.jump(-3 * DAY);
    await world.write(input, [record('soon', String(world.clock.now() + 5_000)), record('later', String(world.clock.now() + 60_000))]);
    await world.clock.advance(10_000);
    expect(await rung()).toEqual(['before', 'soon']);
    await world.clock.advance(60_000);
    expect(await rung()).toEqual(['before', 'soon', 'later']);
  });

  it('forward by days rings what is due within a minute, and nothing else', async () => {
    world.start(ringing);
    const now = world.clock.now();
    await world.write(input, [record('a day', String(now + DAY)), record('a week', String(now + 7 * DAY))]);
    await world.clock.advance(1_000);
    world.clock.jump(2 * DAY);
    await world.clock.advance(60_000);
    expect(await rung()).toEqual(['a day']);
  });

  it('back by days holds up no time operator of RxJS that begins to wait then', async () => {
    world.start(({ stream, clock }) =>
      stream(input).pipe(debounceTime(1_000, clock), to(topic('results', { key: string, value: string }))),
    );
    await world.clock.advance(1_000);
    world.clock.jump(-3 * DAY);
    await world.write(input, [record('a', 'v')]);
    await world.clock.advance(3_000);
    expect(await rung()).toEqual(['a']);
  });

  it.each([3 * DAY, -3 * DAY])('by %d ms changes neither windows, nor ages, nor who owns what', async (ms) => {
    const perTen = { size: 10_000, grace: 0 };
    const windows = windowStore('windows', { key: string, value: int64, windows: perTen });
    const lasting = keyValueStore('lasting', { key: string, value: int64, ttl: 3_600_000 });
    const counted = topic('results', windows.output);
    const topology: Topology = ({ stream, store }) => {
      const words = stream(input);
      return merge(
        words.pipe(windowTumbling(perTen), countWithStore(store(windows), { emit: 'close' }), to(counted)),
        words.pipe(countWithStore(store(lasting)), to(topic('totals', lasting.output))),
      );
    };
    world.topics({ totals: 1 });
    const one = world.start(topology);
    await world.write(input, [record('a', 'v', 1_000), record('a', 'v', 2_000)]);
    await world.untilCommitted({ input: [2] });
    world.clock.jump(ms);
    await world.clock.advance(20_000);
    await world.write(input, [record('a', 'v', 9_000), record('a', 'v', 30_000)]);
    await world.untilCommitted({ input: [4] });
    await world.clock.advance(2_000);
    expect((await world.read(counted)).map(({ key, value }) => [key.start, value])).toEqual([[0, 3]]);
    expect((await world.read(topic('totals', lasting.output))).map(({ value }) => value)).toEqual([1, 2, 3, 4]);
    expect(one.total('rebalance-total')).toBe(1);
    expect(one.error).toBeUndefined();
  });
});
