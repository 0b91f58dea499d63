/** What is wrong with the records, the topics or the declaration of tables and their joins, and what is said of it. */
import { merge } from 'rxjs';
import { groupTable, joinGlobalTable, joinTable, joinTables, joinTablesByForeignKey, mapTable, to, toTable } from '../../operators';
import { nullable } from '../../src/codec/nullable';
import { string } from '../../src/codec/primitives';
import { internalTopic, topic } from '../../src/codec/topic';
import type { KafkaRecord } from '../../src/model/record';
import { keyValueStore } from '../../src/state/definition';
import { foreignKeyStore } from '../../src/state/foreign-key-definition';
import type { Task, Topology } from '../../src/task/topology';
import { record, testTopology } from '../../src/testing';
import { errorWith } from '../operators/errors';
import { openTransaction } from './open-transaction';
import { World } from './world';

const text = { key: string, value: nullable(string) };
const anyKey = { key: nullable(string), value: nullable(string) };
const people = topic('people', anyKey);
const places = topic('places', anyKey);
const results = topic('results', anyKey);
const texts = topic('texts', text);
const textResults = topic('results', text);
const references = foreignKeyStore('references', { key: nullable(string), foreignKey: nullable(string) });
const groups = keyValueStore('groups', { key: string, value: string });
const byPlace = internalTopic('by-place', { key: string, value: string });
const row = (key: string | null, value: string | null, timestamp = 0): KafkaRecord<string | null, string | null> => record(key, value, timestamp); // prettier-ignore
const both = (one: string | null | undefined, other: string | null | undefined): string => {
  if (one === 'bad') throw new Error('no such thing');
  return `${String(one)} ${String(other)}`;
};
const grouped = {
  by: (value: string): readonly [string, string] => ['all', value],
  through: byPlace,
  initial: () => '',
  add: (all: string, one: string): string => both(one, all),
  subtract: (all: string): string => all.slice(2),
};

const joins: Readonly<Record<string, Topology>> = {
  joinTable: ({ stream, table }) => stream(people).pipe(joinTable(table(places), both, { kind: 'left' }), to(results)),
  joinGlobalTable: ({ stream, globalTable }) =>
    stream(people).pipe(
      joinGlobalTable(
        globalTable(places),
        (one) => one,
        (one, other: string | undefined) => both(one, other),
        { kind: 'left' },
      ),
      to(results),
    ),
  joinTables: ({ table }) => joinTables(table(people), table(places), both, { kind: 'left' }).changes.pipe(to(results)),
  mapTable: ({ table }) => mapTable(table(people), (one) => both(one, '')).changes.pipe(to(results)),
  joinTablesByForeignKey: ({ table, store }) =>
    joinTablesByForeignKey(table(people), table(places), store(references), {
      kind: 'left',
      foreignKey: (one) => one,
      join: both,
    }).changes.pipe(to(results)),
  groupTable: ({ table, store }) => groupTable(table(people), store(groups), grouped).changes.pipe(to(results)),
};

describe.each(Object.keys(joins))('a function of %s that throws', (operator) => {
  it('ends the application, with the operator and the record named', () => {
    const test = testTopology(joins[operator]!);
    expect(() => {
      test.pipe(people, row('a', 'bad', 7));
    }).toThrow(errorWith({ code: 'PROCESSING', message: 'no such thing' }));
  });

  it('is skipped under that policy, counted, and the next record is taken', () => {
    const test = testTopology(joins[operator]!, { onProcessingError: 'skip' });
    test.pipe(people, row('a', 'bad'), row('b', 'good'));
    expect(test.metric('skipped-records-total')).toBe(1);
    expect(test.read(results).map(({ value }) => value)).toEqual([expect.stringContaining('good')]);
  });
});

describe('records of tables', () => {
  it.each(['joinTables', 'joinTablesByForeignKey'])('without a key are dropped and counted on either side of %s', (operator) => {
    const test = testTopology(joins[operator]!);
    test.pipe(people, row(null, 'x'));
    test.pipe(places, row(null, 'y'), row(null, null));
    expect(test.metric('dropped-records-total', { operator: 'table', reason: 'null-key' })).toBe(3);
    expect(test.read(results)).toEqual([]);
  });

  it('without a key are dropped and counted in a global table', () => {
    const test = testTopology(joins['joinGlobalTable']!);
    test.pipe(places, row(null, 'y'));
    expect(test.metric('dropped-records-total', { operator: 'globalTable', reason: 'null-key' })).toBe(1);
  });

  it('without a value delete what was never there, on either side, and nothing comes of it', () => {
    const test = testTopology(joins['joinTables']!);
    test.pipe(people, row('a', null));
    test.pipe(places, row('a', null));
    expect(test.read(results)).toEqual([]);
  });

  it('that refer to nothing are counted by an inner join by foreign key', () => {
    const test = testTopology(({ table, store }) =>
      joinTablesByForeignKey(table(people), table(places), store(references), { foreignKey: () => null, join: both }).changes.pipe(
        to(results),
      ),
    );
    test.pipe(people, row('a', 'x'));
    expect(test.metric('dropped-records-total', { operator: 'joinTablesByForeignKey', reason: 'null-foreign-key' })).toBe(1);
  });
});

