/** `restores$`: what an application tells of its restores. */
import { joinGlobalTable, to } from '../../operators';
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import type { RestoreProgress } from '../../src/model/restore-progress';
import type { Topology } from '../../src/task/topology';
import { counting, input, keysOf, record, records } from './programs';
import { type Running, type StartOptions, World } from './world';

let world: World;

beforeEach(() => {
  world = new World();
});

afterEach(() => world.end());

/** Starts, and notes every event from the first one on. */
function watched(topology: Topology, options: StartOptions = {}): { readonly running: Running; readonly events: RestoreProgress[] } {
  const events: RestoreProgress[] = [];
  const running = world.start(topology, options);
  running.app.restores$.subscribe((event) => events.push(event));
  return { running, events };
}

describe('restores$', () => {
  it('is silent when there is nothing to read', async () => {
    world.topics({ input: 1, results: 1 });
    await world.write(input, records('a', 3));
    const { events } = watched(counting);
    await world.untilCommitted({ input: [3] });
    expect(events).toEqual([]);
  });

  it('tells of each store of each task from the first record to the last', async () => {
    world.topics({ input: 2, results: 2 });
    for (const partition of [0, 1]) {
      await world.write(
        input,
        keysOf(partition, 2, 5).map((key) => record(key, 'v')),
      );
    }
    await world.toTheEnd(counting);
    // Without a disk everything is read again.
    const { running, events } = watched(counting);
    await world.until(() => running.state === 'running');
    for (const task of [0, 1]) {
      const own = events.filter((event) => event.task === task);
      expect(own[0]).toMatchObject({ store: 'counts', topic: 'app-counts-changelog', records: 0, done: false });
      expect(own.at(-1)).toMatchObject({ records: 5, left: 0, remaining: 0, done: true, ofTask: { records: 5, done: true } });
    }
    expect(running.total('restore-records-total')).toBe(10);
  });

  it('tells of global tables, and completes when the application is closed', async () => {
    const [orders, products, named] = ['orders', 'products', 'named'].map((name) => topic(name, { key: string, value: string }));
    const naming: Topology = ({ stream, globalTable }) =>
      stream(orders!).pipe(
        joinGlobalTable(
          globalTable(products!),
          (product) => product,
          (product, name) => `${product} ${name}`,
        ),
        to(named!),
      );
    world.topics({ orders: 1, products: 2, named: 1 });
    await world.write(
      products!,
      keysOf(1, 2, 3).map((key) => record(key, 'name')),
    );
    const { running, events } = watched(naming);
    let completed = false;
    running.app.restores$.subscribe({ complete: () => (completed = true) });
    await world.until(() => running.state === 'running');
    expect(events[0]).toMatchObject({ store: 'products', topic: 'products', records: 0, left: 3, done: false });
    expect(events.at(-1)).toMatchObject({ records: 3, left: 0, done: true });
    expect(events.some((event) => 'task' in event)).toBe(false);
    expect(completed).toBe(false);
    await running.close();
    expect(completed).toBe(true);
  });
});
