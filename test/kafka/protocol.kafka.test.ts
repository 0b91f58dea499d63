/** The rules of src/kafka on a real broker, as far as one can be brought to it: lost answers, fencing, generations, timeouts. */
import { MillraceError } from '../../src/errors/millrace-error';
import { BatchReader } from '../../src/kafka/batch-decode';
import { BatchBuilder } from '../../src/kafka/batch-encode';
import { ClusterView } from '../../src/kafka/cluster-view';
import { Fetcher } from '../../src/kafka/fetcher';
import type { GroupFence } from '../../src/kafka/group-fence';
import { InternalTopics } from '../../src/kafka/internal-topics';
import { readLog } from '../../src/kafka/log-reader';
import { OffsetReader } from '../../src/kafka/offsets';
import type { KafkaPort, MemberIdentity, OffsetToCommit } from '../../src/kafka/port';
import type { BatchToProduce } from '../../src/kafka/produce-outcome';
import { TransactionalProducer, type TransactionalProducerOptions } from '../../src/kafka/transaction';
import type { FetchedChunk } from '../../src/kafka/partition-sink';
import { kafkaBroker } from '../../src/kafkajs/kafka-broker';
import { silentLogger } from '../../src/model/logger';
import { delay } from '../../src/time/clock';
import { systemClock } from '../../src/time/system-clock';
import { kafkaBrokers } from './brokers';

jest.setTimeout(120_000);

const clock = systemClock;
const logger = silentLogger;
const run = `protocol-${String(process.pid)}-${systemClock.random().toString(36).slice(2, 8)}`;
const INPUT = `${run}-input`;
const OUTPUT = `${run}-output`;

let port: KafkaPort;
let view: ClusterView;
let offsets: OffsetReader;
const opened: KafkaPort[] = [];
let used = 0;
/** Each test has its own transactional id and group; the topics are shared, so that ends are read first. */
let transactionalId: string;
let group: string;

function connect(): KafkaPort {
  const connected = kafkaBroker({ brokers: kafkaBrokers(), clock, logger }).connect(run);
  opened.push(connected);
  return connected;
}

beforeAll(async () => {
  port = connect();
  view = new ClusterView({ port, clock, logger });
  offsets = new OffsetReader({ port, view, clock });
  const topics = [INPUT, OUTPUT].map((topic) => ({ topic, partitions: 2, replicationFactor: -1, configs: {} }));
  await port.createTopics(topics, 10_000);
  for (const topic of [INPUT, OUTPUT]) for (const partition of [0, 1]) await view.leaderOf(topic, partition);
});

beforeEach(() => {
  used++;
  transactionalId = `${run}-${String(used)}-0`;
  group = `${run}-group-${String(used)}`;
});

afterAll(async () => {
  await port.deleteTopics([INPUT, OUTPUT], 10_000);
  await Promise.all(opened.map((each) => each.close()));
});

/** Answers of these requests are lost as often as said, after they took effect. */
function losing(behind: KafkaPort, losses: Partial<Record<keyof KafkaPort, number>>): KafkaPort {
  return new Proxy(behind, {
    get:
      (target, name: keyof KafkaPort) =>
      async (...args: never[]) => {
        const answer = await (target[name] as (...args: never[]) => Promise<unknown>).apply(target, args);
        const left = losses[name] ?? 0;
        if (left === 0) return answer;
        losses[name] = left - 1;
        throw new MillraceError('DISCONNECTED', `the answer to ${name} was lost`, { retryable: true });
      },
  });
}

async function initialised(options: Partial<TransactionalProducerOptions> = {}): Promise<TransactionalProducer> {
  const producer = new TransactionalProducer({ port, view, clock, logger, transactionalId, ...options });
  await producer.initialise();
  return producer;
}