describe('declarations', () => {
  const refused =
    (topology: (task: Task) => ReturnType<Topology>): (() => unknown) =>
    () =>
      testTopology(topology);

  it('one internal topic for two groupings is refused: each would take the rows of the other', () => {
    const others = keyValueStore('others', { key: string, value: string });
    expect(
      refused(({ table, store }) =>
        merge(
          groupTable(table(people), store(groups), grouped).changes.pipe(to(results)),
          groupTable(table(places), store(others), grouped).changes.pipe(to(results)),
        ),
      ),
    ).toThrow(errorWith({ code: 'CONFIG', message: /"by-place" is used by two operators/, where: { topic: 'by-place' } }));
  });

  it.each([
    ['by-place', 'of a grouping'],
    ['references-subscriptions', 'of a join by foreign key'],
    ['references-answers', 'of a join by foreign key'],
  ])('an internal topic named "%s", as one %s, is refused', (name) => {
    const mine = internalTopic(name, text);
    expect(
      refused((task) => {
        const { stream, store, repartition } = task;
        return merge(
          toTable(stream(texts).pipe(repartition(mine)), store(keyValueStore('mine', text))).changes.pipe(to(textResults)),
          joins['groupTable']!(task),
          joins['joinTablesByForeignKey']!(task),
        );
      }),
    ).toThrow(errorWith({ code: 'CONFIG', message: `two internal topics are named "${name}"`, where: { topic: name } }));
  });

  it('a foreign-key store of two joins is refused', () => {
    expect(refused((task) => merge(joins['joinTablesByForeignKey']!(task), joins['joinTablesByForeignKey']!(task)))).toThrow(
      errorWith({ code: 'STORE_IN_USE', message: /"references" is used by two operators/ }),
    );
  });
});

describe('topics of tables', () => {
  let world: World;

  beforeEach(() => {
    world = new World();
    world.topics({ results: 1 });
  });

  afterEach(() => world.end());

  const values = async (): Promise<unknown[]> => (await world.read(results)).map(({ value }) => value);
  const compacted = (partitions: Readonly<Record<string, number>>): void => {
    for (const [name, count] of Object.entries(partitions)) world.broker.createTopic(name, count, { 'cleanup.policy': 'compact' });
  };

  it('that are not compacted are warned of, each by name, and no others', async () => {
    world.broker.createTopic('people', 1, { 'cleanup.policy': 'delete' });
    world.broker.createTopic('places', 1, { 'cleanup.policy': 'compact' });
    const running = await world.toTheEnd(joins['joinTables']!);
    const warnings = running.lines.filter(({ level }) => level === 'warn').map(({ message }) => message);
    expect(warnings).toEqual([expect.stringMatching(/"people" is read as a table, but its cleanup\.policy is delete.*set it to compact/)]);
  });

  it('that are read globally are loaded up to an open foreign transaction, which nobody waits for; the rest follows when it has ended', async () => {
    compacted({ people: 1, places: 1 });
    await world.write(places, [row('x', 'here')]);
    const transaction = await openTransaction(world, { topic: 'places', partition: 0 });
    await world.write(places, [row('x', 'behind')]);
    await world.write(people, [row('a', 'x', 1)]);
    const one = world.start(joins['joinGlobalTable']!);
    await world.until(() => one.total('process-total') === 1);
    expect(await values()).toEqual(['x here']);
    await transaction.end(true);
    await world.clock.advance(2_000);
    await world.write(people, [row('a', 'x', 2), row('b', 'key', 3)]);
    await world.until(() => one.total('process-total') === 3);
    expect(await values()).toEqual(['x here', 'x behind', 'key v']);
  });

  it('that are read globally never show what an aborted transaction wrote', async () => {
    compacted({ people: 1, places: 1 });
    const transaction = await openTransaction(world, { topic: 'places', partition: 0 });
    await world.write(people, [row('b', 'key', 1)]);
    await world.toTheEnd(joins['joinGlobalTable']!);
    await transaction.end(false);
    await world.write(people, [row('b', 'key', 2)]);
    await world.toTheEnd(joins['joinGlobalTable']!);
    expect(await values()).toEqual(['key undefined', 'key undefined']);
  });
});
