import type { ProduceRequest } from '../../src/kafka/port';
import { ClusterView } from '../../src/kafka/cluster-view';
import { newPartitionSequence, PartitionQueue } from '../../src/kafka/partition-queue';
import type { BatchToProduce } from '../../src/kafka/produce-outcome';
import { readBatchHeader } from '../../src/kafka/record-batch';
import { silentLogger } from '../../src/model/logger';
import { MovingLeaders } from './moving-leaders';
import { batchOf, fenceOf, Simulated, toProduce } from './simulated';

/** `count` batches of one record each for every partition: p0-0, p0-1 … */
function numbered(partitions: number, count: number): BatchToProduce<string>[] {
  return Array.from({ length: count }, (_, i) => Array.from({ length: partitions }, (_, p) => toProduce('output', p, `p${p}-${i}`))).flat();
}
const expected = (partition: number, count: number): string[] => Array.from({ length: count }, (_, i) => `p${partition}-${i}`);

async function started(options: ConstructorParameters<typeof Simulated>[0] = {}): Promise<Simulated> {
  const world = new Simulated(options);
  world.broker.createTopic('input', 1);
  world.broker.createTopic('output', 4);
  return world;
}

describe('the idempotent producer', () => {
  let world: Simulated;

  afterEach(() => {
    world.close();
  });

  const produced = (): ProduceRequest[] =>
    world.heard.filter(({ api }) => api === 'produce').map(({ request }) => request as ProduceRequest);
  const sequences = (partition: number): number[] =>
    produced()
      .flatMap((request) => request.partitions)
      .filter((each) => each.partition === partition)
      .map(({ records }) => readBatchHeader(Buffer.from(records)).baseSequence);

  it('groups the partitions of one leader into one request, with one batch of each', async () => {
    world = await started();
    const producer = await world.initialised();
    const fence = fenceOf(await world.join());
    await world.commit(producer, fence, 1, ...numbered(4, 3));
    expect(produced().map(({ partitions }) => partitions.length)).toEqual([4, 4, 4]);
  });

  it('splits a request that would become too large, and sends a batch alone that is larger than any request', async () => {
    world = await started();
    const { port, view, clock } = world;
    const { IdempotentProducer } = await import('../../src/kafka/producer');
    const { Deadline } = await import('../../src/kafka/retrying');
    const node = await world.coordinator('transaction', 'x');
    const identity = await world.settle(port.initProducerId(node, { transactionalId: 'x', transactionTimeoutMs: 10_000 }));
    const partitions = [0, 1, 2].map((partition) => ({ topic: 'output', partition }));
    await world.settle(port.addPartitionsToTxn(node, { transactionalId: 'x', ...identity, partitions }));
    const producer = new IdempotentProducer({ port, view, clock, transactionalId: 'x', maxRequestBytes: 1_000 });
    producer.begin(identity);
    const batches = [
      toProduce('output', 0, 'a'.repeat(2_000)),
      toProduce('output', 1, 'b'.repeat(500)),
      toProduce('output', 2, 'c'.repeat(500)),
    ];
    const { outcome } = await world.settle(producer.produce(batches, new Deadline(clock, 10_000)));
    expect(outcome.kind).toBe('written');
    expect(produced().map((request) => request.partitions.map(({ partition }) => partition))).toEqual([[0], [1], [2]]);
  });

  it('numbers records from 0 in a new epoch and goes on from transaction to transaction', async () => {
    world = await started();
    const producer = await world.initialised();
    const fence = fenceOf(await world.join());
    await world.commit(producer, fence, 1, toProduce('output', 0, 'a', 'b', 'c'), toProduce('output', 0, 'd'));
    await world.commit(producer, fence, 2, toProduce('output', 0, 'e'));
    expect(sequences(0)).toEqual([0, 3, 4]);
    world.answer('txnOffsetCommit', 30);
    await world.commit(producer, fence, 3, toProduce('output', 0, 'f'));
    await world.commit(producer, fence, 3, toProduce('output', 0, 'f'));
    expect(sequences(0)).toEqual([0, 3, 4, 5, 0]);
  });

  it('keeps requests in flight without waiting for answers, at most five batches a partition; the first of an epoch goes alone', async () => {
    world = await started({ latencyMs: () => 10 });
    const producer = await world.initialised();
    const fence = fenceOf(await world.join());
    let inFlight = 0;
    const seen: number[] = [];
    const { produce } = world.port;
    world.port.produce = async (node, request) => {
      seen.push(++inFlight);
      return produce.call(world.port, node, request).finally(() => inFlight--);
    };
    await world.commit(producer, fence, 1, ...numbered(1, 20));
    expect(seen.slice(0, 2)).toEqual([1, 1]);
    expect(Math.max(...seen)).toBe(5);
    await world.commit(producer, fence, 2, ...numbered(1, 7));
    expect(seen.slice(20, 25)).toEqual([1, 2, 3, 4, 5]);
  });

  it('K4: many batches at once are all in the log, in order per partition', async () => {
    world = await started({ brokers: 3 });
    const producer = await world.initialised();
    const outcome = await world.commit(producer, fenceOf(await world.join()), 1, ...numbered(4, 50));
    expect(outcome.kind).toBe('committed');
    for (const partition of [0, 1, 2, 3]) expect(await world.committed('output', partition)).toEqual(expected(partition, 50));
  });

  it('K16: 50,000 records in one commit take one request for as many batches as there are partitions', async () => {
    world = await started();
    const producer = await world.initialised();
    const values = Array.from({ length: 2_500 }, (_, i) => `${i}`);
    const batches = Array.from({ length: 20 }, (_, i) => ({ topic: 'output', partition: i % 4, batch: batchOf(...values), source: '' }));
    const outcome = await world.commit(producer, fenceOf(await world.join()), 1, ...batches);
    expect(outcome.kind).toBe('committed');
    expect(produced()).toHaveLength(5);
    expect(await world.committed('output', 3)).toHaveLength(12_500);
  });

  it('K3: lost acknowledgements are repeated with the same bytes; nothing is doubled, lost or exchanged', async () => {
    world = await started();
    const producer = await world.initialised();
    const fence = fenceOf(await world.join());
    let turn = 0;
    world.broker.faults.add({ match: ({ api }) => api === 'produce' && ++turn % 4 === 0, action: { kind: 'lose answer' }, times: 8 });
    const outcome = await world.commit(producer, fence, 1, ...numbered(2, 20));
    expect(outcome.kind).toBe('committed');
    expect(await world.committed('output', 0)).toEqual(expected(0, 20));
    expect(await world.committed('output', 1)).toEqual(expected(1, 20));
  });

  it.each([7, 14, 19, 20, 56])('code %i to one batch: it and those answered 45 behind it are repeated in order', async (code) => {
    world = await started();
    const producer = await world.initialised();
    const fence = fenceOf(await world.join());
    await world.commit(producer, fence, 1, toProduce('output', 0, 'p0-0'));
    let turn = 0;
    world.broker.faults.add({ match: ({ api }) => api === 'produce' && ++turn === 2, action: { kind: 'answer', errorCode: code } });
    const rest = Array.from({ length: 9 }, (_, i) => toProduce('output', 0, `p0-${i + 1}`));
    expect(await world.commit(producer, fence, 2, ...rest)).toMatchObject({ kind: 'committed' });
    expect(await world.committed('output', 0)).toEqual(expected(0, 10));
    // Batch 2 and the four behind it, which were on their way, went out again.
    expect(produced().length).toBeGreaterThan(10);
  });

  it('code 45 to a batch that nothing precedes ends the transaction: the sequence is broken', async () => {
    world = await started();
    const producer = await world.initialised();
    world.answer('produce', 45);
    const outcome = await world.commit(producer, fenceOf(await world.join()), 1, toProduce('output', 0, 'a'));
    expect(outcome).toMatchObject({
      kind: 'aborted',
      reason: { message: expect.stringContaining('OUT_OF_ORDER_SEQUENCE_NUMBER (45)') as string },
    });
  });

  it('an answer without one of the partitions is a breach of the protocol, not a success', async () => {
    world = await started();
    const producer = await world.initialised();
    const fence = fenceOf(await world.join());
    world.port.produce = () => Promise.resolve({ partitions: [] });
    expect(await world.commit(producer, fence, 1, toProduce('output', 0, 'a'))).toMatchObject({
      kind: 'aborted',
      reason: { code: 'PROTOCOL' },
    });
  });

  it('refusals name the record, where the broker does', async () => {
    world = await started();
    const producer = await world.initialised();
    const fence = fenceOf(await world.join());
    world.port.produce = (_node, { partitions }) =>
      Promise.resolve({
        partitions: partitions.map(({ topic, partition }) => ({
          ...{ topic, partition, errorCode: 32, baseOffset: -1, logStartOffset: -1 },
          recordErrors: [{ index: 1, message: 'Timestamp 9 is out of range' }],
          errorMessage: 'One or more records have been rejected',
        })),
      });
    const outcome = await world.commit(producer, fence, 1, toProduce('output', 2, 'a', 'b'));
    expect(outcome).toMatchObject({
      kind: 'refused',
      refusals: [{ topic: 'output', partition: 2, index: 0, code: 32, records: [{ index: 1, message: 'Timestamp 9 is out of range' }] }],
    });
    expect(outcome.kind === 'refused' && outcome.refusals[0]!.error.message).toMatch(
      /INVALID_TIMESTAMP \(32\).*record 1: Timestamp 9.*message\.timestamp/,
    );
  });

  it('sequences go on from 0 behind the largest int32', () => {
    const sequence = { ...newPartitionSequence(), next: 2 ** 31 - 2 };
    const queue = new PartitionQueue<string>('output', 0, sequence);
    for (const [i, batch] of [
      toProduce('output', 0, 'a', 'b'),
      toProduce('output', 0, 'c', 'd', 'e'),
      toProduce('output', 0, 'f'),
    ].entries()) {
      queue.add(i, batch);
    }
    expect(queue.batches.map((batch) => batch.sequence)).toEqual([2 ** 31 - 2, 0, 3]);
    expect(sequence.next).toBe(4);
  });
});

