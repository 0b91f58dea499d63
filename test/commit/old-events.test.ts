/** Event times that are years old, and brokers that remove what is older than a week: changelogs and repartition topics keep their rows. */
import { countingValues, countingWindows, input, record, results, windowResults } from './programs';
import { World } from './world';

const FOR_EVER = { 'retention.ms': '-1' };
/** In 2011; the clock of the world says 2026. */
const LONG_AGO = 1_300_000_000_000;

let world: World;

beforeEach(() => {
  world = new World();
  for (const topic of ['input', 'results']) world.broker.createTopic(topic, 2, FOR_EVER);
  world.broker.createTopic('forgetful', 1);
});

afterEach(() => world.end());

/** Every broker removes whatever it may. */
function passRetention(): number {
  for (const topic of world.broker.topics()) world.broker.roll(topic);
  return world.broker.passRetention();
}

const old = (from: number, count: number) =>
  Array.from({ length: count }, (_, at) => record(`k${from + at}`, `v${(from + at) % 5}`, LONG_AGO + from + at));

describe('events that are years old', () => {
  it('behind a repartition are all counted, whenever the broker removes what is too old', async () => {
    await world.write(input, old(0, 300));
    const one = world.start(countingValues);
    await world.until(() => {
      passRetention();
      return (world.committed('input', 0)?.offset ?? 0) > 0;
    });
    // What it has sent on and not read yet waits in the repartition topic.
    one.kill();
    passRetention();
    await world.write(input, old(300, 300));
    world.start(countingValues, { name: 'two' });
    await world.until(() => {
      passRetention();
      const written = [0, 1].map((partition) => world.broker.partition({ topic: 'results', partition })!.batches);
      return written.flat().length > 0 && (world.committed('input', 0)?.offset ?? 0) + (world.committed('input', 1)?.offset ?? 0) >= 600;
    });
    await world.clock.advance(2_000);
    const found = await world.read(results);
    expect(found).toHaveLength(600);
    const last = new Map(found.map(({ key, value }) => [key, value]));
    expect(Object.fromEntries(last)).toEqual({ v0: 120, v1: 120, v2: 120, v3: 120, v4: 120 });
  });

  it('are in windows that a restart finds again in their changelog', async () => {
    await world.write(input, old(0, 50));
    await world.toTheEnd(countingWindows);
    const changelog = { topic: 'app-window-counts-changelog', partition: 0 };
    const before = world.broker.partition(changelog)!;
    passRetention();
    expect(world.broker.partition(changelog)).toMatchObject({ logStartOffset: before.logStartOffset, highWatermark: before.highWatermark });
    await world.write(input, [record('k0', 'v', LONG_AGO + 60), record('k0', 'v', LONG_AGO + 3_600_000)]);
    await world.toTheEnd(countingWindows);
    const counts = (await world.read(windowResults)).filter(({ key }) => key.key === 'k0').map(({ value }) => value);
    expect(counts).toEqual([2]);
  });

  it('do leave a topic that keeps a week only', async () => {
    await world.write({ ...input, name: 'forgetful' }, old(0, 10));
    expect(passRetention()).toBe(10);
  });
});
