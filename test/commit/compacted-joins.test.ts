/** Rows that are gone from the topics of tables before the program has seen them go: what followed from them goes all the same. */
import { map } from 'rxjs';
import { filterTable, joinTables, joinTablesByForeignKey, mapTable, to } from '../../operators';
import { nullable } from '../../src/codec/nullable';
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { foreignKeyStore } from '../../src/state/foreign-key-definition';
import type { Task, Topology } from '../../src/task/topology';
import { change } from './every-join';
import { World } from './world';

const text = { key: string, value: nullable(string) };
const people = topic('people', text);
const places = topic('places', text);
const results = topic('results', text);
const references = foreignKeyStore('references', { key: string, foreignKey: string });
const both = (one: string | undefined, other: string | undefined): string => `${String(one)} ${String(other)}`;

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ results: 1 });
  for (const name of ['people', 'places']) world.broker.createTopic(name, 1, { 'cleanup.policy': 'compact' });
});

afterEach(() => world.end());

const changelogs = (): string[] => world.broker.topics().filter((name) => name.endsWith('changelog')).sort(); // prettier-ignore

/** What comes out for a row that is there, and deleted while nobody is running; what was read of it has been compacted away. */
async function found(topology: Topology): Promise<(string | null)[]> {
  await world.write(people, [change('a', 'x', 1)]);
  await world.write(places, [change('x', 'here', 2), change('a', 'there', 2)]);
  await world.toTheEnd(topology);
  await world.write(people, [change('a', null, 3)]);
  await world.write(places, [change('x', null, 4), change('a', null, 4)]);
  for (const table of [people, places]) {
    // The newest batch stays as it is.
    await world.write(table, [change('b', null, 5)]);
    world.broker.roll(table.name);
    expect(world.broker.compact(table.name)).toBeGreaterThan(0);
  }
  await world.toTheEnd(topology);
  return (await world.read(results)).filter(({ key }) => key === 'a').map(({ value }) => value);
}

describe.each<[string, (task: Task) => ReturnType<Topology>, readonly (string | null)[]]>([
  ['filterTable', ({ table }) => filterTable(table(people), () => true).changes.pipe(to(results)), ['x', null]],
  ['filterTable of mapped rows', ({ table }) => filterTable(mapTable(table(people), (row) => row), () => true).changes.pipe(to(results)), ['x', null]], // prettier-ignore
  ['mapTable', ({ table }) => mapTable(table(people), (row) => `${row}!`).changes.pipe(to(results)), ['x!', null]],
  ['joinTables, inner', ({ table }) => joinTables(table(people), table(places), both).changes.pipe(to(results)), ['x there', null]],
  ['joinTables, left', ({ table }) => joinTables(table(people), table(places), both, { kind: 'left' }).changes.pipe(to(results)), ['x undefined', 'x there', null]], // prettier-ignore
  [
    'joinTables, outer',
    ({ table }) => joinTables(table(people), table(places), both, { kind: 'outer' }).changes.pipe(to(results)),
    ['x undefined', 'x there', 'undefined there', null],
  ],
  [
    'joinTablesByForeignKey',
    ({ table, store }) =>
      joinTablesByForeignKey(table(people), table(places), store(references), { foreignKey: (row) => row, join: both }).changes.pipe(
        to(results),
      ),
    ['x here', null],
  ],
  [
    'a subscription to updates',
    ({ table }) =>
      table(people).updates.pipe(
        map((update) => update.withValue(both(update.value.before, update.value.after))),
        to(results),
      ),
    ['undefined x', 'x undefined'],
  ],
])('%s', (_, topology, expected) => {
  it('lets go of a row that is gone from its topic', async () => {
    expect(await found(topology)).toEqual(expected);
  });
});

it('a table whose changes alone are read needs no changelog', async () => {
  const copying: Topology = ({ table }) => table(people).changes.pipe(to(results));
  expect(await found(copying)).toEqual(['x', null]);
  expect(changelogs()).toEqual([]);
});
