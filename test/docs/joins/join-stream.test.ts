// join-stream.test.ts
import { joinStore, type Topology } from 'millrace';
import { joinStream, to } from 'millrace/operators';
import { diagram, marbleAssert, memoryStore, outgoing, records, testTopology } from 'millrace/testing';
import { TestScheduler } from 'rxjs/testing';
import { clicks, orders, results } from './shop';

const within10 = { before: 0, after: 10, grace: 0 };
const attribution = joinStore('attribution', { key: clicks.key, left: clicks.value, right: orders.value, windows: within10 });
const both = (page: string | undefined, product: string | undefined) => `${page ?? 'nothing'}/${product ?? 'nothing'}`;

it('joins a click with the orders of the next 10 ms', () => {
  new TestScheduler(marbleAssert).run(({ cold, expectObservable }) => {
    const seen = '  -ada1=home-bob2=help-------------------------------------------ada20=shop--------|';
    const bought = '---------------------eve3=ink-ada4=tea-------------------------------------------|';
    const inner = ' ------------------------------ada4=home/tea--------------------------------------|';
    const left = '  ------------------------------ada4=home/tea--------------------bob2=help/nothing-|';
    const outer = ' ------------------------------(eve3=nothing/ink-ada4=home/tea)-bob2=help/nothing-|';

    const [source, other] = [cold(...diagram(seen)), cold(...diagram(bought))];
    const store = () => memoryStore(attribution);
    expectObservable(source.pipe(joinStream(other, store(), both))).toBe(...diagram(inner));
    expectObservable(source.pipe(joinStream(other, store(), both, { kind: 'left' }))).toBe(...diagram(left));
    expectObservable(source.pipe(joinStream(other, store(), both, { kind: 'outer' }))).toBe(...diagram(outer));
  });
});

it('joins a stream with itself: each record with earlier ones, and with itself', () => {
  new TestScheduler(marbleAssert).run(({ cold, expectObservable }) => {
    const seen = '-ada1=home------ada4=help--------------------------------------|';
    const pairs = '-ada1=home/home-(ada4=help/home-ada4=home/help-ada4=help/help)-|';

    const pages = joinStore('pages', { key: clicks.key, left: clicks.value, right: clicks.value, windows: { before: 10, after: 10 } });
    const source = cold(...diagram(seen));
    expectObservable(source.pipe(joinStream(source, memoryStore(pages), both))).toBe(...diagram(pairs));
  });
});

const topology: Topology = ({ stream, store }) =>
  stream(clicks).pipe(joinStream(stream(orders), store(attribution), both, { kind: 'left' }), to(results));

it('writes clicks with what was bought, and those without once nothing can be bought any more', () => {
  const test = testTopology(topology);
  test.pipe(clicks, ...records('ada1=home bob2=help'));
  test.pipe(orders, ...records('ada11=tea'));
  test.restart();
  test.pipe(clicks, ...records('eve13=home'));
  expect(test.read(results)).toEqual([outgoing(results, 'ada', 'home/tea', 11), outgoing(results, 'bob', 'help/nothing', 2)]);
});
