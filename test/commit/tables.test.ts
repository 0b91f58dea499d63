/** Tables of topics: what their rows are restored from, and how far; what meets in a join. */
import { merge } from 'rxjs';
import { filterTable, filterValues, joinTable, mapValues, to, toTable } from '../../operators';
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import { keyValueStore } from '../../src/state/definition';
import type { Topology } from '../../src/task/topology';
import { FakeDisk } from '../state/fake-disk';
import { keysOf, record } from './programs';
import { type Running, World } from './world';

const profiles = topic('profiles', { key: string, value: string });
const orders = topic('orders', { key: string, value: string });
const named = topic('named', { key: string, value: string });

const naming: Topology = ({ stream, table }) =>
  stream(orders).pipe(
    joinTable(table(profiles), (order, name) => `${order} ${name ?? 'nobody'}`, { kind: 'left' }),
    to(named),
  );

const gone = (key: string, timestamp = 0): KafkaRecord<string, string> =>
  KafkaRecord.of(key, null as unknown as string, timestamp, noOrigin);

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ profiles: 1, orders: 1, named: 1 });
});

afterEach(() => world.end());

const values = async (): Promise<string[]> => (await world.read(named)).map(({ value }) => value);

describe('a table of a topic', () => {
  it('S11: is whole after a restart without local state, restored from its own topic, and no changelog is made', async () => {
    await world.write(profiles, [record('a', 'Ada', 1), record('b', 'Bob', 2), record('b', 'Ben', 3), gone('c', 4)]);
    await world.write(orders, [record('a', '1', 10)]);
    await world.toTheEnd(naming);
    await world.write(orders, [record('b', '2', 11), record('c', '3', 12)]);
    const again = await world.toTheEnd(naming);
    expect(await values()).toEqual(['1 Ada', '2 Ben', '3 nobody']);
    expect(again.total('restore-records-total')).toBe(4);
    expect(world.broker.topics().filter((name) => name.includes('changelog'))).toEqual([]);
  });

  it('reads only the difference where local state is left, also after a kill', async () => {
    const disk = new FakeDisk();
    const options = { openBytes: disk.open.bind(disk), sessionTimeout: 6_000 };
    await world.write(
      profiles,
      Array.from({ length: 50 }, (_, at) => record(`k${String(at)}`, 'old', at)),
    );
    const one = world.start(naming, options);
    await world.untilCommitted({ profiles: [50] });
    await world.clock.advance(6_000);
    await world.write(profiles, [record('k1', 'new', 60)]);
    await world.untilCommitted({ profiles: [51] });
    await world.clock.advance(6_000);
    await world.write(profiles, [record('k2', 'newer', 61)]);
    await world.untilCommitted({ profiles: [52] });
    one.kill();
    await world.clock.advance(10_000);
    await world.write(orders, [record('k1', '1', 70), record('k2', '2', 71), record('k3', '3', 72)]);
    const again = await world.toTheEnd(naming, options);
    expect(await values()).toEqual(['1 new', '2 newer', '3 old']);
    expect(again.total('restore-records-total')).toBe(1);
  });

  it('is restored to the committed offset, never ahead: rows behind it are pushed, and come in the order of time', async () => {
    await world.write(profiles, [record('a', 'first', 1)]);
    await world.write(orders, [record('a', '1', 2)]);
    await world.toTheEnd(naming);
    await world.write(orders, [record('a', '2', 3)]);
    await world.write(profiles, [record('a', 'second', 4)]);
    await world.write(orders, [record('a', '3', 5)]);
    await world.toTheEnd(naming);
    expect(await values()).toEqual(['1 first', '2 first', '3 second']);
  });

  it('has the row before a stream record of the same time', async () => {
    await world.write(orders, [record('a', '1', 5)]);
    await world.write(profiles, [record('a', 'Ada', 5)]);
    await world.toTheEnd(naming);
    expect(await values()).toEqual(['1 Ada']);
  });

  it('keeps the row of a change whose consequences are skipped, as the restored one does', async () => {
    const shouting: Topology = ({ stream, table }) => {
      const people = table(profiles);
      const refusing = people.changes.pipe(
        mapValues((name) => {
          if (name === 'bad') throw new Error('bad');
          return 'seen';
        }),
        filterValues((value) => value !== 'seen'),
        to(named),
      );
      const joined = stream(orders).pipe(
        joinTable(people, (order, name) => `${order} ${name}`),
        to(named),
      );
      return merge(refusing, joined);
    };
    await world.write(profiles, [record('a', 'good', 1), record('b', 'bad', 2)]);
    await world.write(orders, [record('b', '1', 3)]);
    const one = await world.toTheEnd(shouting, { onProcessingError: 'skip' });
    expect(one.total('skipped-records-total')).toBe(1);
    await world.write(orders, [record('b', '2', 4)]);
    await world.toTheEnd(shouting, { onProcessingError: 'skip' });
    expect(await values()).toEqual(['1 bad', '2 bad']);
  });

  it('is restored without what did not decode when it was read', async () => {
    const numbers = topic('profiles', { key: string, value: onlyDigits(), onDecodeError: 'skip' });
    const counting: Topology = ({ stream, table }) =>
      stream(orders).pipe(
        joinTable(table(numbers), (order, row) => `${order} ${row}`),
        to(named),
      );
    await world.write(profiles, [record('a', '7', 1), record('a', 'seven', 2)]);
    await world.write(orders, [record('a', '1', 3)]);
    await world.toTheEnd(counting);
    await world.write(orders, [record('a', '2', 4)]);
    await world.toTheEnd(counting);
    expect(await values()).toEqual(['1 7', '2 7']);
  });

  it('warns, once it needs a changelog of its own, that this lacks what was read before; and not at the first start', async () => {
    const filtering: Topology = ({ table }) =>
      filterTable(table(profiles), () => true).changes.pipe(
        mapValues((name) => String(name)),
        to(named),
      );
    const warnings = ({ lines }: Running): string[] =>
      lines.flatMap(({ level, message }) => (level === 'warn' && message.includes('changelog of its own') ? [message] : []));
    await world.write(profiles, [record('a', 'Ada', 1)]);
    await world.write(orders, [record('a', '1', 2)]);
    await world.toTheEnd(naming);
    await world.write(profiles, [record('b', 'Bob', 3)]);
    expect(warnings(await world.toTheEnd(filtering))).toEqual([
      expect.stringMatching(/"profiles".*before offset 1; reset the application/),
    ]);
    world.broker.deleteTopic('profiles');
    world.topics({ profiles: 1 });
    await world.write(profiles, [record('a', 'Ada', 1)]);
    expect(warnings(await world.toTheEnd(filtering, { applicationId: 'other' }))).toEqual([]);
    await world.write(profiles, [record('b', 'Bob', 3)]);
    expect(warnings(await world.toTheEnd(filtering, { applicationId: 'other' }))).toEqual([]);
  });

  it('goes on where another instance left it, with what that one had not committed undone', async () => {
    await world.write(profiles, [record('a', 'Ada', 1)]);
    await world.write(orders, [record('a', '1', 2)]);
    const one = world.start(naming, { name: 'one', sessionTimeout: 6_000 });
    await world.untilCommitted({ orders: [1], profiles: [1] });
    one.kill();
    await world.write(profiles, [record('a', 'Eve', 3)]);
    await world.write(orders, [record('a', '2', 4)]);
    await world.toTheEnd(naming, { name: 'two', sessionTimeout: 6_000 });
    expect(await values()).toEqual(['1 Ada', '2 Eve']);
  });
});

