/** Whatever goes wrong, in whatever order: each record counts once. A seed gives a run; the seed of one that fails is in its name. */
import type { ApiName } from '../../src/memory/call';
import type { FaultAction } from '../../src/memory/faults';
import { pureRandom } from './chance';
import { counting, countingValues, input, keysOf, record, results } from './programs';
import { type Running, World } from './world';

/** More by `MILLRACE_SEEDS=300 MILLRACE_FIRST_SEED=1 npx jest test/commit/any-faults.test.ts`. */
const SEEDS = Number(process.env['MILLRACE_SEEDS'] ?? 4);
const FIRST = Number(process.env['MILLRACE_FIRST_SEED'] ?? 1);

const PARTITIONS = 3;
const keys = Array.from({ length: PARTITIONS }, (_, partition) => keysOf(partition, PARTITIONS, 2)).flat();
const values = ['red', 'green', 'blue'];
const QUICK = { sessionTimeout: 6_000, heartbeatInterval: 500, requestTimeout: 20_000, transactionTimeout: 25_000 };

const apis: readonly ApiName[] = [
  'produce',
  'addPartitionsToTxn',
  'addOffsetsToTxn',
  'txnOffsetCommit',
  'endTxn',
  'initProducerId',
  'heartbeat',
  'joinGroup',
  'syncGroup',
  'offsetFetch',
  'fetch',
  'findCoordinator',
];

const actions: readonly FaultAction[] = [
  { kind: 'fail before' },
  { kind: 'lose answer' },
  { kind: 'lose answer', then: 'hang' },
  { kind: 'delay', ms: 700 },
  { kind: 'delay', ms: 8_000 },
  { kind: 'duplicate later', afterMs: 300 },
];

const isOurs = (clientId: string): boolean => clientId.startsWith('p');

describe.each([
  ['by key', counting],
  ['behind a repartition', countingValues],
] as const)('counting %s', (_, topology) => {
  it.each(Array.from({ length: SEEDS }, (__, seed) => FIRST + seed))(
    'is exact under any faults, kills and joins (seed %i)',
    async (seed) => {
      const chance = pureRandom(seed);
      const world = new World();
      world.topics({ input: PARTITIONS, results: 1 });
      const alive = new Map<string, Running>();
      const start = (name: string): void => void alive.set(name, world.start(topology, { ...QUICK, name }));
      start('p0');
      const expected = new Map<string, number>();
      const positions = Array.from({ length: PARTITIONS }, () => 0);

      for (let round = 0; round < 25; round++) {
        const batch = Array.from({ length: 1 + chance.below(20) }, () => {
          const key = keys[chance.below(keys.length)] as string;
          const value = values[chance.below(values.length)] as string;
          const counted = topology === counting ? key : value;
          expected.set(counted, (expected.get(counted) ?? 0) + 1);
          positions[Math.floor(keys.indexOf(key) / 2)]! += 1;
          return record(key, value, round);
        });
        await world.write(input, batch);
        const dice = chance.below(10);
        if (dice < 5) {
          const api = apis[chance.below(apis.length)] as ApiName;
          world.fault(api, actions[chance.below(actions.length)] as FaultAction, ({ clientId }) => isOurs(clientId));
        } else if (dice === 5) {
          const [name, running] = [...alive][chance.below(alive.size)] as [string, Running];
          running.kill();
          start(name);
        } else if (dice === 6 && alive.size < 3) {
          start(`p${String(alive.size)}`);
        }
        // Who has given up is started again, as whatever runs it would.
        for (const [name, running] of alive) if (running.error !== undefined) start(name);
        await world.clock.advance(chance.below(3_000));
      }

      world.broker.faults.clear();
      const isThrough = (): boolean => positions.every((next, at) => (world.committed('input', at)?.offset ?? -1) >= next);
      const total = [...expected.values()].reduce((a, b) => a + b, 0);
      for (let waited = 0; waited < 300 && !(isThrough() && (await world.read(results)).length >= total); waited++) {
        for (const [name, running] of alive) if (running.error !== undefined) start(name);
        await world.clock.advance(1_000);
      }
      const found = await world.read(results);
      for (const [key, count] of expected) {
        const counts = found.filter((each) => each.key === key).map(({ value }) => value);
        expect([key, counts]).toEqual([key, Array.from({ length: count }, (__, at) => at + 1)]);
      }
      await world.end();
    },
  );
});
