/** What goes on for long, and what comes late or not at all: nothing grows, nothing is forgotten. */
import { countWithStore, lookup, type LookupFetch, mapValues, to } from '../../operators';
import { Instance } from '../../src/commit/instance';
import type { ApiName } from '../../src/memory/call';
import type { FaultAction } from '../../src/memory/faults';
import type { Topology } from '../../src/task/topology';
import { pureRandom } from './chance';
import { copied, counting, countingWindows, counts, input, record, records, results } from './programs';
import { type Running, World } from './world';

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: 1, results: 1 });
});

afterEach(() => {
  jest.restoreAllMocks();
  return world.end();
});

const values = async (): Promise<number[]> => (await world.read(results)).map(({ value }) => value);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

/** Objects that can be reached from one by its properties, and through maps and sets. */
function reachableFrom(root: object): number {
  const seen = new Set<object>([root]);
  const waiting = [root];
  const see = (value: unknown): void => {
    if ((typeof value !== 'object' && typeof value !== 'function') || value === null || seen.has(value)) return;
    seen.add(value);
    waiting.push(value);
  };
  for (let each = waiting.pop(); each !== undefined; each = waiting.pop()) {
    if (ArrayBuffer.isView(each)) continue;
    if (each instanceof Map) each.forEach((value, key) => [key, value].forEach(see));
    if (each instanceof Set) each.forEach(see);
    for (const { value } of Object.values(Object.getOwnPropertyDescriptors(each))) see(value);
  }
  return seen.size;
}

describe('commits', () => {
  /** One for each record. */
  async function commit(one: Running, count: number, from: number): Promise<void> {
    for (let at = from; at < from + count; at++) {
      await world.write(input, [record('a', 'v', at * 1_000)]);
      await world.untilCommitted({ input: [at + 1] });
    }
    // What the world keeps of the past is not the instance's.
    for (const kept of [world.heard, one.commits, one.lines, one.steps]) kept.length = 0;
  }

  it('C7: leave nothing behind: after hundreds the instance holds what it held after some', async () => {
    const started = jest.spyOn(Instance.prototype, 'start');
    const one = world.start(countingWindows);
    const held = (): number => reachableFrom(started.mock.contexts[0] as Instance);
    await commit(one, 50, 0);
    const [objects, metadata, timers] = [held(), world.committed('input', 0)!.metadata.length, one.waiting];
    await commit(one, 200, 50);
    expect(objects).toBeGreaterThan(300);
    expect(held()).toBeLessThan(objects + 100);
    expect(world.committed('input', 0)!.metadata).toHaveLength(metadata);
    expect(one.waiting).toBeLessThanOrEqual(timers + 2);
  });

  const failures: readonly (readonly [ApiName, FaultAction])[] = (
    ['addPartitionsToTxn', 'produce', 'addOffsetsToTxn', 'txnOffsetCommit', 'endTxn'] as const
  ).flatMap((api) => [
    [api, { kind: 'fail before' }],
    [api, { kind: 'lose answer' }],
    // The request timed out at the broker.
    [api, { kind: 'answer', errorCode: 7 }],
    // Given up by the client: the transaction is aborted.
    [api, { kind: 'answer', errorCode: 48 }],
  ]);

  it.each(failures)('C8: that fail at %s by %j forget nothing that was completed', async (api, action) => {
    world.start(counting);
    await world.write(input, records('a', 5));
    await world.untilCommitted({ input: [5] });
    const fault = world.fault(api, action, ({ clientId }) => clientId === 'one', 2);
    for (let round = 1; round < 6; round++) {
      await world.write(input, records('a', 5, round * 5));
      await world.clock.advance(50);
    }
    await world.untilCommitted({ input: [30] });
    expect(fault.hits).toBe(2);
    expect(await values()).toEqual(upTo(30));
  });
});

describe('calls', () => {
  it('C5: whose result never comes end the run, which names operator, partition and offset', async () => {
    const fetch: LookupFetch<string, string> = (id) => (id === 'v1' ? new Promise(() => undefined) : Promise.resolve(`${id}!`));
    await world.write(input, records('a', 3));
    const one = world.start(({ stream }) =>
      stream(input).pipe(
        lookup(fetch, { id: (value) => value, timeout: 5_000 }),
        mapValues(([, answer]) => answer),
        to(copied),
      ),
    );
    await one.ended();
    await world.until(() => one.state === 'failed');
    expect(one.error).toMatchObject({
      code: 'LOOKUP_TIMEOUT',
      where: { operator: 'lookup', topic: 'input', partition: 0, offset: 1 },
    });
    expect((await world.read(copied)).map(({ value }) => value)).toEqual(['v0!']);
  });

  it.each([1, 2, 3])('S10: that overlap for one key and end in any order lose no update of it (chance %i)', async (seed) => {
    const chance = pureRandom(seed);
    const answers: (() => void)[] = [];
    const overlapping: Topology = ({ stream, store }) =>
      stream(input).pipe(
        lookup(() => new Promise<string>((resolve) => answers.push(() => resolve(''))), { id: (value) => value, concurrency: 10 }),
        countWithStore(store(counts)),
        to(results),
      );
    await world.write(input, records('a', 200));
    world.start(overlapping);
    for (let left = 200; left > 0; left--) {
      await world.clock.advance(chance.below(10));
      await world.until(() => answers.length > 0);
      answers.splice(chance.below(answers.length), 1)[0]!();
    }
    await world.untilCommitted({ input: [200] });
    expect(await values()).toEqual(upTo(200));
  });
});
