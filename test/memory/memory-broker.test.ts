import { BatchBuilder, stamp } from '../../src/kafka/batch-encode';
import { readBatchHeader } from '../../src/kafka/record-batch';
import type { Compression } from '../../src/kafka/compression';
import type {
  FetchPartitionAnswer,
  KafkaPort,
  ListOffsetsAnswer,
  NodeId,
  ProducePartitionAnswer,
  TopicPartition,
} from '../../src/kafka/port';
import type { Call } from '../../src/memory/call';
import { memoryBroker, type MemoryBroker, type MemoryBrokerOptions } from '../../src/memory/memory-broker';
import { type ManualClock, manualClock } from '../../src/time/manual-clock';
import { Driven } from './driven';

const AT: TopicPartition = { topic: 'events', partition: 0 };

interface Written {
  readonly producerId?: bigint;
  readonly producerEpoch?: number;
  readonly compression?: Compression;
}

/** A broker with the topic `events`, and one client of it. */
class Setup {
  readonly clock: ManualClock;
  readonly broker: MemoryBroker;
  readonly driven: Driven;
  readonly port: KafkaPort;

  constructor(options: Partial<MemoryBrokerOptions> & { readonly seed?: number; readonly partitions?: number } = {}) {
    this.clock = manualClock({ seed: options.seed ?? 1 });
    this.broker = memoryBroker({ ...options, clock: this.clock });
    this.broker.createTopic(AT.topic, options.partitions ?? 1);
    this.driven = new Driven(this.clock);
    this.port = this.driven.port(this.broker.connect('client'));
  }

  batch(values: readonly (string | { readonly value: string; readonly timestamp: number })[], written: Written = {}): Buffer {
    const builder = new BatchBuilder();
    for (const each of values) {
      if (typeof each === 'string') builder.append(this.clock.now(), null, each);
      else builder.append(each.timestamp, null, each.value);
    }
    const transactional = written.producerId !== undefined;
    const batch = builder.finish({ compression: written.compression ?? 'none', transactional });
    stamp(batch, written.producerId ?? -1n, written.producerEpoch ?? -1, transactional ? 0 : -1);
    return Buffer.from(batch.bytes);
  }

  async produce(records: Buffer, to = AT, node: NodeId = 1, transactionalId: string | null = null): Promise<ProducePartitionAnswer> {
    return (await this.port.produce(node, { transactionalId, timeoutMs: 1_000, partitions: [{ ...to, records }] })).partitions[0]!;
  }

  async fetch(from: TopicPartition & { readonly offset?: number } = AT, maxWaitMs = 0, node: NodeId = 1): Promise<FetchPartitionAnswer> {
    const partitions = [{ offset: 0, maxBytes: 1 << 20, leaderEpoch: -1, ...from }];
    return (await this.port.fetch(node, { maxWaitMs, minBytes: 1, maxBytes: 1 << 20, readCommitted: true, partitions }, 'input'))
      .partitions[0]!;
  }

  async listOffsets(timestamp: number, of = AT): Promise<ListOffsetsAnswer['partitions'][number]> {
    return (await this.port.listOffsets(1, { readCommitted: true, partitions: [{ ...of, timestamp }] })).partitions[0]!;
  }

  /** An open transaction with one record on each of the partitions. */
  async open(transactionalId: string, partitions: readonly TopicPartition[], timeoutMs = 60_000): Promise<Transaction> {
    const request = { transactionalId, transactionTimeoutMs: timeoutMs };
    const { producerId, producerEpoch } = await this.port.initProducerId(1, request);
    const transaction = { transactionalId, producerId, producerEpoch };
    await this.port.addPartitionsToTxn(1, { ...transaction, partitions });
    for (const each of partitions) await this.produce(this.batch([transactionalId], transaction), each, 1, transactionalId);
    return transaction;
  }
}

interface Transaction {
  readonly transactionalId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
}

