/** Watermark mode, whatever goes wrong, in whatever order. A seed gives a run; the seed of one that fails is in its name. */
import type { ApiName } from '../../src/memory/call';
import type { FaultAction } from '../../src/memory/faults';
import type { KafkaRecord } from '../../src/model/record';
import type { WatermarkOptions } from '../../src/model/topic';
import { type Chance, pureRandom } from './chance';
import { keysOf, record } from './programs';
import { closed, closingBehind, closingBehindTwo, expectedWindows, inputWith, late, lateOnes } from './watermarks';
import { type Running, World } from './world';

/** More by `MILLRACE_SEEDS=300 MILLRACE_FIRST_SEED=1 npx jest test/commit/watermark-faults.test.ts`. */
const SEEDS = Number(process.env['MILLRACE_SEEDS'] ?? 3);
const FIRST = Number(process.env['MILLRACE_FIRST_SEED'] ?? 1);

const PARTITIONS = 3;
const DISORDER = 3_000;
const END = 1_000_000;
const QUICK = { sessionTimeout: 6_000, heartbeatInterval: 500, requestTimeout: 20_000, transactionTimeout: 25_000 };
const keys = Array.from({ length: PARTITIONS }, (_, partition) => keysOf(partition, PARTITIONS)[0] as string);

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
];

const actions: readonly FaultAction[] = [
  { kind: 'fail before' },
  { kind: 'lose answer' },
  { kind: 'lose answer', then: 'hang' },
  { kind: 'delay', ms: 700 },
  { kind: 'delay', ms: 8_000 },
  { kind: 'duplicate later', afterMs: 300 },
];

const seeds = Array.from({ length: SEEDS }, (_, at) => FIRST + at);

/** Rounds of records, each partition in a time of its own, with a fault, a death or a newcomer in between. Gives all that was written. */
async function disturbed(world: World, chance: Chance, watermark: WatermarkOptions, program = closingBehind) {
  const topology = program(watermark);
  const input = inputWith(watermark);
  const side = inputWith(watermark, 'side');
  const alive = new Map<string, Running>();
  const start = (name: string): void => void alive.set(name, world.start(topology, { ...QUICK, name }));
  const revive = (): void => {
    for (const [name, running] of alive) if (running.error !== undefined) start(name);
  };
  const times = keys.map(() => 5_000);
  const all: KafkaRecord<string, string>[] = [];
  const written = { input: [] as KafkaRecord<string, string>[], side: [] as KafkaRecord<string, string>[] };
  start('p0');
  for (let round = 0; round < 25; round++) {
    const batch = Array.from({ length: chance.below(15) }, () => {
      const at = chance.below(PARTITIONS);
      times[at]! += chance.below(2_500);
      return record(keys[at] as string, `v${String(chance.below(3))}`, times[at]! - chance.below(DISORDER));
    });
    all.push(...batch);
    // Of two topics, where the program reads a second one.
    const aside = program === closingBehindTwo ? chance.below(batch.length + 1) : 0;
    await world.write(side, batch.slice(0, aside));
    await world.write(input, batch.slice(aside));
    written.input.push(...batch.slice(aside));
    written.side.push(...batch.slice(0, aside));
    const dice = chance.below(10);
    if (dice < 4) {
      const api = apis[chance.below(apis.length)] as ApiName;
      world.fault(api, actions[chance.below(actions.length)] as FaultAction, ({ clientId }) => clientId.startsWith('p'));
    } else if (dice === 4) {
      const [name, running] = [...alive][chance.below(alive.size)] as [string, Running];
      running.kill();
      start(name);
    } else if (dice === 5) {
      // Dead for a while: nobody reads its partitions, and what it has said still stands.
      [...alive.values()][chance.below(alive.size)]!.kill();
      start(`p${String(alive.size)}`);
    } else if (dice === 6 && alive.size < 3) {
      start(`p${String(alive.size)}`);
    }
    revive();
    await world.clock.advance(chance.below(3_000));
  }
  world.broker.faults.clear();
  const last = keys.map((key) => record(key, 'end', END + DISORDER));
  for (const [to, into] of [
    [input, written.input],
    [side, written.side],
  ] as const) {
    if (to === side && program !== closingBehindTwo) continue;
    await world.write(to, last);
    into.push(...last);
  }
  const isThrough = (): boolean =>
    (['input', 'side'] as const).every((name) =>
      keys.every((key, at) => {
        const next = written[name].filter((each) => each.key === key).length;
        return next === 0 || (world.committed(name, at)?.offset ?? -1) >= next;
      }),
    );
  for (let waited = 0; waited < 300 && !isThrough(); waited++) {
    revive();
    await world.clock.advance(1_000);
  }
  for (let waited = 0; waited < 20; waited++) {
    revive();
    await world.clock.advance(1_000);
  }
  return all;
}

describe('under any faults, kills and joins', () => {
  let world: World;

  beforeEach(() => {
    world = new World();
    world.topics({ input: PARTITIONS, side: PARTITIONS, results: 1, [late.name]: 1 });
  });

  afterEach(() => world.end());

  it.each(seeds)('bounded disorder gives every window whole, once, with 0 late (seed %i)', async (seed) => {
    const all = await disturbed(world, pureRandom(seed), { outOfOrderness: DISORDER });
    expect([await closed(world), await lateOnes(world)]).toEqual([expectedWindows(all, ({ value }) => value, END), []]);
  });

  it.each(seeds)('bounded disorder gives every window whole, behind two repartitions of two topics (seed %i)', async (seed) => {
    const all = await disturbed(world, pureRandom(seed), { outOfOrderness: DISORDER }, closingBehindTwo);
    expect([await closed(world), await lateOnes(world)]).toEqual([expectedWindows(all, ({ value }) => value, END), []]);
  });

  it.each(seeds)(
    'with idle partitions each record is in its window or with the late ones, and no window opens again (seed %i)',
    async (seed) => {
      const all = await disturbed(world, pureRandom(seed), { outOfOrderness: DISORDER, idleAfter: 1_000 });
      const found = await closed(world);
      const refused = await lateOnes(world);
      const counts = new Map(expectedWindows(refused, ({ value }) => value, END).map((each) => split(each)));
      for (const [id, count] of found.map(split)) {
        expect(counts.has(`${id} emitted`)).toBe(false);
        counts.set(`${id} emitted`, 0);
        counts.set(id, (counts.get(id) ?? 0) + count);
      }
      const summed = [...counts].filter(([id]) => !id.endsWith('emitted')).map(([id, count]) => `${id}: ${String(count)}`);
      expect(summed.sort()).toEqual(expectedWindows(all, ({ value }) => value, END));
    },
  );
});

function split(text: string): [id: string, count: number] {
  const at = text.lastIndexOf(': ');
  return [text.slice(0, at), Number(text.slice(at + 2))];
}
