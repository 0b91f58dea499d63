/** As in any-members.test.ts, while others follow: copies are taken over, go on as standbys and are warmed up, and nothing counts twice. */
import type { Topology } from '../../src/task/topology';
import { expectExactness } from './comings';
import { counting, countingValues } from './programs';
import { World, type StartOptions } from './world';

/** More by `MILLRACE_SEEDS=300 MILLRACE_FIRST_SEED=1 npx jest test/commit/any-standbys.test.ts`. */
const SEEDS = Number(process.env['MILLRACE_SEEDS'] ?? 2);
const FIRST = Number(process.env['MILLRACE_FIRST_SEED'] ?? 1);

const ways: Readonly<Record<string, StartOptions>> = {
  'one standby': { standbyReplicas: 1 },
  'a standby everywhere, and copies that must be near before they are given a task': { standbyReplicas: 2, acceptableLag: 2 },
  'warm-ups alone': { acceptableLag: 0, maxWarmups: 1 },
};
const programs: Readonly<Record<string, Topology>> = { 'by key': counting, 'behind a repartition': countingValues };

/** Long enough to catch up in, at times. */
const PAUSES = [300, 3_000, 15_000];

describe.each(Object.keys(ways))('with %s', (way) => {
  let followed = 0;
  let takenOver = 0;

  describe.each(Object.keys(programs))('counting %s', (program) => {
    it.each(Array.from({ length: SEEDS }, (_, seed) => FIRST + seed))('R11: is exact whoever comes and goes (seed %i)', async (seed) => {
      const world = new World();
      const all = await expectExactness({ world, program: programs[program]!, seed, options: ways[way]!, pauses: PAUSES });
      expect(all.length).toBeGreaterThan(1);
      for (const { lines } of all) {
        const tasks = new Set<number>();
        for (const { message, fields } of lines) {
          const { task } = fields as { task: number };
          if (message.endsWith('is followed')) {
            followed++;
            tasks.add(task);
          } else if (message === 'task started' && tasks.has(task)) takenOver++;
        }
      }
    });
  });

  it('has followed tasks, and taken over some of them', () => {
    expect([followed > 0, takenOver > 0]).toEqual([true, true]);
  });
});
