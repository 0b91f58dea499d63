import { BatchBuilder, stamp } from '../../src/kafka/batch-encode';
import type { TopicPartition } from '../../src/kafka/port';
import type { World } from './world';

/** A producer that has written one record to a partition, in a transaction that it does not end by itself. */
export async function openTransaction(world: World, at: TopicPartition): Promise<{ readonly end: (commit: boolean) => Promise<void> }> {
  const port = world.broker.connect('hung');
  const { topics } = await world.settle(port.metadata([at.topic]));
  const leader = topics[0]!.partitions.find(({ partition }) => partition === at.partition)!.leader;
  const { nodeId } = await world.settle(port.findCoordinator({ type: 'transaction', key: 'hung' }));
  const identity = await world.settle(port.initProducerId(nodeId, { transactionalId: 'hung', transactionTimeoutMs: 600_000 }));
  await world.settle(port.addPartitionsToTxn(nodeId, { transactionalId: 'hung', ...identity, partitions: [at] }));
  const builder = new BatchBuilder();
  builder.append(700, 'key', 'v');
  const batch = builder.finish({ compression: 'none', transactional: true });
  stamp(batch, identity.producerId, identity.producerEpoch, 0);
  const { partitions } = await world.settle(
    port.produce(leader, { transactionalId: 'hung', timeoutMs: 1_000, partitions: [{ ...at, records: batch.bytes }] }),
  );
  expect(partitions.map(({ errorCode }) => errorCode)).toEqual([0]);
  const { lastStableOffset, highWatermark } = world.broker.partition(at)!;
  expect(highWatermark - lastStableOffset).toBe(1);
  const end = async (commit: boolean): Promise<void> => {
    await world.settle(port.endTxn(nodeId, { transactionalId: 'hung', ...identity, commit }));
  };
  return { end };
}
