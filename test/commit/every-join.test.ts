/** Whatever is killed, restarted without its disk, shared with another instance or compacted: joins end with the join of the last rows. */
import type { ApiName } from '../../src/memory/call';
import type { FaultAction } from '../../src/memory/faults';
import type * as tables from '../../src/state/table';
import type { OpenBytes } from '../../src/state/open-bytes';
import { FakeDisk } from '../state/fake-disk';
import { pureRandom } from './chance';
import { EveryTable, everyJoin, PARTITIONS, RESULTS, rowsOf } from './every-join';
import { type Running, World } from './world';

/** More by `MILLRACE_SEEDS=300 MILLRACE_FIRST_SEED=1 npx jest test/commit/every-join.test.ts`. */
const SEEDS = Number(process.env['MILLRACE_SEEDS'] ?? 4);
const FIRST = Number(process.env['MILLRACE_FIRST_SEED'] ?? 1);
const ROUNDS = 12;
const QUICK = { sessionTimeout: 6_000, heartbeatInterval: 500, requestTimeout: 20_000, transactionTimeout: 25_000 };

const apis: readonly ApiName[] = ['produce', 'addPartitionsToTxn', 'txnOffsetCommit', 'endTxn', 'fetch', 'heartbeat'];
const faults: readonly FaultAction[] = [
  { kind: 'fail before' },
  { kind: 'lose answer' },
  { kind: 'lose answer', then: 'hang' },
  { kind: 'delay', ms: 700 },
  { kind: 'delay', ms: 8_000 },
];

const planted = { noTakingBack: false };

jest.mock('../../src/state/table', () => {
  const actual = jest.requireActual<typeof tables>('../../src/state/table');
  const keptTableOf: typeof tables.keptTableOf = (table, operator) => {
    const behind = actual.keptTableOf(table, operator);
    return planted.noTakingBack ? { ...behind, takeBack: () => undefined } : behind;
  };
  return { ...actual, keptTableOf };
});

const { topology, inputs, results } = everyJoin();

/** A disk for each folder. */
function onDisks(): OpenBytes {
  const disks = new Map<string, FakeDisk>();
  return (folder, options) => {
    const disk = disks.get(folder) ?? new FakeDisk();
    disks.set(folder, disk);
    return disk.open(folder, options);
  };
}

/** Instances that come and go, over topics that are compacted at any time; gives what was read at the end, and what should have been. */
async function live(seed: number, keepsDisks: boolean): Promise<{ found: object; expected: object }> {
  const chance = pureRandom(seed);
  const world = new World();
  const everything = new EveryTable();
  for (const [name, partitions] of Object.entries(PARTITIONS)) {
    world.broker.createTopic(name, partitions, name === 'questions' ? {} : { 'cleanup.policy': 'compact' });
  }
  for (const { name } of Object.values(results)) world.broker.createTopic(name, 1);
  const options = { ...QUICK, ...(keepsDisks && { openBytes: onDisks() }) };
  const alive = new Map<string, Running>();
  const start = (name: string): void => void alive.set(name, world.start(topology, { ...options, name }));
  const actions: (() => Promise<void> | void)[] = [
    () => {
      const [name, running] = [...alive][chance.below(alive.size)]!;
      running.kill();
      start(name);
    },
    () => {
      for (const topic of world.broker.topics()) world.broker.roll(topic);
      world.broker.compact();
    },
    async () => {
      const [name, running] = [...alive][chance.below(alive.size)]!;
      await running.close();
      alive.delete(name);
    },
    () => {
      start(`p${alive.has('p0') ? '1' : '0'}`);
    },
    () => {
      world.fault(apis[chance.below(apis.length)]!, faults[chance.below(faults.length)]!, ({ clientId }) => clientId.startsWith('p'));
    },
  ];
  for (let round = 0; round < ROUNDS; round++) {
    if (alive.size === 0 && chance.below(2) === 0) start('p0');
    for (let at = chance.below(8); at > 0; at--) {
      const { to, change: drawn } = everything.draw(chance);
      await world.write(inputs[to], [drawn]);
    }
    await world.clock.advance(chance.below(1_500));
    const action = actions[chance.below(actions.length + 2)];
    if (alive.size > 0) await action?.();
    // Who has given up is started again, as whatever runs it would.
    for (const [name, running] of alive) if (running.error !== undefined) start(name);
  }
  world.broker.faults.clear();
  for (const running of alive.values()) running.kill();
  await world.clock.advance(30_000);
  await world.toTheEnd(topology, options);
  await world.write(inputs.questions, everything.questions());
  await world.toTheEnd(topology, options);
  const found: Record<string, unknown> = { answers: rowsOf(await world.read(results.answers)) };
  for (const name of RESULTS) found[name] = rowsOf(await world.read(results[name]));
  await world.end();
  return { found, expected: { answers: everything.answers, ...everything.joined } };
}

describe.each([
  ['with its disk', true],
  ['without a disk', false],
])('every join of tables, restarted %s', (_, keepsDisks) => {
  it.each(Array.from({ length: SEEDS }, (__, seed) => FIRST + seed))('ends with the join of the last rows (seed %i)', async (seed) => {
    const { found, expected } = await live(seed, keepsDisks);
    expect(found).toEqual(expected);
  });
});

describe('a grouped table over a source topic as changelog', () => {
  it('would be wrong once that is compacted: the test finds it', async () => {
    planted.noTakingBack = true;
    try {
      const wrong: number[] = [];
      for (let seed = FIRST; seed < FIRST + 20 && wrong.length === 0; seed++) {
        const { found, expected } = await live(seed, false);
        if (JSON.stringify(found) !== JSON.stringify(expected)) wrong.push(seed);
      }
      expect(wrong).not.toEqual([]);
    } finally {
      planted.noTakingBack = false;
    }
  });
});
