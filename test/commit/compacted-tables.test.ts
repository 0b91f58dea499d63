/** Tables whose topics were compacted beyond what has been processed, restored without local state. */
import { joinTable, to, toTable } from '../../operators';
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import type { Table } from '../../src/model/table';
import { keyValueStore } from '../../src/state/definition';
import type { Task, Topology } from '../../src/task/topology';
import { record } from './programs';
import { World } from './world';

const text = { key: string, value: string };
const profiles = topic('profiles', text);
const orders = topic('orders', text);
const named = topic('named', text);
const rows = keyValueStore('rows', text);

const naming =
  (people: (task: Task) => Table<string, string>): Topology =>
  (task) =>
    task.stream(orders).pipe(
      joinTable(people(task), (order, name) => `${order} ${name ?? 'nobody'}`, { kind: 'left' }),
      to(named),
    );

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ orders: 1, named: 1 });
  world.broker.createTopic('profiles', 1, { 'cleanup.policy': 'compact' });
});

afterEach(() => world.end());

/** What orders find, of which the second lies between two rows. When it is taken, the topic has the later one alone. */
async function found(topology: Topology): Promise<string[]> {
  await world.write(profiles, [record('a', 'Ada', 1)]);
  await world.write(orders, [record('a', '1', 2)]);
  await world.toTheEnd(topology);
  await world.write(orders, [record('a', '2', 3)]);
  await world.write(profiles, [record('a', 'Eve', 4)]);
  await world.write(orders, [record('a', '3', 5)]);
  // The newest batch stays as it is.
  await world.write(profiles, [record('b', 'Bob', 6)]);
  world.broker.roll('profiles');
  expect(world.broker.compact('profiles')).toBe(1);
  await world.toTheEnd(topology);
  return (await world.read(named)).map(({ value }) => value);
}

it('a table that is restored from its topic has the row again once the later one is taken', async () => {
  expect(await found(naming(({ table }) => table(profiles)))).toEqual(['1 Ada', '2 nobody', '3 Eve']);
});

it('a toTable lacks nothing', async () => {
  expect(await found(naming(({ stream, store }) => toTable(stream(profiles), store(rows))))).toEqual(['1 Ada', '2 Ada', '3 Eve']);
});

it('nor does a table with a history', async () => {
  expect(await found(naming(({ table }) => table(profiles, { history: 1_000 })))).toEqual(['1 Ada', '2 Ada', '3 Eve']);
});
