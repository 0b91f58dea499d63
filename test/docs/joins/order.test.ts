// order.test.ts
import type { Topology } from 'millrace';
import { joinTable, to } from 'millrace/operators';
import { inputRow, outgoing, record, testCluster } from 'millrace/testing';
import { orders, profiles, results } from './shop';

const topology: Topology = ({ stream, table }) =>
  stream(orders).pipe(
    joinTable(table(profiles), (product, name) => `${product}/${name ?? 'nobody'}`, { kind: 'left' }),
    to(results),
  );

it('takes what has been written in the order of timestamps, of equal ones the row first', async () => {
  const run = await testCluster({
    topology,
    instances: { a: '                             ---^----' },
    input: [
      inputRow(orders, '                           -o------', { o: record('ada', 'tea', 5) }),
      inputRow(profiles, '                         -np-----', { n: record('ada', 'Ada', 5), p: record('ada', 'Eve', 6) }),
    ],
  });
  expect(run.committed(results)).toEqual([outgoing(results, 'ada', 'tea/Ada', 5)]);
});