async function join(memberId = ''): Promise<MemberIdentity> {
  const node = await view.coordinator('group', group);
  const request = {
    ...{ groupId: group, memberId, groupInstanceId: null, sessionTimeoutMs: 45_000, rebalanceTimeoutMs: 60_000 },
    ...{ protocolType: 'consumer', protocols: [{ name: 'test', metadata: Buffer.alloc(0) }] },
  };
  let answer = await port.joinGroup(node, request);
  for (; answer.errorCode !== 0; answer = await port.joinGroup(node, { ...request, memberId: answer.memberId || memberId })) {
    expect([14, 15, 16, 79]).toContain(answer.errorCode);
  }
  const identity = { groupId: group, memberId: answer.memberId, generationId: answer.generationId, groupInstanceId: null };
  const assignments = answer.members.map((member) => ({ memberId: member.memberId, assignment: Buffer.alloc(0) }));
  expect(await port.syncGroup(node, { ...identity, assignments })).toMatchObject({ errorCode: 0 });
  return identity;
}

const fenceOf = (identity: MemberIdentity, renew: GroupFence['renew'] = () => Promise.resolve(identity)): GroupFence => ({
  identity: () => identity,
  renew,
});

function batch(partition: number, ...values: string[]): BatchToProduce<string> {
  const builder = new BatchBuilder();
  for (const value of values) builder.append(clock.now(), 'key', value);
  return { topic: OUTPUT, partition, batch: builder.finish({ compression: 'none', transactional: true }), source: values.join() };
}
const at = (offset: number, metadata = ''): OffsetToCommit[] => [{ topic: INPUT, partition: 0, offset, metadata }];

/** Values a read_committed reader finds from `from` to the high watermark. */
async function committed(partition: number, from: number): Promise<string[]> {
  const [end] = await offsets.endOffsets([{ topic: OUTPUT, partition }], false);
  const values: string[] = [];
  await readLog(
    { port, view, clock, logger },
    {
      ...{ topic: OUTPUT, partition, from, until: end!.offset, lane: 'restore', stallAfterMs: 60_000 },
      apply: (reader) => {
        while (reader.nextRecord()) values.push(reader.buffer.toString('utf8', reader.valueStart, reader.valueEnd));
      },
    },
  );
  return values;
}
const end = async (partition: number): Promise<number> => (await offsets.endOffsets([{ topic: OUTPUT, partition }], false))[0]!.offset;
const committedOffset = async (): Promise<number> => (await offsets.committedOffsets(group, at(0)))[0]!.offset;

