// join-tables.test.ts
import { keyValueStore, type Topology } from 'millrace';
import { joinTables, to, toTable } from 'millrace/operators';
import { diagram, marbleAssert, memoryStore, outgoing, records, testTopology, type TimedMarble } from 'millrace/testing';
import { TestScheduler } from 'rxjs/testing';
import { addresses, profiles, results } from './shop';

const both = (name: string | undefined, street: string | undefined) => `${name ?? 'nobody'}/${street ?? 'nowhere'}`;
const rowsOf = (name: string) => memoryStore(keyValueStore(name, profiles));
const orGone = ({ text }: TimedMarble) => (text === '∅' ? null : text);

it('changes with either side', () => {
  new TestScheduler(marbleAssert).run(({ cold, expectObservable }) => {
    const names = '  -ada1=Ada-----------------------ada3=Eve----------------------ada7=∅------------------|';
    const streets = '------------------ada5=High-------------------bob6=Low-------------------------ada8=∅-|';
    const inner = '  ------------------ada5=Ada/High-ada5=Eve/High-----------------ada7=∅------------------|';
    const left = '   -ada1=Ada/nowhere-ada5=Ada/High-ada5=Eve/High-----------------ada7=∅------------------|';
    const outer = '  -ada1=Ada/nowhere-ada5=Ada/High-ada5=Eve/High-bob6=nobody/Low-ada7=nobody/High-ada8=∅-|';

    const people = toTable(cold(...diagram(names, orGone)), rowsOf('people'));
    const homes = toTable(cold(...diagram(streets, orGone)), rowsOf('homes'));
    expectObservable(joinTables(people, homes, both).changes).toBe(...diagram(inner, orGone));
    expectObservable(joinTables(people, homes, both, { kind: 'left' }).changes).toBe(...diagram(left, orGone));
    expectObservable(joinTables(people, homes, both, { kind: 'outer' }).changes).toBe(...diagram(outer, orGone));
  });
});

const contacts = keyValueStore('contacts', profiles);
const topology: Topology = ({ table, store }) =>
  joinTables(table(profiles), table(addresses), both, { kind: 'outer', store: store(contacts) }).changes.pipe(to(results));

it('keeps the joined rows in a store, if there is one', () => {
  const test = testTopology(topology, { partitions: 3 });
  test.pipe(addresses, ...records('bob6=Low'));
  test.pipe(profiles, ...records('ada7=Ada bob8=Bob'));
  expect(test.read(results)).toEqual([
    outgoing(results, 'bob', 'nobody/Low', 6),
    outgoing(results, 'ada', 'Ada/nowhere', 7),
    outgoing(results, 'bob', 'Bob/Low', 8),
  ]);
  expect(test.store(contacts).get('bob')).toBe('Bob/Low');
});
