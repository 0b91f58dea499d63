import { BatchBuilder, stamp } from '../../src/kafka/batch-encode';
import type { FetchAnswer, KafkaPort, ProduceAnswer } from '../../src/kafka/port';
import type { FaultAction } from '../../src/memory/faults';
import { memoryBroker, type MemoryBroker } from '../../src/memory/memory-broker';
import { type ManualClock, manualClock } from '../../src/time/manual-clock';
import { Driven } from './driven';

const TOPIC = 'events';
const AT = { topic: TOPIC, partition: 0 };

function batch(value: string): Buffer {
  const builder = new BatchBuilder();
  builder.append(1, null, value);
  const encoded = builder.finish({ compression: 'none', transactional: false });
  stamp(encoded, -1n, -1, -1);
  return Buffer.from(encoded.bytes);
}

describe('a fault on the memory broker', () => {
  let clock: ManualClock;
  let broker: MemoryBroker;
  let port: KafkaPort;
  let driven: Driven;

  beforeEach(() => {
    clock = manualClock();
    broker = memoryBroker({ clock, requestTimeoutMs: 20_000 });
    broker.createTopic(TOPIC, 1);
    driven = new Driven(clock);
    port = driven.port(broker.connect('client'));
  });
  afterEach(() => {
    broker.close();
  });

  const produce = (value: string, to = port): Promise<ProduceAnswer> =>
    to.produce(1, { transactionalId: null, timeoutMs: 1_000, partitions: [{ ...AT, records: batch(value) }] });
  const fetch = (offset: number, maxWaitMs: number): Promise<FetchAnswer> =>
    port.fetch(
      1,
      { maxWaitMs, minBytes: 1, maxBytes: 1_000, readCommitted: false, partitions: [{ ...AT, offset, maxBytes: 1_000, leaderEpoch: -1 }] },
      'input',
    );
  const strike = (action: FaultAction, times = 1): ReturnType<MemoryBroker['faults']['add']> =>
    broker.faults.add({ match: (call) => call.api === 'produce', action, times });
  const written = (): number => broker.partition(AT)!.highWatermark;
  const DISCONNECTED = { code: 'DISCONNECTED', retryable: true };
  const TIMED_OUT = { code: 'REQUEST_TIMED_OUT', retryable: true };

  it('fails a request before it has an effect', async () => {
    strike({ kind: 'fail before' });
    await expect(produce('a')).rejects.toMatchObject(DISCONNECTED);
    expect(written()).toBe(0);
    expect((await produce('a')).partitions[0]).toMatchObject({ errorCode: 0, baseOffset: 0 });
  });

  it('breaks the connection: what was sent behind fails too, and has no effect', async () => {
    strike({ kind: 'fail before' });
    const answers = await Promise.allSettled([produce('a'), produce('b'), produce('c')]);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    await clock.settle();
    expect(written()).toBe(0);
  });

  it('does not break other lanes', async () => {
    strike({ kind: 'fail before' });
    const reading = fetch(0, 100);
    await expect(produce('a')).rejects.toMatchObject(DISCONNECTED);
    expect((await reading).errorCode).toBe(0);
  });

  it('loses the answer to a request that took effect', async () => {
    strike({ kind: 'lose answer' });
    await expect(produce('a')).rejects.toMatchObject(DISCONNECTED);
    expect(written()).toBe(1);
  });

  it('loses it by silence: the caller hears of its timeout', async () => {
    strike({ kind: 'lose answer', then: 'hang' });
    const start = clock.monotonic();
    await expect(produce('a')).rejects.toMatchObject(TIMED_OUT);
    expect(clock.monotonic() - start).toBe(20_000);
    expect(written()).toBe(1);
    expect((await produce('b')).partitions[0]).toMatchObject({ baseOffset: 1 });
  });

  it('hangs: no effect, and what waits behind goes down with the connection', async () => {
    strike({ kind: 'hang' });
    const [first, second] = await Promise.allSettled([produce('a'), produce('b')]);
    expect(first).toMatchObject({ reason: TIMED_OUT });
    expect(second).toMatchObject({ reason: DISCONNECTED });
    await clock.advance(60_000);
    expect(written()).toBe(0);
  });

  it('hangs for a while: the answers come late, in their order', async () => {
    strike({ kind: 'hang', executeAfterMs: 5_000 });
    const answers = await Promise.all([produce('a'), produce('b')]);
    expect(answers.map(({ partitions }) => partitions[0]!.baseOffset)).toEqual([0, 1]);
    expect(clock.monotonic()).toBe(5_000);
  });

  it('hangs beyond the timeout: the broker executes what it has received, after the retry', async () => {
    strike({ kind: 'hang', executeAfterMs: 25_000 });
    const lost = await Promise.allSettled([produce('a'), produce('b')]);
    expect(lost.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await produce('a');
    expect(written()).toBe(1);
    await clock.advance(10_000);
    expect(written()).toBe(3);
  });

  it('delays a request and those behind it in its lane, nothing else', async () => {
    strike({ kind: 'delay', ms: 500 });
    const order: string[] = [];
    const note = (what: string): (() => number) => {
      return () => order.push(`${what} at ${String(clock.monotonic())}`);
    };
    await Promise.all([produce('a').then(note('a')), produce('b').then(note('b')), port.metadata([TOPIC]).then(note('metadata'))]);
    expect(order).toEqual(['metadata at 0', 'a at 500', 'b at 500']);
  });

  it('executes an old copy after the retry', async () => {
    strike({ kind: 'duplicate later', afterMs: 100 });
    await expect(produce('a')).rejects.toMatchObject(DISCONNECTED);
    await produce('a');
    expect(written()).toBe(1);
    await clock.advance(100);
    expect(written()).toBe(2);
  });

  it('answers with a code, without effect', async () => {
    strike({ kind: 'answer', errorCode: 6 });
    expect((await produce('a')).partitions).toEqual([expect.objectContaining({ ...AT, errorCode: 6, baseOffset: -1 })]);
    expect(written()).toBe(0);
  });

  it('strikes as often as it is told, and can be taken back', async () => {
    const twice = strike({ kind: 'answer', errorCode: 6 }, 2);
    const codes = [];
    for (let i = 0; i < 3; i++) codes.push((await produce('a')).partitions[0]!.errorCode);
    expect({ codes, hits: twice.hits }).toEqual({ codes: [6, 6, 0], hits: 2 });
    const always = strike({ kind: 'answer', errorCode: 6 }, Infinity);
    await produce('a');
    always.remove();
    expect((await produce('a')).partitions[0]!.errorCode).toBe(0);
    expect(always.hits).toBe(1);
  });

  it('sees the request it strikes: client, node, lane and contents', async () => {
    const seen: unknown[] = [];
    broker.faults.add({
      match: (call) => {
        if (call.api === 'findCoordinator') seen.push(call);
        return false;
      },
      action: { kind: 'fail before' },
    });
    await port.findCoordinator({ key: 'g', type: 'group' });
    expect(seen).toEqual([{ api: 'findCoordinator', node: 1, clientId: 'client', lane: 'prompt', request: { key: 'g', type: 'group' } }]);
  });

  it('strikes every kind of request alike', async () => {
    broker.faults.add({ match: () => true, action: { kind: 'answer', errorCode: 16 }, times: Infinity });
    const producer = { producerId: 1n, producerEpoch: 0 };
    const member = { groupId: 'g', memberId: 'm', generationId: 1, groupInstanceId: null };
    const transaction = { transactionalId: 't', ...producer };
    const everything: Promise<object>[] = [
      port.metadata([TOPIC]),
      port.findCoordinator({ key: 'g', type: 'group' }),
      fetch(0, 0),
      produce('a'),
      port.listOffsets(1, { readCommitted: true, partitions: [{ ...AT, timestamp: -1 }] }),
      port.deleteRecords(1, { partitions: [{ ...AT, offset: 0 }], timeoutMs: 100 }),
      port.initProducerId(1, { transactionalId: 't', transactionTimeoutMs: 1_000 }),
      port.addPartitionsToTxn(1, { ...transaction, partitions: [AT] }),
      port.addOffsetsToTxn(1, { ...transaction, groupId: 'g' }),
      port.txnOffsetCommit(1, { ...transaction, ...member, partitions: [{ ...AT, offset: 1, metadata: '' }] }),
      port.endTxn(1, { ...transaction, commit: true }),
      port.offsetCommit(1, { ...member, partitions: [{ ...AT, offset: 1, metadata: '' }] }),
      port.offsetFetch(1, { groupId: 'g', requireStable: true, partitions: [AT] }),
      port.joinGroup(1, { ...member, sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 6_000, protocolType: 'consumer', protocols: [] }),
      port.syncGroup(1, { ...member, assignments: [] }),
      port.heartbeat(1, member),
      port.leaveGroup(1, { groupId: 'g', members: [] }),
      port.createTopics([{ topic: 't', partitions: 1, replicationFactor: 1, configs: {} }], 100),
      port.deleteTopics([TOPIC], 100),
      port.describeConfigs([TOPIC], []),
    ];
    for (const answer of await Promise.all(everything)) {
      const { errorCode, partitions, topics } = answer as Record<'errorCode' | 'partitions' | 'topics', unknown>;
      const nested = [partitions, topics].flatMap((each) => (each as { errorCode: number }[] | undefined) ?? []);
      expect([errorCode, ...nested.map((each) => each.errorCode)]).toContain(16);
    }
    expect(broker.topics()).toEqual([TOPIC]);
  });
});
