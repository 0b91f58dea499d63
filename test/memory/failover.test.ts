/** Nodes of the broker in memory: leaders and coordinators that move, nodes that die. */
import type { JoinGroupAnswer, KafkaPort } from '../../src/kafka/port';
import { memoryBroker, type MemoryBroker } from '../../src/memory/memory-broker';
import { manualClock } from '../../src/time/manual-clock';

const clock = manualClock();
let broker: MemoryBroker;
let port: KafkaPort;

async function settled<T>(promise: Promise<T>): Promise<T> {
  let done = false;
  const watched = promise.finally(() => (done = true));
  watched.catch(() => undefined);
  for (let turns = 0; turns < 1_000 && !done; turns++) await clock.advance(1);
  expect(done).toBe(true);
  return watched;
}

const fetchFrom = (node: number, leaderEpoch = -1): Promise<number> =>
  settled(
    port.fetch(
      node,
      {
        ...{ maxWaitMs: 0, minBytes: 1, maxBytes: 1_000, readCommitted: true },
        partitions: [{ topic: 'views', partition: 0, offset: 0, maxBytes: 1_000, leaderEpoch }],
      },
      'input',
    ),
  ).then(({ partitions }) => partitions[0]!.errorCode);

const leader = async (): Promise<[leader: number, errorCode: number]> => {
  const { topics } = await settled(port.metadata(['views']));
  const [partition] = topics[0]!.partitions;
  return [partition!.leader, partition!.errorCode];
};

const join = (node: number, memberId = ''): Promise<JoinGroupAnswer> =>
  port.joinGroup(node, {
    ...{ groupId: 'group', memberId, groupInstanceId: null, sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 6_000, protocolType: 'consumer' },
    protocols: [{ name: 'any', metadata: Buffer.alloc(0) }],
  });

const coordinatorOf = async (key: string, type: 'group' | 'transaction' = 'group'): Promise<[node: number, errorCode: number]> => {
  const { nodeId, errorCode } = await settled(port.findCoordinator({ type, key }));
  return [nodeId, errorCode];
};

beforeEach(() => {
  broker = memoryBroker({ clock, brokers: 3, metadataLagMs: 0 });
  broker.createTopic('views', 1);
  port = broker.connect('reader');
});

afterEach(() => {
  broker.close();
});

describe('a leader that moves', () => {
  it('is answered 6 where it was, and 74 with the epoch before where it is', async () => {
    await expect(fetchFrom(1, 0)).resolves.toBe(0);
    broker.moveLeader({ topic: 'views', partition: 0 }, 2);
    await expect(fetchFrom(1)).resolves.toBe(6);
    await expect(fetchFrom(2, 0)).resolves.toBe(74);
    await expect(fetchFrom(2, 1)).resolves.toBe(0);
    await expect(fetchFrom(2, 2)).resolves.toBe(75);
    await expect(leader()).resolves.toEqual([2, 0]);
  });

  it('answers a fetch that waits for records where it was', async () => {
    const waiting = port.fetch(
      1,
      {
        ...{ maxWaitMs: 100_000, minBytes: 1, maxBytes: 1_000, readCommitted: true },
        partitions: [{ topic: 'views', partition: 0, offset: 0, maxBytes: 1_000, leaderEpoch: 0 }],
      },
      'input',
    );
    await clock.advance(10);
    broker.moveLeader({ topic: 'views', partition: 0 }, 3);
    const { partitions } = await settled(waiting);
    expect(partitions[0]!.errorCode).toBe(6);
  });

  it('is named as it was by nodes that have not heard of it, and answers 78 for its end', async () => {
    broker.close();
    broker = memoryBroker({ clock, brokers: 3, metadataLagMs: 50_000 });
    broker.createTopic('views', 1);
    port = broker.connect('reader');
    broker.moveLeader({ topic: 'views', partition: 0 }, 2);
    await expect(leader()).resolves.toEqual([1, 0]);
    const latest = await settled(
      port.listOffsets(2, { readCommitted: true, partitions: [{ topic: 'views', partition: 0, timestamp: -1 }] }),
    );
    expect(latest.partitions[0]!.errorCode).toBe(78);
    await clock.advance(50_000);
    await expect(leader()).resolves.toEqual([2, 0]);
  });
});