describe('a transaction on a real broker', () => {
  it('is visible as a whole, and committed offsets read after it are never the old ones', async () => {
    const producer = await initialised();
    const fence = fenceOf(await join());
    const from = [await end(0), await end(1)];
    for (let i = 1; i <= 30; i++) {
      const outcome = await producer.commit({ batches: [batch(0, `a${i}`), batch(1, `b${i}`)], offsets: at(i), fence });
      expect(outcome).toMatchObject({ kind: 'committed' });
      expect(await committedOffset()).toBe(i);
    }
    expect(producer.identity!.producerEpoch).toBe(0);
    const numbers = Array.from({ length: 30 }, (_, i) => i + 1);
    expect(await committed(0, from[0]!)).toEqual(numbers.map((i) => `a${i}`));
    expect(await committed(1, from[1]!)).toEqual(numbers.map((i) => `b${i}`));
  });

  it('of a hundred batches in one partition keeps their order', async () => {
    const producer = await initialised();
    const fence = fenceOf(await join());
    const from = await end(0);
    const batches = Array.from({ length: 100 }, (_, i) => batch(0, `${i}`));
    const outcome = await producer.commit({ batches, offsets: at(1), fence });
    expect(outcome).toEqual({ kind: 'committed', ends: [{ topic: OUTPUT, partition: 0, next: from + 100 }] });
    expect(await committed(0, from)).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
  });

  it.each(['addPartitionsToTxn', 'addOffsetsToTxn', 'produce', 'txnOffsetCommit', 'endTxn'] as const)(
    'K3 K6: whose answer to %s was lost is committed once, and the epoch ends before the next one',
    async (api) => {
      const producer = await initialised({ port: losing(port, { [api]: 2 }) });
      const fence = fenceOf(await join());
      const from = await end(0);
      expect(await producer.commit({ batches: [batch(0, 'a'), batch(0, 'b')], offsets: at(1), fence })).toMatchObject({
        kind: 'committed',
      });
      expect(await producer.commit({ batches: [batch(0, 'c')], offsets: at(2), fence })).toMatchObject({ kind: 'committed' });
      expect(producer.identity!.producerEpoch).toBe(1);
      expect(await committed(0, from)).toEqual(['a', 'b', 'c']);
      expect(await committedOffset()).toBe(2);
    },
  );

  it('that was aborted can be done again: its batches are not taken for repeats', async () => {
    const producer = await initialised();
    const identity = await join();
    const from = await end(0);
    // Metadata beyond the broker's limit: refused after the batches were written.
    const refused = await producer.commit({ batches: [batch(0, 'a')], offsets: at(1, 'x'.repeat(5_000)), fence: fenceOf(identity) });
    expect(refused).toMatchObject({ kind: 'aborted', reason: { code: 'CELLS_TOO_LARGE' } });
    expect(await producer.commit({ batches: [batch(0, 'a')], offsets: at(1), fence: fenceOf(identity) })).toMatchObject({
      kind: 'committed',
    });
    expect(await committed(0, from)).toEqual(['a']);
    expect(await committedOffset()).toBe(1);
  });

  it('with a batch the broker refuses names it, and the next one works', async () => {
    const producer = await initialised();
    const fence = fenceOf(await join());
    const from = await end(0);
    const outcome = await producer.commit({ batches: [batch(1, 'fine'), batch(0, 'x'.repeat(1_100_000))], offsets: at(1), fence });
    expect(outcome).toMatchObject({ kind: 'refused', refusals: [{ index: 1, topic: OUTPUT, partition: 0, code: 10 }] });
    expect(await producer.commit({ batches: [batch(0, 'small')], offsets: at(1), fence })).toMatchObject({ kind: 'committed' });
    expect(await committed(0, from)).toEqual(['small']);
  });

  it('with a timestamp too far ahead says what the broker says', async () => {
    const producer = await initialised();
    const fence = fenceOf(await join());
    const builder = new BatchBuilder();
    builder.append(clock.now(), 'key', 'now');
    builder.append(clock.now() + 86_400_000, 'key', 'tomorrow');
    const toProduce = { topic: OUTPUT, partition: 0, batch: builder.finish({ compression: 'none', transactional: true }), source: '' };
    const outcome = await producer.commit({ batches: [toProduce], offsets: at(1), fence });
    expect(outcome).toMatchObject({ kind: 'refused', refusals: [{ code: 32, records: [{ index: 1 }] }] });
  });

  it('to a topic that does not exist is refused with its name', async () => {
    const producer = await initialised();
    const fence = fenceOf(await join());
    const outcome = await producer.commit({ batches: [{ ...batch(0, 'a'), topic: `${run}-nowhere` }], offsets: at(1), fence });
    expect(outcome).toMatchObject({ kind: 'refused', refusals: [{ topic: `${run}-nowhere`, code: 3 }] });
  });
});

