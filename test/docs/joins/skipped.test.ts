// skipped.test.ts
import type { Topology } from 'millrace';
import { joinTable, mapTable, to } from 'millrace/operators';
import { outgoing, records, testTopology } from 'millrace/testing';
import { merge } from 'rxjs';
import { orders, profiles, results } from './shop';

const strict = (name: string) => {
  if (name === 'nil') throw new Error('no name');
  return name;
};
const topology: Topology = ({ stream, table }) => {
  const people = table(profiles);
  return merge(
    stream(orders).pipe(
      joinTable(people, (product, name) => `${product}/${name}`),
      to(results),
    ),
    mapTable(people, strict).changes.pipe(to(results)),
  );
};

it('keeps the row of a change whose consequences are skipped', () => {
  const test = testTopology(topology, { onProcessingError: 'skip' });
  test.pipe(profiles, ...records('ada1=nil'));
  test.pipe(orders, ...records('ada5=tea'));
  expect(test.read(results)).toEqual([outgoing(results, 'ada', 'tea/nil', 5)]);
  expect(test.metric('skipped-records-total')).toBe(1);
});
