// join-global-table.test.ts
import type { Topology } from 'millrace';
import { joinGlobalTable, to } from 'millrace/operators';
import { diagram, marbleAssert, memoryGlobalTable, outgoing, records, testTopology } from 'millrace/testing';
import { TestScheduler } from 'rxjs/testing';
import { orders, products, results } from './shop';

const product = (order: string) => order;
const described = (_: string, what: string) => what;
const describedIfKnown = (_: string, what: string | undefined) => what ?? 'unknown';

it('finds the row by a key made from the order', () => {
  new TestScheduler(marbleAssert).run(({ cold, expectObservable }) => {
    const bought = '-ada3=tea---bob4=rum-----|';
    const inner = ' -ada3=black--------------|';
    const left = '  -ada3=black-bob4=unknown-|';

    const table = memoryGlobalTable(products, records('tea9=black ink9=blue'));
    const source = cold(...diagram(bought));
    expectObservable(source.pipe(joinGlobalTable(table, product, described))).toBe(...diagram(inner));
    expectObservable(source.pipe(joinGlobalTable(table, product, describedIfKnown, { kind: 'left' }))).toBe(...diagram(left));
  });
});

const topology: Topology = ({ stream, globalTable }) =>
  stream(orders).pipe(joinGlobalTable(globalTable(products), product, described), to(results));

it('joins across partitions of any number', () => {
  const test = testTopology(topology, { partitions: { orders: 3, products: 2 } });
  test.pipe(products, ...records('tea9=black ink9=blue'));
  test.pipe(orders, ...records('ada3=tea bob4=ink'));
  expect(test.read(results)).toEqual([outgoing(results, 'ada', 'black', 3), outgoing(results, 'bob', 'blue', 4)]);
});