describe('the memory broker', () => {
  it('answers a request in later turns of the clock only, never while it is being asked', async () => {
    const { clock, broker } = new Setup();
    const port = broker.connect('other');
    let isAnswered = false;
    void port.metadata(['events']).then(() => (isAnswered = true));
    expect(clock.waiting().immediates).toBe(1);
    await clock.settle();
    expect(isAnswered).toBe(true);
    expect(clock.monotonic()).toBe(0);
  });

  it('keeps its bytes to itself: neither writer nor reader can change the log afterwards', async () => {
    const setup = new Setup();
    const sent = setup.batch(['kept']);
    await setup.produce(sent);
    const kept = Buffer.from(setup.broker.partition(AT)!.batches[0]!);
    sent.fill(7);
    (await setup.fetch()).records.fill(7);
    setup.broker.partition(AT)!.batches[0]!.fill(7);
    expect(setup.broker.partition(AT)!.batches).toEqual([kept]);
    expect((await setup.fetch()).records).toEqual(kept);
  });

  it('lets a decided transaction become visible turn by turn, partition by partition', async () => {
    const setup = new Setup({ partitions: 3, markerDelayMs: 10 });
    const partitions = [0, 1, 2].map((partition) => ({ topic: 'events', partition }));
    const transaction = await setup.open('t', partitions);
    expect((await setup.port.endTxn(1, { ...transaction, commit: true })).errorCode).toBe(0);
    const stable = (): number => partitions.filter((each) => setup.broker.partition(each)!.lastStableOffset === 2).length;
    expect(stable()).toBe(0);
    for (const count of [1, 2, 3]) {
      expect(await setup.port.addOffsetsToTxn(1, { ...transaction, groupId: 'g' })).toEqual({ errorCode: 51 });
      await setup.clock.advance(10);
      expect(stable()).toBe(count);
    }
    expect(setup.broker.transactions()[0]).toMatchObject({ transactionalId: 't', state: 'preparing commit' });
    await setup.clock.advance(10);
    expect(setup.broker.transactions()[0]).toMatchObject({ transactionalId: 't', state: 'committed', partitions: [] });
    expect((await setup.port.endTxn(1, { ...transaction, commit: true })).errorCode).toBe(0);
  });

  it('shows which transactions are open, and where', async () => {
    const setup = new Setup();
    const { producerId, producerEpoch } = await setup.open('t', [AT]);
    expect(setup.broker.transactions()).toEqual([
      { transactionalId: 't', producerId, producerEpoch, state: 'ongoing', partitions: [AT], groups: [] },
    ]);
    expect(setup.broker.partition(AT)).toMatchObject({
      lastStableOffset: 0,
      highWatermark: 1,
      openTransactions: [{ producerId, firstOffset: 0 }],
    });
  });

  it('aborts a transaction exactly when its timeout is over, in a new epoch', async () => {
    const setup = new Setup({ markerDelayMs: 1 });
    const start = setup.clock.monotonic();
    const transaction = await setup.open('t', [AT], 5_000);
    await setup.clock.advance(4_999 - (setup.clock.monotonic() - start));
    expect(setup.broker.transactions()[0]).toMatchObject({ state: 'ongoing', producerEpoch: transaction.producerEpoch });
    await setup.clock.advance(10);
    expect(setup.broker.transactions()[0]).toMatchObject({ state: 'aborted', producerEpoch: transaction.producerEpoch + 1 });
    expect((await setup.fetch()).aborted).toEqual([{ producerId: transaction.producerId, firstOffset: 0 }]);
  });

  it('answers a node that does not lead 6, one that does not coordinate 16', async () => {
    const setup = new Setup({ brokers: 3, partitions: 3 });
    const { topics, brokers } = await setup.port.metadata(['events']);
    expect(brokers.map(({ nodeId }) => nodeId)).toEqual([1, 2, 3]);
    const leaders = topics[0]!.partitions.map(({ leader }) => leader);
    expect([...leaders].sort()).toEqual([1, 2, 3]);
    const wrong = (leader: NodeId): NodeId => (leader % 3) + 1;
    expect((await setup.produce(setup.batch(['x']), AT, wrong(leaders[0]!))).errorCode).toBe(6);
    expect((await setup.produce(setup.batch(['x']), AT, leaders[0])).errorCode).toBe(0);
    expect((await setup.fetch(AT, 0, wrong(leaders[0]!))).errorCode).toBe(6);
    const group = await setup.port.findCoordinator({ key: 'g', type: 'group' });
    const member = { groupId: 'g', memberId: 'm', generationId: 1, groupInstanceId: null };
    expect((await setup.port.heartbeat(wrong(group.nodeId), member)).errorCode).toBe(16);
    expect((await setup.port.heartbeat(group.nodeId, member)).errorCode).toBe(25);
    const init = { transactionalId: 't', transactionTimeoutMs: 1_000 };
    const transaction = await setup.port.findCoordinator({ key: 't', type: 'transaction' });
    expect((await setup.port.initProducerId(wrong(transaction.nodeId), init)).errorCode).toBe(16);
    expect((await setup.port.initProducerId(transaction.nodeId, init)).errorCode).toBe(0);
  });

  it('cannot be asked at a node it does not have', async () => {
    const setup = new Setup();
    await expect(setup.produce(setup.batch(['x']), AT, 4)).rejects.toMatchObject({ code: 'DISCONNECTED', retryable: true });
  });

  it('puts its own time in place of the records’ with message.timestamp.type=LogAppendTime', async () => {
    const setup = new Setup();
    const to = { topic: 'stamped', partition: 0 };
    setup.broker.createTopic(to.topic, 1, { 'message.timestamp.type': 'LogAppendTime' });
    await setup.produce(setup.batch([{ value: 'a', timestamp: 5 }]), to);
    const now = setup.clock.now();
    expect(readBatchHeader((await setup.fetch(to)).records)).toMatchObject({ attributes: 0x08, maxTimestamp: now });
    expect(await setup.listOffsets(now, to)).toMatchObject({ offset: 0, timestamp: now });
  });

  it.each(['gzip', 'lz4'] as const)('finds times inside %s', async (compression) => {
    const setup = new Setup();
    const base = setup.clock.now() - 1_000;
    const values = Array.from({ length: 50 }, (_, i) => ({ value: 'x'.repeat(100), timestamp: base + i }));
    await setup.produce(setup.batch(values, { compression }));
    expect(readBatchHeader((await setup.fetch()).records).attributes & 7).not.toBe(0);
    expect(await setup.listOffsets(base + 31)).toMatchObject({ offset: 31, timestamp: base + 31 });
  });

  it('refuses records that are not what the header says: 87', async () => {
    const setup = new Setup();
    const records = setup.batch(['a', 'b']);
    const builder = new BatchBuilder();
    builder.append(1, null, 'a');
    const one = builder.finish({ compression: 'none', transactional: false });
    one.bytes.writeInt32BE(2, 57); // the count
    stamp(one, -1n, -1, -1);
    expect((await setup.produce(Buffer.from(one.bytes))).errorCode).toBe(87);
    expect((await setup.produce(records)).errorCode).toBe(0);
  });

  it('tells a fetch that waits when its topic is deleted', async () => {
    const setup = new Setup();
    const waiting = setup.fetch(AT, 10_000);
    await setup.port.deleteTopics(['events'], 1_000);
    expect((await waiting).errorCode).toBe(3);
    expect(setup.clock.monotonic()).toBe(0);
  });

  it('ends a transaction over a topic that was deleted', async () => {
    const setup = new Setup();
    const transaction = await setup.open('t', [AT]);
    await setup.port.deleteTopics(['events'], 1_000);
    expect((await setup.port.endTxn(1, { ...transaction, commit: true })).errorCode).toBe(0);
    await setup.clock.settle();
    expect(setup.broker.transactions()[0]!.state).toBe('committed');
  });

  it('forgets the offsets of a deleted topic, and those that expire', async () => {
    const setup = new Setup();
    setup.broker.createTopic('others', 1);
    const identity = { groupId: 'g', memberId: '', generationId: -1, groupInstanceId: null };
    const offsets = ['events', 'others'].map((topic) => ({ topic, partition: 0, offset: 3, metadata: 'm' }));
    await setup.port.offsetCommit(1, { ...identity, partitions: offsets });
    await setup.port.deleteTopics(['events'], 1_000);
    expect(setup.broker.group('g')!.committed.map(({ topic }) => topic)).toEqual(['others']);
    setup.broker.expireOffsets('g');
    const answer = await setup.port.offsetFetch(1, { groupId: 'g', requireStable: true, partitions: [{ topic: 'others', partition: 0 }] });
    expect(answer.partitions[0]).toMatchObject({ errorCode: 0, offset: -1, metadata: '' });
  });

  it('says why a topic cannot be created', () => {
    const { broker } = new Setup();
    expect(() => broker.createTopic('events', 1)).toThrow(/BROKER_ERROR.*events.*already exists/);
  });

  it('K18 has no timer when nobody waits, is a member or has a transaction open', async () => {
    const setup = new Setup();
    const transaction = await setup.open('t', [AT]);
    await setup.port.endTxn(1, { ...transaction, commit: true });
    const join = { groupId: 'g', groupInstanceId: null, sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 6_000, protocolType: 'consumer' };
    const protocols = [{ name: 'p', metadata: Buffer.alloc(0) }];
    const { memberId } = await setup.port.joinGroup(1, { ...join, memberId: '', protocols });
    const { generationId } = await setup.port.joinGroup(1, { ...join, memberId, protocols });
    const member = { groupId: 'g', memberId, generationId, groupInstanceId: null };
    await setup.port.syncGroup(1, { ...member, assignments: [] });
    expect(setup.clock.waiting().timers).toBeGreaterThan(0);
    await setup.port.leaveGroup(1, { groupId: 'g', members: [{ memberId, groupInstanceId: null }] });
    await setup.fetch({ ...AT, offset: 2 }, 100);
    await setup.clock.settle();
    expect(setup.clock.waiting()).toEqual({ immediates: 0, timers: 0 });
  });

  it('ends with everything it has set: requests under way are rejected, no timer is left', async () => {
    const setup = new Setup();
    await setup.open('t', [AT]);
    const port = setup.broker.connect('other');
    const partitions = [{ ...AT, offset: 1, maxBytes: 100, leaderEpoch: -1 }];
    const waiting = port.fetch(1, { maxWaitMs: 10_000, minBytes: 1, maxBytes: 100, readCommitted: true, partitions }, 'input');
    await setup.clock.settle();
    setup.broker.close();
    await expect(waiting).rejects.toMatchObject({ code: 'DISCONNECTED' });
    await expect(port.metadata([])).rejects.toMatchObject({ code: 'DISCONNECTED' });
    expect(setup.clock.waiting()).toEqual({ immediates: 0, timers: 0 });
  });

  it('keeps the order of a lane whatever the way takes', async () => {
    const setup: Setup = new Setup({
      seed: 9,
      latencyMs: (call: Call) => (call.api === 'produce' ? Math.floor(setup.clock.random() * 20) : 0),
    });
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => setup.produce(setup.batch([String(i)]))));
    expect(answers.map(({ baseOffset }) => baseOffset)).toEqual(answers.map((_, i) => i));
    expect(setup.clock.monotonic()).toBeGreaterThan(0);
  });

  it('does the same thing again under the same seed', async () => {
    const run = async (seed: number): Promise<string> => {
      const setup: Setup = new Setup({ seed, partitions: 4, latencyMs: () => Math.floor(setup.clock.random() * 5) });
      const partitions = [0, 1, 2, 3].map((partition) => ({ topic: 'events', partition }));
      const trace: string[] = [];
      const transactions = await Promise.all(['a', 'b', 'c'].map((id) => setup.open(id, partitions)));
      await Promise.all(
        transactions.map(async (transaction, i) => {
          await setup.port.endTxn(1, { ...transaction, commit: i > 0 });
          trace.push(`${transaction.transactionalId} at ${String(setup.clock.monotonic())}`);
        }),
      );
      await setup.clock.advance(100);
      for (const each of partitions)
        trace.push(
          setup.broker
            .partition(each)!
            .batches.map((bytes) => bytes.toString('hex'))
            .join(),
        );
      return trace.join('\n');
    };
    expect(await run(5)).toBe(await run(5));
    expect(await run(5)).not.toBe(await run(6));
  });
});
