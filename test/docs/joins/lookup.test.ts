// lookup.test.ts
import { seconds, type Topology } from 'millrace';
import { lookup, mapValues, to } from 'millrace/operators';
import { outgoing, records, testTopology } from 'millrace/testing';
import { orders, results } from './shop';

const topology =
  (stockOf: (product: string) => Promise<number | undefined>): Topology =>
  ({ stream }) =>
    stream(orders).pipe(
      lookup(stockOf, { id: (product) => product, concurrency: 20, timeout: seconds(5) }),
      mapValues(([product, stock = 0]) => `${product}: ${stock}`),
      to(results),
    );

it('keeps the order of the records, whoever was answered first', async () => {
  const answer = new Map<string, (stock?: number) => void>();
  const asked = (product: string) => new Promise<number | undefined>((resolve) => void answer.set(product, resolve));
  const test = testTopology(topology(asked));
  test.pipe(orders, ...records('ada1=tea bob2=ink'));
  answer.get('ink')?.();
  answer.get('tea')?.(7);
  await test.settled();
  expect(test.read(results)).toEqual([outgoing(results, 'ada', 'tea: 7', 1), outgoing(results, 'bob', 'ink: 0', 2)]);
});
