// join-table-in-time.test.ts
import { bufferStore, versionedStore, type Topology } from 'millrace';
import { joinTable, to, toTable } from 'millrace/operators';
import { diagram, marbleAssert, memoryStore, outgoing, records, testTopology } from 'millrace/testing';
import { TestScheduler } from 'rxjs/testing';
import { prices, results, sales } from './shop';

const priced = (customer: string, price: string) => `${customer}/${price}`;
const versions = versionedStore('versions', { ...prices, history: 100 });
const waiting = bufferStore('waiting', sales);

it('with a history: the price that was valid at the time of the sale', () => {
  new TestScheduler(marbleAssert).run(({ cold, expectObservable }) => {
    const changes = '-tea1=5-tea10=6------------------------|';
    const sold = '   ----------------tea7=ada---tea12=bob---|';
    const result = ' ----------------tea7=ada/5-tea12=bob/6-|';

    const table = toTable(cold(...diagram(changes)), memoryStore(versions));
    expectObservable(cold(...diagram(sold)).pipe(joinTable(table, priced))).toBe(...diagram(result));
  });
});

it('with a grace of 5: a sale waits until event time is its time + 5, and finds what came by then', () => {
  new TestScheduler(marbleAssert).run(({ cold, expectObservable }) => {
    const changes = '-tea1=5-----------tea11=6----------------------------------|';
    const sold = '   --------tea12=ada---------tea16=bob-tea17=eve---tea3=jim---|';
    const result = ' ------------------------------------tea12=ada/6-tea3=jim/5-|';

    const table = toTable(cold(...diagram(changes)), memoryStore(versions));
    const joined = cold(...diagram(sold)).pipe(joinTable(table, priced, { grace: 5, buffer: memoryStore(waiting) }));
    expectObservable(joined).toBe(...diagram(result));
  });
});

const topology: Topology = ({ stream, table, store }) =>
  stream(sales).pipe(joinTable(table(prices, { history: 100 }), priced, { grace: 5, buffer: store(waiting) }), to(results));

it('keeps what waits over a restart', () => {
  const test = testTopology(topology);
  test.pipe(prices, ...records('tea1=5'));
  test.pipe(sales, ...records('tea12=ada'));
  test.restart();
  test.pipe(prices, ...records('tea11=6'));
  test.pipe(sales, ...records('nib17=eve'));
  expect(test.read(results)).toEqual([outgoing(results, 'tea', 'ada/6', 12)]);
});
