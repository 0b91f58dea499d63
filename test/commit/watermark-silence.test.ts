/** Who has said that nothing comes from him, and then something comes: in the hands of nobody, of a successor, behind a broker that is slow. */
import type { TopicPartition } from '../../src/kafka/port';
import { keysOf, record } from './programs';
import { closed, closingBehind, inputWith, lateOnes } from './watermarks';
import { type StartOptions, World } from './world';

const idling = { outOfOrderness: 0, idleAfter: 2_000 };
const [left, right] = [keysOf(0, 2)[0] as string, keysOf(1, 2)[0] as string];
/** Counted by the task that reads left's partition. */
const word = left;
/** So that the dead are not missed for a while. */
const SLOWLY: StartOptions = { sessionTimeout: 30_000, heartbeatInterval: 500 };

let world: World;

beforeEach(() => {
  world = new World({ brokers: 2 });
  world.topics({ input: 2, results: 1, late: 1 });
});

afterEach(() => world.end());

const write = (key: string, ...times: number[]): Promise<void> =>
  world.write(
    inputWith(idling),
    times.map((time) => record(key, word, time)),
  );

const sent = (): number => world.broker.partition({ topic: 'results', partition: 0 })?.highWatermark ?? 0;

const isOfRight = (partitions: readonly TopicPartition[]): boolean =>
  partitions.some(({ topic, partition }) => topic === 'input' && partition === 1);

async function outcome(): Promise<{ windows: string[]; late: number[] }> {
  return { windows: await closed(world), late: (await lateOnes(world)).map(({ timestamp }) => timestamp) };
}

/** Left has closed a window while right was silent. */
async function rightIsIdle(): Promise<void> {
  await write(right, 500);
  await write(left, 1_000, 12_000);
  await world.until(() => sent() > 0, 20_000);
  expect(await closed(world)).toEqual([`${word}@0: 2`]);
}

describe('an upstream task that was idle', () => {
  it('and is dead is idle no longer after some seconds: what it has not read is not late', async () => {
    const two = ['one', 'two'].map((name) => world.start(closingBehind(idling), { ...SLOWLY, name }));
    await world.until(() => two.every(({ started, owned }) => owned.size === 1 && started.length > 0));
    await rightIsIdle();
    two.find(({ owned }) => owned.has(1))!.kill();
    // Right's part of the repartition has died with it: what is asked of it must not have moved when the other goes on.
    await world.clock.advance(10_000);
    await write(right, 13_000, 14_000);
    await write(left, 15_000, 60_000);
    await world.clock.advance(5_000);
    await world.until(() => world.committed('input', 1)?.offset === 3, 120_000);
    await world.clock.advance(20_000);
    expect(await outcome()).toEqual({ windows: [`${word}@0: 2`, `${word}@10000: 4`], late: [] });
  });

  it('counts from the moment it starts again, however long it takes until it reads the first record that ever was', async () => {
    const one = world.start(closingBehind(idling), { ...SLOWLY, name: 'one' });
    await write(left, 1_000, 12_000);
    await world.until(() => sent() > 0, 20_000);
    one.kill();
    const slow = world.fault(
      'fetch',
      { kind: 'delay', ms: 4_000 },
      ({ request, clientId }) => clientId === 'two' && isOfRight(request.partitions),
      1,
    );
    await write(right, 13_000, 14_000);
    await write(left, 15_000, 60_000);
    world.start(closingBehind(idling), { ...SLOWLY, name: 'two' });
    await world.until(() => slow.hits === 1, 60_000);
    await world.clock.advance(3_900);
    expect([world.committed('input', 0)?.offset, world.committed('input', 1)?.offset]).toEqual([4, 0]);
    await world.until(() => world.committed('input', 1)?.offset === 2);
    await world.clock.advance(20_000);
    expect(await outcome()).toEqual({ windows: [`${word}@0: 1`, `${word}@10000: 4`], late: [] });
  });

  it('stays idle for as long as it lives: it says so again and again', async () => {
    const one = world.start(closingBehind(idling), SLOWLY);
    await rightIsIdle();
    await world.clock.advance(300_000);
    await write(left, 25_000);
    await world.until(() => sent() > 2, 5_000);
    expect(await outcome()).toEqual({ windows: [`${word}@0: 2`, `${word}@10000: 1`], late: [] });
    expect(one.error).toBeUndefined();
  });
});
