// no-outer.test.ts
import { keyValueStore, type Topology } from 'millrace';
import { joinTables, to, toTable } from 'millrace/operators';
import { outgoing, records, testTopology } from 'millrace/testing';
import { orders, profiles, results } from './shop';

const lastOrder = keyValueStore('last-order', orders);
const both = (product: string | undefined, name: string | undefined) => `${product ?? 'nothing'}/${name ?? 'nobody'}`;

const topology: Topology = ({ stream, table, store }) =>
  joinTables(toTable(stream(orders), store(lastOrder)), table(profiles), both, { kind: 'outer' }).changes.pipe(to(results));

it('has customers without orders and orders of nobody, and follows both', () => {
  const test = testTopology(topology, { partitions: 3 });
  test.pipe(profiles, ...records('ada1=Ada'));
  test.pipe(orders, ...records('bob2=ink ada3=tea ada4=rum'));
  test.pipe(profiles, ...records('bob5=Bob'));
  expect(test.read(results).sort((a, b) => a.timestamp - b.timestamp)).toEqual([
    outgoing(results, 'ada', 'nothing/Ada', 1),
    outgoing(results, 'bob', 'ink/nobody', 2),
    outgoing(results, 'ada', 'tea/Ada', 3),
    outgoing(results, 'ada', 'rum/Ada', 4),
    outgoing(results, 'bob', 'ink/Bob', 5),
  ]);
});
