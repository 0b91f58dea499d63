// no-outer.test.ts
import { joinStore, keyValueStore, type Topology } from 'millrace';
import { filterValues, joinStream, joinTables, to, toTable } from 'millrace/operators';
import { outgoing, records, testTopology } from 'millrace/testing';
import { orders, profiles, results } from './shop';

const lastOrder = keyValueStore('last-order', orders);
const both = (product: string | undefined, name: string | undefined) => `${product ?? 'nothing'}/${name ?? 'nobody'}`;

const customersAndOrders: Topology = ({ stream, table, store }) =>
  joinTables(toTable(stream(orders), store(lastOrder)), table(profiles), both, { kind: 'outer' }).changes.pipe(to(results));

it('has customers without orders and orders of nobody, and follows both', () => {
  const test = testTopology(customersAndOrders);
  test.pipe(profiles, ...records('ada1=Ada'));
  test.pipe(orders, ...records('bob2=ink ada3=tea'));
  test.pipe(profiles, ...records('bob4=Bob'));
  expect(test.read(results)).toEqual([
    outgoing(results, 'ada', 'nothing/Ada', 1),
    outgoing(results, 'bob', 'ink/nobody', 2),
    outgoing(results, 'ada', 'tea/Ada', 3),
    outgoing(results, 'bob', 'ink/Bob', 4),
  ]);
});

const within10 = { before: 0, after: 10 };
const welcomed = joinStore('welcomed', { key: profiles.key, left: profiles.value, right: orders.value, windows: within10 });

const firstOrders: Topology = ({ stream, table, store }) =>
  table(profiles, { materialized: false }).changes.pipe(
    filterValues((name) => name !== null),
    joinStream(stream(orders), store(welcomed), (name, product) => both(product, name), { kind: 'left' }),
    to(results),
  );

it('has profiles that no order followed within 10 ms', () => {
  const test = testTopology(firstOrders);
  test.pipe(profiles, ...records('ada1=Ada bob2=Bob'));
  test.pipe(orders, ...records('ada5=tea eve13=ink'));
  expect(test.read(results)).toEqual([outgoing(results, 'ada', 'tea/Ada', 5), outgoing(results, 'bob', 'nothing/Bob', 2)]);
});