describe('a join of a stream with a table', () => {
  it('W18: refuses different numbers of partitions, and names both topics, both counts and the remedy', async () => {
    world = new World();
    world.topics({ profiles: 2, orders: 3, named: 1 });
    const running = world.start(naming);
    await running.ended();
    expect(running.error?.code).toBe('CO_PARTITION');
    expect(running.error?.message).toMatch(
      /"(orders|profiles)" \([23] partitions\) and "(orders|profiles)" \([23] partitions\) meet in joinTable/,
    );
    expect(running.error?.message).toContain('repartition()');
  });

  it('finds rows of keys that lie on different partitions', async () => {
    world = new World();
    world.topics({ profiles: 3, orders: 3, named: 3 });
    const keys = [0, 1, 2].flatMap((partition) => keysOf(partition, 3, 2));
    await world.write(profiles, keys.map((key) => record(key, `name of ${key}`, 1))); // prettier-ignore
    await world.write(orders, keys.map((key) => record(key, key, 2))); // prettier-ignore
    await world.toTheEnd(naming);
    expect((await values()).sort()).toEqual(keys.map((key) => `${key} name of ${key}`).sort());
  });

  it('is refused when planned over a toTable that nobody uses', async () => {
    const rows = keyValueStore('rows', { key: string, value: string });
    const unused: Topology = ({ stream, store }) => {
      toTable(stream(profiles), store(rows));
      return stream(orders).pipe(to(named));
    };
    const running = world.start(unused);
    await running.ended();
    expect(running.error?.code).toBe('NO_SUBSCRIBERS');
    expect(running.error?.message).toContain('toTable over store "rows"');
  });

  it('is refused of a topic read as a stream too, if its codec takes no null', async () => {
    const twice: Topology = ({ stream, table }) =>
      stream(profiles).pipe(
        joinTable(table(profiles), (value) => value),
        to(named),
      );
    const running = world.start(twice);
    await running.ended();
    expect(running.error?.code).toBe('CONFIG');
    expect(running.error?.message).toContain('nullable');
  });
});

function onlyDigits(): typeof string {
  return {
    encode: (value) => value,
    decode: (bytes) => {
      const text = Buffer.from(bytes).toString();
      return /^\d+$/.test(text) ? { _tag: 'Right', right: text } : { _tag: 'Left', left: new Error('no digits') };
    },
  };
}
