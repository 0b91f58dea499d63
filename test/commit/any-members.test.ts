/** Whoever comes, closes and dies, with local state that outlives them: each record counts once, no folder is open twice. */
import { countWithStore, lookup, mapValues, to } from '../../operators';
import type { Topology } from '../../src/task/topology';
import { delay } from '../../src/time/clock';
import { expectExactness } from './comings';
import { counting, countingValues, counts, input, results } from './programs';
import { World } from './world';

/** More by `MILLRACE_SEEDS=300 MILLRACE_FIRST_SEED=1 npx jest test/commit/any-members.test.ts`. */
const SEEDS = Number(process.env['MILLRACE_SEEDS'] ?? 3);
const FIRST = Number(process.env['MILLRACE_FIRST_SEED'] ?? 1);

describe.each([
  ['by key', () => counting],
  ['behind a repartition', () => countingValues],
  [
    'behind calls',
    (world: World): Topology =>
      ({ stream, store }) =>
        stream(input).pipe(
          lookup((id: string) => delay(world.clock, id.length % 2 === 0 ? 5 : 120).then(() => id), { id: (value) => value }),
          mapValues(([value]) => value),
          countWithStore(store(counts)),
          to(results),
        ),
  ],
] as const)('counting %s', (_, programOf) => {
  it.each(Array.from({ length: SEEDS }, (__, seed) => FIRST + seed))('R11: is exact whoever comes and goes (seed %i)', async (seed) => {
    const world = new World();
    expect(await expectExactness({ world, program: programOf(world), seed })).not.toEqual([]);
  });
});
