// join-table.test.ts
import { keyValueStore, type Topology } from 'millrace';
import { joinTable, to, toTable } from 'millrace/operators';
import { diagram, marbleAssert, memoryStore, outgoing, records, testTopology } from 'millrace/testing';
import { TestScheduler } from 'rxjs/testing';
import { orders, profiles, results } from './shop';

const named = (product: string, name: string) => `${product}/${name}`;
const namedIfKnown = (product: string, name: string | undefined) => `${product}/${name ?? 'nobody'}`;

it('joins an order with the name of that moment; a later name changes nothing', () => {
  new TestScheduler(marbleAssert).run(({ cold, expectObservable }) => {
    const names = ' -----------------ada4=Ada------------------------------ada1=Eve--------------|';
    const bought = '-ada3=tea-----------------ada6=ink-----bob7=nib-----------------ada8=rum-----|';
    const inner = ' --------------------------ada6=ink/Ada--------------------------ada8=rum/Eve-|';
    const left = '  -ada3=tea/nobody----------ada6=ink/Ada-bob7=nib/nobody----------ada8=rum/Eve-|';

    const rows = keyValueStore('rows', profiles);
    const table = () => toTable(cold(...diagram(names)), memoryStore(rows));
    expectObservable(cold(...diagram(bought)).pipe(joinTable(table(), named))).toBe(...diagram(inner));
    expectObservable(cold(...diagram(bought)).pipe(joinTable(table(), namedIfKnown, { kind: 'left' }))).toBe(...diagram(left));
  });
});

const topology: Topology = ({ stream, table }) =>
  stream(orders).pipe(joinTable(table(profiles), namedIfKnown, { kind: 'left' }), to(results));

it('writes each order with the name of its customer', () => {
  const test = testTopology(topology, { partitions: 3 });
  test.pipe(profiles, ...records('ada1=Ada'));
  test.pipe(orders, ...records('ada5=tea bob6=nib'));
  expect(test.read(results)).toEqual([outgoing(results, 'ada', 'tea/Ada', 5), outgoing(results, 'bob', 'nib/nobody', 6)]);
});