describe('a node that dies', () => {
  it('breaks its connections, and is answered by nobody', async () => {
    const waiting = port.heartbeat(1, { groupId: 'group', memberId: 'a', generationId: 1, groupInstanceId: null });
    broker.stopNode(1);
    await expect(settled(waiting)).rejects.toMatchObject({ code: 'DISCONNECTED', retryable: true });
    await expect(fetchFrom(1)).rejects.toMatchObject({ code: 'DISCONNECTED', retryable: true });
  });

  it('leaves its partitions without a leader until others are elected', async () => {
    broker.stopNode(1, 5_000);
    await expect(leader()).resolves.toEqual([-1, 5]);
    await clock.advance(5_000);
    await expect(leader()).resolves.toEqual([2, 0]);
    await expect(fetchFrom(2, 1)).resolves.toBe(74);
  });

  it('leads again when it is back, if nobody was elected', async () => {
    broker.stopNode(1);
    await clock.advance(60_000);
    await expect(leader()).resolves.toEqual([-1, 5]);
    broker.startNode(1);
    await expect(leader()).resolves.toEqual([1, 0]);
    await expect(fetchFrom(1, 2)).resolves.toBe(0);
  });
});

describe('a coordinator that moves', () => {
  it('answers 16 where it was, and 14 where it is while it loads', async () => {
    const [node] = await coordinatorOf('group');
    const other = (node % 3) + 1;
    broker.moveCoordinator('group', 'group', other, 5_000);
    await expect(coordinatorOf('group')).resolves.toEqual([other, 0]);
    await expect(settled(join(node))).resolves.toMatchObject({ errorCode: 16 });
    await expect(settled(join(other))).resolves.toMatchObject({ errorCode: 14 });
    await clock.advance(5_000);
    await expect(settled(join(other))).resolves.toMatchObject({ errorCode: 79 });
  });

  it('is not there while its node is dead and nobody has taken over', async () => {
    const [node] = await coordinatorOf('app-0', 'transaction');
    broker.stopNode(node);
    await expect(coordinatorOf('app-0', 'transaction')).resolves.toEqual([-1, 15]);
    broker.startNode(node);
    await expect(coordinatorOf('app-0', 'transaction')).resolves.toEqual([node, 0]);
  });

  it('knows of a group the last generation whose assignment was taken, and gives the one under way once more', async () => {
    const [node] = await coordinatorOf('group');
    const other = (node % 3) + 1;
    const { memberId } = await settled(join(node));
    const { generationId } = await settled(join(node, memberId));
    const identity = { groupId: 'group', memberId, groupInstanceId: null };
    await settled(port.syncGroup(node, { ...identity, generationId, assignments: [{ memberId, assignment: Buffer.of(7) }] }));
    const second = broker.connect('second');
    const newcomer = (): Promise<JoinGroupAnswer> =>
      second.joinGroup(node, {
        ...{ groupId: 'group', memberId: '', groupInstanceId: null, sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 6_000 },
        ...{ protocolType: 'consumer', protocols: [{ name: 'any', metadata: Buffer.alloc(0) }] },
      });
    await settled(newcomer());
    const waiting = join(node, memberId);
    await clock.advance(10);
    broker.moveCoordinator('group', 'group', other);
    await expect(settled(waiting)).resolves.toMatchObject({ errorCode: 16 });
    expect(broker.group('group')).toMatchObject({ state: 'stable', generationId, members: [{ memberId, assignment: Buffer.of(7) }] });
    await expect(settled(port.heartbeat(other, { ...identity, generationId }))).resolves.toEqual({ errorCode: 0 });
  });

  it('completes transactions that were decided before', async () => {
    broker.close();
    broker = memoryBroker({ clock, brokers: 3, markerDelayMs: 100 });
    broker.createTopic('views', 1);
    port = broker.connect('writer');
    const [node] = await coordinatorOf('id', 'transaction');
    const transactionalId = 'id';
    const { producerId, producerEpoch } = await settled(port.initProducerId(node, { transactionalId, transactionTimeoutMs: 10_000 }));
    const producer = { transactionalId, producerId, producerEpoch };
    await settled(port.addPartitionsToTxn(node, { ...producer, partitions: [{ topic: 'views', partition: 0 }] }));
    await settled(port.endTxn(node, { ...producer, commit: true }));
    broker.stopNode(node, 2_000);
    await clock.advance(1_000);
    expect(broker.transactions()).toMatchObject([{ state: 'preparing commit' }]);
    await clock.advance(5_000);
    expect(broker.transactions()).toMatchObject([{ state: 'committed' }]);
    expect(broker.partition({ topic: 'views', partition: 0 })!.highWatermark).toBe(1);
  });
});
