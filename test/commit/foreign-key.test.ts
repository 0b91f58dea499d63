/** Joins by foreign key in whole instances: many rows that refer to one, rows that refer to their own table, keys that begin alike. */
import { joinTablesByForeignKey, to } from '../../operators';
import { nullable } from '../../src/codec/nullable';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { partitionFor } from '../../src/kafka/partitioner';
import { foreignKeyStore } from '../../src/state/foreign-key-definition';
import type { OpenBytes } from '../../src/state/open-bytes';
import type { Topology } from '../../src/task/topology';
import { record } from '../../src/testing';
import { FakeDisk } from '../state/fake-disk';
import { change } from './every-join';
import { World } from './world';

const text = { key: string, value: nullable(string) };
const orders = topic('orders', text);
const products = topic('products', text);
const results = topic('results', text);
const references = foreignKeyStore('references', { key: string, foreignKey: string });
const both = (order: string, product: string | undefined): string => `${order} ${String(product)}`;

/** The value of an order is the key of its product. */
const naming: Topology = ({ table, store }) =>
  joinTablesByForeignKey(table(orders), table(products), store(references), {
    kind: 'left',
    foreignKey: (product) => product,
    join: both,
  }).changes.pipe(to(results));

function onDisks(): OpenBytes {
  const disks = new Map<string, FakeDisk>();
  return (folder, options) => {
    const disk = disks.get(folder) ?? new FakeDisk();
    disks.set(folder, disk);
    return disk.open(folder, options);
  };
}

let world: World;

beforeEach(() => {
  world = new World();
  for (const [name, partitions] of Object.entries({ orders: 3, products: 2 })) {
    world.broker.createTopic(name, partitions, { 'cleanup.policy': 'compact' });
  }
  world.topics({ results: 1 });
});

afterEach(() => world.end());

const read = async (): Promise<string[]> => (await world.read(results)).map(({ key, value }) => `${key}: ${String(value)}`);

describe('a join by foreign key', () => {
  const many = Array.from({ length: 700 }, (_, at) => `o${String(at).padStart(3, '0')}`);

  it.each([
    ['in memory', {}],
    ['on disk, beyond what the cache holds', { openBytes: onDisks(), cacheBytes: 1024 * 1024 }],
  ])('answers all of many rows that refer to one, %s, once each, in the order of their keys', async (_, options) => {
    await world.write(orders, [...many].reverse().map((key) => change(key, 'p', 1))); // prettier-ignore
    await world.toTheEnd(naming, { ...options, commitInterval: 10 });
    expect(await read()).toHaveLength(many.length);
    await world.write(products, [change('p', 'tea', 2)]);
    await world.toTheEnd(naming, { ...options, commitInterval: 10 });
    const named = (await read()).slice(many.length);
    for (const partition of [0, 1, 2]) {
      const theirs = (line: string): boolean => partitionFor(Buffer.from(line.split(':')[0]!), 3) === partition;
      expect(named.filter(theirs)).toEqual(many.filter(theirs).map((key) => `${key}: p tea`));
    }
  });

  it('answers all of them though its instance dies meanwhile, each once', async () => {
    const options = { openBytes: onDisks(), sessionTimeout: 6_000, heartbeatInterval: 500, commitInterval: 10 };
    await world.write(orders, many.map((key) => change(key, 'p', 1))); // prettier-ignore
    await world.toTheEnd(naming, options);
    for (const name of ['tea', 'rum', 'ale']) {
      await world.write(products, [change('p', name, 2)]);
      const one = world.start(naming, options);
      const before = world.heard.length;
      await world.until(() => world.heard.slice(before).some(({ api }) => api === 'produce'));
      one.kill();
      await world.clock.advance(10_000);
    }
    await world.toTheEnd(naming, options);
    const named = (await read()).slice(many.length).sort();
    expect(named).toEqual(many.flatMap((key) => [`${key}: p ale`, `${key}: p rum`, `${key}: p tea`]));
  });

  it('tells keys apart that begin alike, and the empty ones', async () => {
    const keys = ['', 'p', 'pp', 'ppp', 'p\u0000', '\u0000p'];
    await world.write(orders, keys.map((product) => change(`o${product}`, product, 1))); // prettier-ignore
    await world.write(orders, [change('', 'pp', 1), change('p', '', 1)]);
    await world.write(products, keys.map((product, at) => change(product, String(at), 2))); // prettier-ignore
    await world.toTheEnd(naming);
    const last = new Map((await world.read(results)).map(({ key, value }) => [key, value]));
    const expected = keys.map((product, at): [string, string] => [`o${product}`, `${product} ${at}`]);
    expect([...last].sort()).toEqual([...expected, ['', 'pp 2'], ['p', ' 0']].sort());
  });

  it('ends a run that ends when caught up only once the answers to all rows have been taken', async () => {
    await world.write(products, [change('p', 'tea', 1)]);
    await world.write(orders, many.slice(0, 50).map((key) => change(key, 'p', 2))); // prettier-ignore
    const one = await world.toTheEnd(naming, { commitInterval: 10 });
    expect([...(await read())].sort()).toEqual(many.slice(0, 50).map((key) => `${key}: p tea`));
    expect(one.completed).toBe(true);
  });

  it('joins a table with itself', async () => {
    const managed: Topology = ({ table, store }) =>
      joinTablesByForeignKey(table(orders), table(orders), store(references), {
        kind: 'left',
        foreignKey: (manager) => (manager === '-' ? null : manager),
        join: (manager, theirs) => `${manager} under ${String(theirs)}`,
      }).changes.pipe(to(results));
    await world.write(orders, [change('ada', 'bob', 1), change('bob', 'eve', 2), change('eve', '-', 3)]);
    await world.toTheEnd(managed);
    await world.write(orders, [change('bob', 'ada', 4), change('eve', null, 5)]);
    await world.toTheEnd(managed);
    const last = new Map((await world.read(results)).map(({ key, value }) => [key, value]));
    expect([...last].sort()).toEqual([
      ['ada', 'bob under ada'],
      ['bob', 'ada under bob'],
      ['eve', null],
    ]);
  });

  it('finds rows by numbers, negative ones too, by the bytes of their codec', async () => {
    const parts = topic('parts', { key: int64, value: nullable(int64) });
    const sums = topic('sums', { key: int64, value: nullable(int64) });
    const ofNumbers = foreignKeyStore('of-numbers', { key: int64, foreignKey: int64 });
    world.topics({ parts: 3, sums: 1 });
    const summing: Topology = ({ table, store }) =>
      joinTablesByForeignKey(table(parts), table(parts), store(ofNumbers), {
        foreignKey: (part) => part,
        join: (part, other) => part + other,
      }).changes.pipe(to(sums));
    await world.write(parts, [record(1, -2, 1), record(-2, 256, 2), record(256, 1, 3), record(5, 6, 4)]);
    await world.toTheEnd(summing);
    const last = new Map((await world.read(sums)).map(({ key, value }) => [key, value]));
    expect([...last].sort(([a], [b]) => a - b)).toEqual([
      [-2, 257],
      [1, 254],
      [256, -1],
    ]);
  });
});
