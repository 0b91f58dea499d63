// tables.test.ts
import { internalTopic, keyValueStore, string, topic, type Topology } from 'millrace';
import { filterTable, mapTable, to, toTable } from 'millrace/operators';
import { outgoing, record, records, testTopology } from 'millrace/testing';
import { map, merge } from 'rxjs';
import { orders, profiles, results } from './shop';

const buyers = keyValueStore('buyers', { key: string, value: string }); // product: who bought it last
const byProduct = internalTopic('by-product', { key: string, value: string });
const log = topic('log', { key: string, value: string });

const topology: Topology = ({ stream, table, store, repartition }) => {
  const names = mapTable(table(profiles), (name) => name.trim());
  const known = filterTable(names, (name) => name !== '');
  const bought = stream(orders).pipe(
    map((order) => order.withKey(order.value).withValue(order.key)),
    repartition(byProduct),
  );
  const lastBuyers = toTable(bought, store(buyers));
  return merge(
    known.changes.pipe(to(results)),
    lastBuyers.updates.pipe(
      map((update) => update.withValue(`${update.value.before ?? 'nobody'}, ${update.value.after ?? 'nobody'}`)),
      to(log),
    ),
  );
};

it('has the latest value of each key; a null, or a row that no longer passes, is a deletion', () => {
  const test = testTopology(topology, { partitions: 2 });
  test.pipe(profiles, ...records('ada1=Ada bob2=Bob ada3'), record('bob', null as unknown as string, 4));
  expect(test.read(results)).toEqual([
    outgoing(results, 'ada', 'Ada', 1),
    outgoing(results, 'bob', 'Bob', 2),
    outgoing(results, 'ada', null, 3),
    outgoing(results, 'bob', null, 4),
  ]);
});

it('says what was there before; the order of the stream counts, not timestamps', () => {
  const test = testTopology(topology, { partitions: 2 });
  test.pipe(orders, ...records('ada9=tea bob5=tea'));
  expect(test.read(log)).toEqual([outgoing(log, 'tea', 'nobody, ada', 9), outgoing(log, 'tea', 'ada, bob', 5)]);
  expect(test.store(buyers).get('tea')).toBe('bob');
});