describe('fencing on a real broker', () => {
  it('C2: initialise ends what a predecessor left open, at once', async () => {
    const dead = await initialised();
    const identity = await join();
    const from = await end(0);
    // Its offsets are never accepted, so that the transaction stays open.
    const fence = fenceOf({ ...identity, generationId: identity.generationId + 7 }, () => new Promise(() => undefined));
    const stuck = dead.commit({ batches: [batch(0, 'never')], offsets: at(1), fence });
    stuck.catch(() => undefined);
    while ((await end(0)) === from) await delay(clock, 5);
    dead.abandon();
    await expect(stuck).rejects.toThrow('abandoned');
    const before = clock.monotonic();
    await initialised();
    expect(clock.monotonic() - before).toBeLessThan(2_000);
    expect(await committed(0, from)).toEqual([]);
  });

  it('a zombie that lost its generation initialises nothing: its successor commits undisturbed, and it finds itself fenced', async () => {
    const zombie = await initialised();
    const identity = await join();
    const from = await end(0);
    const node = await view.coordinator('transaction', transactionalId);
    const owner = { transactionalId, transactionTimeoutMs: 45_000 };
    const successor = await port.initProducerId(node, owner);
    const partitions = [{ topic: OUTPUT, partition: 0 }];
    const added = await port.addPartitionsToTxn(node, { transactionalId, ...successor, partitions });
    expect(added.partitions).toMatchObject([{ errorCode: 0 }]);

    const lost = fenceOf(identity, () => Promise.resolve(undefined));
    expect(await zombie.commit({ batches: [batch(0, 'zombie')], offsets: at(4), fence: lost })).toMatchObject({ kind: 'lost' });
    expect(zombie.state).toBe('RECOVERING');
    expect(await port.endTxn(node, { transactionalId, ...successor, commit: true })).toEqual({ errorCode: 0 });
    expect(await zombie.recover()).toMatchObject({ code: 'FENCED' });
    expect(await committed(0, from)).toEqual([]);
  });

  it("a member in good standing learns by InitProducerId that it is 'fenced'", async () => {
    const old = await initialised();
    const fence = fenceOf(await join());
    await initialised();
    expect(await old.commit({ batches: [batch(0, 'old')], offsets: at(1), fence })).toMatchObject({
      kind: 'fenced',
      reason: { code: 'FENCED' },
    });
    expect(old.state).toBe('FENCED');
  });

  it('a transaction that the broker timed out is aborted, not fenced: the epoch is renewed and the work done again', async () => {
    const from = await end(0);
    // The offsets are held back until readers can pass what was written: the broker has given up on it.
    const slow = new Proxy(port, {
      get: (target, name: keyof KafkaPort) => {
        if (name !== 'txnOffsetCommit') return target[name].bind(target as never);
        return async (...args: Parameters<KafkaPort['txnOffsetCommit']>) => {
          for (let stable = from; held && stable <= from; await delay(clock, 50)) {
            stable = (await offsets.endOffsets([{ topic: OUTPUT, partition: 0 }], true))[0]!.offset;
          }
          held = false;
          return target.txnOffsetCommit(...args);
        };
      },
    });
    let held = true;
    const producer = await initialised({ port: slow, transactionTimeoutMs: 6_000 });
    const fence = fenceOf(await join());
    expect(await producer.commit({ batches: [batch(0, 'a')], offsets: at(1), fence })).toMatchObject({ kind: 'aborted' });
    expect(producer.state).toBe('READY');
    expect(await producer.commit({ batches: [batch(0, 'a')], offsets: at(1), fence })).toMatchObject({ kind: 'committed' });
    expect(await committed(0, from)).toEqual(['a']);
  });

  it('22 after a join was completed: the same transaction commits under the new generation', async () => {
    const producer = await initialised();
    let identity = await join();
    const rejoined = await join(identity.memberId);
    expect(rejoined.generationId).toBeGreaterThan(identity.generationId);
    const renewals: number[] = [];
    const from = await end(0);
    const fence: GroupFence = {
      identity: () => identity,
      renew: (code) => {
        renewals.push(code);
        identity = rejoined;
        return Promise.resolve(rejoined);
      },
    };
    expect(await producer.commit({ batches: [batch(0, 'a')], offsets: at(3), fence })).toMatchObject({ kind: 'committed' });
    expect(renewals).toEqual([22]);
    expect(await committedOffset()).toBe(3);
    expect(await committed(0, from)).toEqual(['a']);
  });

  it('25: lost, readers are freed, and after the rejoin the producer recovers', async () => {
    const producer = await initialised();
    const identity = await join();
    const from = await end(0);
    // Unknown to the group from the beginning; the member id does not change, which would be another reason.
    const stranger = fenceOf({ ...identity, memberId: 'nobody' });
    expect(await producer.commit({ batches: [batch(0, 'a')], offsets: at(1), fence: stranger })).toMatchObject({ kind: 'lost' });
    expect(await committed(0, from)).toEqual([]);
    expect(await producer.recover()).toBeUndefined();
    expect(await producer.commit({ batches: [batch(0, 'b')], offsets: at(1), fence: fenceOf(identity) })).toMatchObject({
      kind: 'committed',
    });
    expect(await committed(0, from)).toEqual(['b']);
  });

  it('a transaction timeout beyond what the broker allows names the option', async () => {
    const producer = new TransactionalProducer({ port, view, clock, logger, transactionalId, transactionTimeoutMs: 3_600_000 });
    await expect(producer.initialise()).rejects.toMatchObject({ code: 'CONFIG', where: { option: 'transactionTimeoutMs' } });
  });
});

