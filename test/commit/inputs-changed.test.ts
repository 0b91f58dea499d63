/** A topic that is added or taken away between deploys: what the operators of a task remember goes on, whatever its inputs are called. */
import { merge } from 'rxjs';
import { countWithStore, to, windowTumbling } from '../../operators';
import { string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import type { Topology } from '../../src/task/topology';
import { countingWindows, input, perTenSeconds, record, windowCounts, windowResults } from './programs';
import { World } from './world';

const first = topic('a-first', { key: string, value: string });
const other = topic('last', { key: string, value: string });
const withFirst: Topology = ({ stream, store }) =>
  merge(
    stream(input).pipe(windowTumbling(perTenSeconds), countWithStore(store(windowCounts), { emit: 'close' }), to(windowResults)),
    stream(first).pipe(to(other)),
  );

let world: World;
beforeEach(() => {
  world = new World();
  world.topics({ input: 1, results: 1, 'a-first': 1, last: 1 });
});
afterEach(() => world.end());

it.each([
  ['as before', [countingWindows, countingWindows, countingWindows]],
  ['forth', [countingWindows, withFirst, withFirst]],
  ['back', [countingWindows, withFirst, countingWindows]],
  ['back and forth', [countingWindows, withFirst, countingWindows, withFirst]],
])('W16: a topic added that comes first by name, %s: a closed window stays closed', async (_, plans) => {
  let time = 0;
  for (const plan of plans) {
    await world.write(input, [record('a', 'v', time), record('a', 'v', time + 10_000)]);
    await world.write(first, [record('x', 'v', time)]);
    await world.toTheEnd(plan, { name: 'one' });
    time += 10_000;
  }
  // Late for every window that has closed.
  await world.write(input, [record('a', 'late', 1), record('a', 'v', time + 20_000)]);
  await world.toTheEnd(plans.at(-1)!, { name: 'one' });
  const starts = (await world.read(windowResults)).map(({ key }) => key.start);
  expect(starts).toEqual(Array.from({ length: starts.length }, (_window, at) => 10_000 * at));
  expect(starts.length).toBeGreaterThan(plans.length);
});
