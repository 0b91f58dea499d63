// group-table.test.ts
import { int64, internalTopic, keyValueStore, string, type Topology } from 'millrace';
import { groupTable, joinTables, to, toTable } from 'millrace/operators';
import { diagram, marbleAssert, memoryStore, outgoing, records, testTopology, type TimedMarble } from 'millrace/testing';
import { TestScheduler } from 'rxjs/testing';
import { offers, products, results } from './shop';

const offersOfProduct = keyValueStore('offers-of-product', { key: string, value: int64 });
const counting = {
  by: (product: string) => [product, 1] as const,
  through: internalTopic('offers-by-product', { key: string, value: int64 }),
  initial: () => 0,
  add: (count: number, one: number) => count + one,
  subtract: (count: number, one: number) => count - one,
};

it('counts the offers of each product, as they are now', () => {
  new TestScheduler(marbleAssert).run(({ cold, expectObservable }) => {
    const offered = '-a1=tea-b2=tea-a3=rum----------b4=∅---|';
    const counts = ' -tea1=1-tea2=2-(tea3=1-rum3=1)-tea4=0-|';

    const source = cold(...diagram(offered, ({ text }) => (text === '∅' ? null : text)));
    const table = toTable(source, memoryStore(keyValueStore('offered', offers)));
    const grouped = groupTable(table, memoryStore(offersOfProduct), counting);
    expectObservable(grouped.changes).toBe(...diagram(counts, ({ text }: TimedMarble) => Number(text)));
  });
});

const topology: Topology = ({ table, store }) => {
  const counts = groupTable(table(offers), store(offersOfProduct), counting);
  return joinTables(table(products), counts, (what, count = 0) => `${what}: ${count}`, { kind: 'left' }).changes.pipe(to(results));
};

it('joined with the products: those that nobody offers are there, too', () => {
  const test = testTopology(topology, { partitions: { offers: 3, products: 2, results: 1 } });
  test.pipe(products, ...records('tea1=black rum2=brown'));
  test.pipe(offers, ...records('a3=tea'));
  expect(test.read(results)).toEqual([
    outgoing(results, 'tea', 'black: 0', 1),
    outgoing(results, 'rum', 'brown: 0', 2),
    outgoing(results, 'tea', 'black: 1', 3),
  ]);
});
