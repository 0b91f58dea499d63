import fc from 'fast-check';
import { OffsetReader } from '../../src/kafka/offsets';
import type { BatchToProduce } from '../../src/kafka/produce-outcome';
import type { FaultAction } from '../../src/memory/faults';
import { fenceOf, GROUP, offset, Simulated, toProduce } from '../kafka-protocol/simulated';

/** What one transaction writes: `count` records for each of so many partitions, one record a batch. */
function work(name: string, partitions: number, count: number): BatchToProduce<string>[] {
  return Array.from({ length: count }, (_, i) =>
    Array.from({ length: partitions }, (_unused, p) => toProduce('output', p, `${name}-p${p}-${i}`)),
  ).flat();
}

describe('the producer, given any faults', () => {
  const action: fc.Arbitrary<FaultAction | undefined> = fc.oneof(
    { weight: 6, arbitrary: fc.constant(undefined) },
    fc.constant<FaultAction>({ kind: 'fail before' }),
    fc.constant<FaultAction>({ kind: 'lose answer' }),
    fc.constant<FaultAction>({ kind: 'lose answer', then: 'hang' }),
    fc.integer({ min: 1, max: 3_000 }).map((afterMs): FaultAction => ({ kind: 'duplicate later', afterMs })),
    fc.constantFrom(3, 5, 6, 7, 14, 19, 20, 56, 47, 48, 10).map((errorCode): FaultAction => ({ kind: 'answer', errorCode })),
    fc.integer({ min: 1, max: 60_000 }).map((ms): FaultAction => ({ kind: 'delay', ms })),
  );

  it('what is committed is in the log once and in order, what is not is not there', async () => {
    const transactions = fc.array(fc.record({ partitions: fc.integer({ min: 1, max: 3 }), count: fc.integer({ min: 1, max: 8 }) }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(transactions, fc.array(action, { maxLength: 40 }), async (sizes, plan) => {
        const world = new Simulated({ requestTimeoutMs: 20_000 });
        world.broker.createTopic('input', 1);
        world.broker.createTopic('output', 3);
        const producer = await world.initialised();
        const member = await world.join();
        const faults = plan[Symbol.iterator]();
        const transactional = new Set(['addPartitionsToTxn', 'produce', 'addOffsetsToTxn', 'txnOffsetCommit', 'endTxn', 'initProducerId']);
        let next: FaultAction | undefined;
        // One fault that changes what it does with each request it strikes.
        world.broker.faults.add({
          match: ({ api }) => {
            if (!transactional.has(api)) return false;
            next = faults.next().value ?? undefined;
            // Only Produce may be refused, or told that its leader is elsewhere.
            if (next?.kind === 'answer' && api !== 'produce') next = undefined;
            return next !== undefined;
          },
          get action(): FaultAction {
            return next!;
          },
          times: Infinity,
        });
        const offsets = new OffsetReader(world);
        const log: string[][] = [[], [], []];
        let committedOffset = 0;
        for (const [t, { partitions, count }] of sizes.entries()) {
          // Until it is committed, as a task would do its work again.
          for (let attempt = 0; attempt < 60; attempt++) {
            const batches = work(`t${t}`, partitions, count);
            const kind = await world.commit(producer, fenceOf(member), t + 1, ...batches).then(
              (outcome) => outcome.kind,
              () => 'unknown',
            );
            // Not settled within its budget: as after a restart, the producer recovers and the committed offset tells.
            while (producer.state === 'RECOVERING') await world.settle(producer.recover().catch(() => undefined));
            const isThere =
              kind === 'unknown' && (await world.settle(offsets.committedOffsets(GROUP, [offset(0, 0)])))[0]!.offset === t + 1;
            if (kind === 'committed' || isThere) {
              batches.forEach((each) => log[each.partition]!.push(each.source));
              committedOffset = t + 1;
              break;
            }
            expect(['aborted', 'refused', 'unknown']).toContain(kind);
          }
        }
        world.broker.faults.clear();
        await world.clock.advance(120_000);
        for (const partition of [0, 1, 2]) expect(await world.committed('output', partition)).toEqual(log[partition]);
        expect(world.committedOffset() ?? 0).toBe(committedOffset);
        expect(committedOffset).toBe(sizes.length);
        world.close();
      }),
      { numRuns: 150 },
    );
  }, 120_000);
});