describe('fetching from a real broker', () => {
  it('follows a log over commits and aborts, pauses and resumes, and reports a position that is not there', async () => {
    const producer = await initialised();
    const identity = await join();
    const from = await end(1);
    const values: string[] = [];
    const events: string[] = [];
    const fetcher = new Fetcher({ port, view, clock, logger, lane: 'input', readCommitted: true });
    const reader = new BatchReader({ topic: OUTPUT, partition: 1 });
    let next = from;
    const sink = {
      chunk: (chunk: FetchedChunk) => {
        reader.reset(chunk.records, { aborted: chunk.aborted, from: chunk.from, readCommitted: true });
        while (reader.nextRecord()) values.push(reader.buffer.toString('utf8', reader.valueStart, reader.valueEnd));
        next = chunk.next;
      },
      progress: () => undefined,
      outOfRange: (position: object) => events.push(JSON.stringify(position)),
      failed: (error: Error) => events.push(error.message),
    };
    fetcher.add({ topic: OUTPUT, partition: 1, offset: from, sink });
    const commit = (value: string, metadata = ''): Promise<{ kind: string }> =>
      producer.commit({ batches: [batch(1, value)], offsets: at(values.length, metadata), fence: fenceOf(identity) });
    const caughtUp = async (): Promise<void> => {
      const goal = await end(1);
      while (next < goal) await delay(clock, 5);
    };
    await commit('a');
    expect(await commit('aborted', 'x'.repeat(5_000))).toMatchObject({ kind: 'aborted' });
    await commit('b');
    await caughtUp();
    expect(values).toEqual(['a', 'b']);
    fetcher.pause(OUTPUT, 1);
    await commit('c');
    fetcher.resume(OUTPUT, 1);
    await caughtUp();
    expect(values).toEqual(['a', 'b', 'c']);
    fetcher.add({ topic: OUTPUT, partition: 1, offset: 1_000_000, sink });
    while (events.length === 0) await delay(clock, 5);
    expect(events).toEqual([JSON.stringify({ requested: 1_000_000, logStart: 0, logEnd: next })]);
    fetcher.close();
  });
});

describe('internal topics on a real broker', () => {
  it('are created once, checked, and purged below committed offsets', async () => {
    const internal = new InternalTopics({ port, view, clock, logger, replicationFactor: 1 });
    const changelog = { topic: `${run}-counts-changelog`, kind: 'changelog', partitions: 2 } as const;
    const repartition = { topic: `${run}-by-page-repartition`, kind: 'repartition', partitions: 1 } as const;
    try {
      await internal.ensure([changelog, repartition]);
      await internal.ensure([changelog, repartition]);
      const names = ['cleanup.policy', 'delete.retention.ms', 'retention.ms', 'segment.bytes'];
      const { topics } = await port.describeConfigs([changelog.topic, repartition.topic], names);
      expect(topics.map(({ configs }) => Object.fromEntries(configs))).toMatchObject([
        { 'cleanup.policy': 'compact', 'delete.retention.ms': '604800000' },
        { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'segment.bytes': '52428800' },
      ]);
      await expect(internal.ensure([{ ...changelog, partitions: 3 }])).rejects.toMatchObject({ code: 'CO_PARTITION' });
      await expect(internal.ensure([{ ...changelog, kind: 'repartition' }])).rejects.toMatchObject({ code: 'CONFIG' });

      const producer = await initialised();
      const fence = fenceOf(await join());
      const written = { ...batch(0, 'a', 'b', 'c'), topic: repartition.topic };
      await producer.commit({ batches: [written], offsets: at(1), fence });
      await internal.purge([{ topic: repartition.topic, partition: 0, offset: 2 }]);
      expect(await offsets.startOffsets([{ topic: repartition.topic, partition: 0 }])).toMatchObject([{ offset: 2 }]);
    } finally {
      await port.deleteTopics([changelog.topic, repartition.topic], 10_000);
    }
  });
});
