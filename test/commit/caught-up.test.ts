/** Where a run that ends when caught up ends. */
import { tap } from 'rxjs';
import type { Topology } from '../../src/task/topology';
import { countingWindows, input, record, windowResults } from './programs';
import { closed, closing, closingBehind, inputWith } from './watermarks';
import { World } from './world';

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: 1, results: 1, late: 1 });
});

afterEach(() => world.end());

describe("a run with until: 'caught-up'", () => {
  it('emits all that has closed, however long that takes', async () => {
    const keys = Array.from({ length: 12_000 }, (_, at) => `key${String(at)}`);
    await world.write(
      input,
      keys.map((key) => record(key, 'v', 0)),
    );
    await world.write(input, [record('last', 'v', 20_000)]);
    // Twelve seconds.
    const slow: Topology = (task) => countingWindows(task).pipe(tap(() => world.pass(1)));
    await world.toTheEnd(slow);
    expect((await world.read(windowResults)).map(({ key }) => key.key).sort()).toEqual([...keys].sort());
  });

  it('emits all that has closed, though the transaction that says so is aborted', async () => {
    const keys = Array.from({ length: 6_000 }, (_, at) => `key${String(at)}`);
    await world.write(
      input,
      keys.map((key) => record(key, 'v', 0)),
    );
    await world.write(input, [record('last', 'v', 20_000)]);
    const slow: Topology = (task) => countingWindows(task).pipe(tap(() => world.pass(1)));
    const isRead = (): boolean => world.committed('input', 0)?.offset === keys.length + 1;
    const refused = world.fault('endTxn', { kind: 'answer', errorCode: 48 }, ({ request }) => request.commit && isRead(), 2);
    const one = world.start(slow, { until: 'caught-up', commitInterval: 10 });
    await one.ended();
    expect(one.error).toBeUndefined();
    expect(refused.hits).toBeGreaterThan(0);
    expect((await world.read(windowResults)).map(({ key }) => key.key).sort()).toEqual([...keys].sort());
  });

  it('emits no window that is still open; the next run goes on with it', async () => {
    await world.write(input, [record('a', 'v', 1), record('a', 'v', 12_000)]);
    await world.toTheEnd(countingWindows);
    expect((await world.read(windowResults)).map(({ key, value }) => [key.start, value])).toEqual([[0, 1]]);
    await world.write(input, [record('a', 'v', 13_000), record('a', 'v', 20_000)]);
    await world.toTheEnd(countingWindows);
    expect((await world.read(windowResults)).map(({ key, value }) => [key.start, value])).toEqual([
      [0, 1],
      [10_000, 2],
    ]);
  });

  it.each([
    ['in the task itself', closing],
    ['behind a repartition', closingBehind],
  ])('does not wait for a partition to become idle, %s', async (_, program) => {
    const idling = { outOfOrderness: 5_000, idleAfter: 60_000 };
    await world.write(inputWith(idling), [record('v', 'v', 1), record('v', 'v', 15_000), record('v', 'v', 24_000)]);
    await world.toTheEnd(program(idling));
    expect(world.clock.monotonic()).toBeLessThan(60_000);
    expect(await closed(world)).toEqual(['v@0: 1']);
  });
});