describe('given leaders that move', () => {
  let world: Simulated;
  let cluster: MovingLeaders;

  beforeEach(async () => {
    world = await started();
    cluster = new MovingLeaders(world.port);
  });

  afterEach(() => {
    world.close();
  });

  interface Over {
    readonly view: ClusterView;
    readonly commit: (next: number, ...batches: BatchToProduce<string>[]) => Promise<{ kind: string }>;
  }

  async function over(): Promise<Over> {
    const { clock } = world;
    const view = new ClusterView({ port: cluster.port, clock, logger: silentLogger });
    const producer = await world.initialised({ port: cluster.port, view });
    const fence = fenceOf(await world.join());
    return { view, commit: (next, ...batches) => world.commit(producer, fence, next, ...batches) };
  }

  it('K2: when one leader moves to a broker that has already answered, success means every record is in the log', async () => {
    cluster.move('output', 1, 2);
    const { commit } = await over();
    expect(await commit(1, ...numbered(2, 3))).toMatchObject({ kind: 'committed' });
    cluster.move('output', 1, 1);
    const more = (p: number): BatchToProduce<string>[] => [3, 4, 5].map((i) => toProduce('output', p, `p${p}-${i}`));
    expect(await commit(2, ...more(0), ...more(1))).toMatchObject({ kind: 'committed' });
    for (const partition of [0, 1]) expect(await world.committed('output', partition)).toEqual(expected(partition, 6));
  });

  it('a batch is not sent to the new leader while earlier ones are under way to the old one', async () => {
    world.close();
    world = await started({ latencyMs: () => 10 });
    cluster = new MovingLeaders(world.port);
    const { commit, view } = await over();
    await commit(1, toProduce('output', 0, 'p0-0'));
    // So long that the view asks again at once.
    await world.clock.advance(1_000);
    const { produce } = cluster.port;
    const underWay: number[] = [];
    const together: string[] = [];
    let sent = 0;
    cluster.port.produce = async (node, request) => {
      underWay.push(node);
      together.push([...new Set(underWay)].join(' and '));
      const answer = produce(node, request);
      // The view hears of the move early and by chance, asking for another partition: the old leader still takes what it gets.
      if (++sent === 3) {
        cluster.announce('output', 0, 3);
        world.clock.setTimer(500, () => cluster.move('output', 0, 3));
        view.forgetLeader('output', 1);
        void view.leaderOf('output', 1);
      }
      return answer.finally(() => underWay.splice(underWay.indexOf(node), 1));
    };
    const batches = Array.from({ length: 12 }, (_, i) => toProduce('output', 0, `p0-${i + 1}`));
    expect(await commit(2, ...batches)).toMatchObject({ kind: 'committed' });
    expect(new Set(together)).toEqual(new Set(['1', '3']));
    expect(await world.committed('output', 0)).toEqual(expected(0, 13));
  });

  it('a dead leader that metadata goes on naming for nine seconds costs nine seconds, not the transaction', async () => {
    const { commit } = await over();
    await commit(1, toProduce('output', 0, 'p0-0'));
    cluster.dead.add(1);
    cluster.move('output', 0, 2, 'lags');
    world.clock.setTimer(9_000, () => cluster.show());
    const before = world.clock.monotonic();
    expect(await commit(2, toProduce('output', 0, 'p0-1'))).toMatchObject({ kind: 'committed' });
    expect(world.clock.monotonic() - before).toBeGreaterThan(9_000);
    expect(world.clock.monotonic() - before).toBeLessThan(9_500);
    expect(await world.committed('output', 0)).toEqual(['p0-0', 'p0-1']);
  });
});
