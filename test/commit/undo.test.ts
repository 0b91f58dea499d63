/** Every abort undoes state, outputs, cells and counters, and doing the work again gives the same. */
import { tap } from 'rxjs';
import { countWithStore, to, windowTumbling } from '../../operators';
import type { ApiName } from '../../src/memory/call';
import type { FaultAction } from '../../src/memory/faults';
import type { Topology } from '../../src/task/topology';
import { counting, input, perTenSeconds, record, records, results, windowCounts, windowResults } from './programs';
import { World, type Running } from './world';

let world: World;

beforeEach(() => {
  world = new World();
  world.topics({ input: 1, results: 1 });
});

afterEach(() => world.end());

const values = async (): Promise<number[]> => (await world.read(results)).map(({ value }) => value);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);

/** Runs until three records are committed, then lets `strike` decide what happens to the transaction of the next four. */
async function struck(
  strike: () => void,
  config: { readonly transactionTimeout?: number; readonly requestTimeout?: number } = {},
): Promise<Running> {
  await world.write(input, records('a', 3));
  const one = world.start(counting, config);
  await world.untilCommitted({ input: [3] });
  strike();
  await world.write(input, records('a', 4, 3));
  await world.untilCommitted({ input: [7] });
  return one;
}

describe('an aborted transaction', () => {
  const cases: readonly (readonly [why: string, api: ApiName, action: FaultAction, times: number])[] = [
    ['a Produce is answered with a code nobody expects', 'produce', { kind: 'answer', errorCode: 45 }, 1],
    ['AddPartitions is answered with a code nobody expects', 'addPartitionsToTxn', { kind: 'answer', errorCode: 48 }, 1],
    ['the offsets are refused with a code nobody expects', 'txnOffsetCommit', { kind: 'answer', errorCode: 29 }, 3],
    ['the coordinator says 47 to the offsets', 'txnOffsetCommit', { kind: 'answer', errorCode: 47 }, 1],
    ['the coordinator says 90 to AddOffsets', 'addOffsetsToTxn', { kind: 'answer', errorCode: 90 }, 1],
    ['EndTxn is answered 47', 'endTxn', { kind: 'answer', errorCode: 47 }, 1],
    ['EndTxn is answered 48', 'endTxn', { kind: 'answer', errorCode: 48 }, 1],
  ];

  it.each(cases)('leaves nothing behind when %s', async (_, api, action, times) => {
    const one = await struck(() => world.fault(api, action, ({ clientId }) => clientId === 'one', times));
    expect(await values()).toEqual(upTo(7));
    expect(one.total('abort-total')).toBe(times);
    expect(one.commits.flatMap(({ tasks }) => tasks.map((task) => task.records)).reduce((a, b) => a + b)).toBe(7);
    expect(one.error).toBeUndefined();
  });

  it('leaves nothing behind when nothing is acknowledged until the time is up', async () => {
    const one = await struck(
      () => {
        const fault = world.fault('produce', { kind: 'answer', errorCode: 19 }, ({ clientId }) => clientId === 'one', Infinity);
        world.clock.setTimer(25_000, () => {
          fault.remove();
        });
      },
      { requestTimeout: 20_000, transactionTimeout: 25_000 },
    );
    expect(one.total('abort-total')).toBe(1);
    expect(await values()).toEqual(upTo(7));
  });

  it('leaves nothing behind when the broker ends it for its age (47, then InitProducerId answers 0)', async () => {
    const one = await struck(() => world.fault('produce', { kind: 'delay', ms: 27_000 }, ({ clientId }) => clientId === 'one'), {
      requestTimeout: 20_000,
      transactionTimeout: 25_000,
    });
    expect(one.total('abort-total')).toBe(1);
    expect(await values()).toEqual(upTo(7));
    expect(one.error).toBeUndefined();
  });

  it.each([
    ['had taken effect', { kind: 'lose answer' }],
    ['had taken effect and the connection hangs', { kind: 'lose answer', then: 'hang' }],
    ['had not', { kind: 'fail before' }],
    ['comes late, twice', { kind: 'duplicate later', afterMs: 300 }],
  ] as const)('is none when the answer to EndTxn is lost: the request %s', async (_, action) => {
    const one = await struck(() => world.fault('endTxn', action));
    expect(one.total('abort-total')).toBe(0);
    expect(await values()).toEqual(upTo(7));
  });

  it('is repeated with the same cells and counters: what was late stays late and is counted once', async () => {
    const windows: Topology = ({ stream, store }) =>
      stream(input).pipe(windowTumbling(perTenSeconds), countWithStore(store(windowCounts), { emit: 'close' }), to(windowResults));
    await world.write(input, [record('a', 'v', 0), record('a', 'v', 30_000)]);
    const one = world.start(windows);
    await world.untilCommitted({ input: [2] });
    world.fault('produce', { kind: 'answer', errorCode: 45 }, ({ clientId }) => clientId === 'one', 2);
    // Late, in time, closing, and late again for what it closed.
    await world.write(input, [record('a', 'v', 1), record('a', 'v', 31_000), record('a', 'v', 45_000), record('a', 'v', 32_000)]);
    await world.untilCommitted({ input: [6] });
    expect(one.total('abort-total')).toBe(2);
    expect(one.total('dropped-records-total')).toBe(2);
    expect((await world.read(windowResults)).map(({ key, value }) => [key.start, value])).toEqual([
      [0, 1],
      [30_000, 2],
    ]);
  });

  it('undoes what was pushed meanwhile as well', async () => {
    await world.write(input, records('a', 3));
    let pushed = 0;
    const one = world.start((task) => counting(task).pipe(tap(() => pushed++)));
    await world.untilCommitted({ input: [3] });
    const held = world.fault('endTxn', { kind: 'delay', ms: 300 }, ({ request }) => request.commit);
    await world.write(input, records('a', 2, 3));
    await world.until(() => held.hits === 1);
    await world.write(input, records('a', 2, 5));
    await world.until(() => pushed === 7);
    world.fault('addPartitionsToTxn', { kind: 'answer', errorCode: 48 });
    await world.untilCommitted({ input: [7] });
    expect(one.total('abort-total')).toBe(1);
    expect(pushed).toBe(9);
    await world.until(() => one.commits.length === 3);
    expect(one.commits.flatMap(({ tasks }) => tasks.map((task) => task.records))).toEqual([3, 2, 2]);
    expect(await values()).toEqual(upTo(7));
  });

  it('ends the run when it comes ten times in a row: the same would be done again for ever', async () => {
    await world.write(input, records('a', 3));
    const one = world.start(counting);
    await world.untilCommitted({ input: [3] });
    const refusing = world.fault('txnOffsetCommit', { kind: 'answer', errorCode: 30 }, undefined, Infinity);
    await world.write(input, records('a', 4, 3));
    await one.ended();
    expect(one.error).toMatchObject({ code: 'BROKER_ERROR', message: expect.stringContaining('30') as string });
    expect(one.total('abort-total')).toBe(10);
    refusing.remove();
    await one.close();
    expect(world.committed('input', 0)?.offset).toBe(3);
    world.start(counting);
    await world.untilCommitted({ input: [7] });
    expect(await values()).toEqual(upTo(7));
  });

  it('C4: of a record that the broker refuses for good ends the run, naming it, with nothing of it committed', async () => {
    await world.write(input, records('a', 3));
    const one = world.start(counting);
    await world.untilCommitted({ input: [3] });
    world.fault('produce', { kind: 'answer', errorCode: 10 }, ({ clientId }) => clientId === 'one', Infinity);
    await world.write(input, records('a', 4, 3));
    await one.ended();
    await one.close();
    expect(one.error?.message).toContain('results');
    expect(world.committed('input', 0)?.offset).toBe(3);
    expect(await values()).toEqual(upTo(3));
    expect(one.waiting).toBe(0);
    expect(world.broker.group('app')?.members).toEqual([]);
  });
});

describe('a process that dies', () => {
  it.each(['adding partitions', 'producing', 'adding offsets', 'offsets sent', 'between offsets and EndTxn', 'ending', 'ended'] as const)(
    'C1, C2: at "%s" leaves a transaction that its successor ends at once, and nothing is missing or doubled',
    async (step) => {
      await world.write(input, records('a', 3));
      const one = world.start(counting, { sessionTimeout: 6_000 });
      await world.untilCommitted({ input: [3] });
      const before = one.steps.length;
      await world.write(input, records('a', 4, 3));
      await world.until(() => one.steps.slice(before).includes(step));
      one.kill();
      const died = world.clock.monotonic();
      const again = world.start(counting, { sessionTimeout: 6_000 });
      await world.untilCommitted({ input: [7] });
      // A session's end, not the 45 s of a transaction.
      expect(world.clock.monotonic() - died).toBeLessThan(10_000);
      expect(await values()).toEqual(upTo(7));
      expect(again.error).toBeUndefined();
    },
  );
});
