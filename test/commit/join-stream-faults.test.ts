/** Whatever goes wrong, in whatever order: each pair comes once, and what has none comes alone. The seed of a run that fails is in its name. */
import type { ApiName } from '../../src/memory/call';
import type { FaultAction } from '../../src/memory/faults';
import { pureRandom } from './chance';
import { attributing, clicks, expectedPairs, joinedAll, last, orders, PARTITIONS, results, someRecords } from './joins';
import { type Running, World } from './world';

/** More by `MILLRACE_SEEDS=300 MILLRACE_FIRST_SEED=1 npx jest test/commit/join-stream-faults.test.ts`. */
const SEEDS = Number(process.env['MILLRACE_SEEDS'] ?? 3);
const FIRST = Number(process.env['MILLRACE_FIRST_SEED'] ?? 1);
const QUICK = { sessionTimeout: 6_000, heartbeatInterval: 500, requestTimeout: 20_000, transactionTimeout: 25_000 };

const apis: readonly ApiName[] = [
  'produce',
  'addPartitionsToTxn',
  'txnOffsetCommit',
  'endTxn',
  'initProducerId',
  'heartbeat',
  'joinGroup',
  'offsetFetch',
  'fetch',
];
const actions: readonly FaultAction[] = [
  { kind: 'fail before' },
  { kind: 'lose answer' },
  { kind: 'lose answer', then: 'hang' },
  { kind: 'delay', ms: 700 },
  { kind: 'delay', ms: 8_000 },
];
const ROUNDS = 15;
const PER_ROUND = 12;

it.each(Array.from({ length: SEEDS }, (_, seed) => FIRST + seed))(
  'a join is exact under any faults, kills and joins (seed %i)',
  async (seed) => {
    const chance = pureRandom(seed);
    const world = new World();
    world.topics({ clicks: PARTITIONS, orders: PARTITIONS, results: 1 });
    const alive = new Map<string, Running>();
    const start = (name: string): void => void alive.set(name, world.start(attributing('outer'), { ...QUICK, name }));
    // Who has given up is started again, as whatever runs it would.
    const restart = (): void => {
      for (const [name, running] of alive) if (running.error !== undefined) start(name);
    };
    start('p0');
    const streams = someRecords(chance, ROUNDS * PER_ROUND);
    for (let round = 0; round < ROUNDS; round++) {
      const [from, to] = [round * PER_ROUND, (round + 1) * PER_ROUND];
      await world.write(clicks, streams.left.slice(from, to));
      await world.write(orders, streams.right.slice(from, to));
      const dice = chance.below(10);
      if (dice < 5) {
        const api = apis[chance.below(apis.length)]!;
        world.fault(api, actions[chance.below(actions.length)]!, ({ clientId }) => clientId.startsWith('p'));
      } else if (dice === 5) {
        const [name, running] = [...alive][chance.below(alive.size)]!;
        running.kill();
        start(name);
      } else if (dice === 6 && alive.size < 3) {
        start(`p${alive.size}`);
      }
      restart();
      await world.clock.advance(chance.below(3_000));
    }
    world.broker.faults.clear();
    for (let waited = 0; waited < 60; waited++) {
      restart();
      await world.clock.advance(1_000);
    }
    await joinedAll(world);
    await world.write(clicks, last);
    await joinedAll(world);
    await world.clock.advance(2_000);
    const found = (await world.read(results)).map(({ value }) => value);
    expect(found.sort()).toEqual(expectedPairs(streams, 'outer'));
    await world.end();
  },
);
