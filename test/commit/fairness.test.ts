import { tap } from 'rxjs';
import { countWithStore, to, windowTumbling } from '../../operators';
import type { Topology } from '../../src/task/topology';
import { byValue, input, keysOf, perTenSeconds, record, windowCounts, windowResults } from './programs';
import { World } from './world';

const windowsByValue =
  (pushed: () => void): Topology =>
  ({ stream, store, repartition }) =>
    stream(input).pipe(
      tap(pushed),
      repartition(byValue, (value) => value),
      windowTumbling(perTenSeconds),
      countWithStore(store(windowCounts), { emit: 'close' }),
      to(windowResults),
    );

describe('partitions that feed one repartition', () => {
  it.each([
    ['of which one has a backlog', 10],
    ['of equal length', 1],
  ])('%s take turns by event time: next to nothing is late behind it', async (_, ratio) => {
    const world = new World();
    world.topics({ input: 2, results: 1 });
    const [left, right] = [keysOf(0, 2)[0] as string, keysOf(1, 2)[0] as string];
    const span = 600_000;
    const some = (key: string, count: number) =>
      Array.from({ length: count }, (_, at) => record(key, `v${String(at % 3)}`, Math.floor((at * span) / count)));
    await world.write(input, [...some(left, 20_000), ...some(right, 20_000 / ratio)]);
    const one = await world.toTheEnd(
      windowsByValue(() => {
        // So that commits fall between slices, and slices end.
        world.pass(0.05);
      }),
    );
    const total = 20_000 + 20_000 / ratio;
    expect(one.total('dropped-records-total') / total).toBeLessThan(0.02);
    const counted = (await world.read(windowResults)).reduce((sum, { value }) => sum + value, 0);
    expect(counted + one.total('dropped-records-total')).toBeGreaterThan(total * 0.95);
    await world.end();
  });
});
