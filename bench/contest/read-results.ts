import type { Kafka } from 'kafkajs';

const END = 'end of the results';

/**
 * All committed results of an output topic, read by kafkajs' own consumer. A record written behind them on each partition says where they end:
 * what is committed before it is before it.
 */
export async function readResults<R>(
  kafka: Kafka,
  topic: string,
  partitions: number,
  resultOf: (key: Buffer, value: Buffer) => R,
): Promise<R[]> {
  await markEnds(kafka, topic, partitions);
  const found: R[] = [];
  const ended = new Set<number>();
  const consumer = kafka.consumer({ groupId: `${topic}-reader`, maxBytesPerPartition: 4 * 1024 * 1024 });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      consumer
        .run({
          autoCommit: false,
          eachBatch: ({ batch }) => {
            for (const { key, value } of batch.messages) {
              if (key === null && value?.toString() === END) ended.add(batch.partition);
              else if (key !== null && value !== null) found.push(resultOf(key, value));
              else throw new Error(`${topic}-${batch.partition}: a result without a key or a value`);
            }
            if (ended.size === partitions) resolve();
            return Promise.resolve();
          },
        })
        .catch(reject);
    });
  } finally {
    await consumer.disconnect();
  }
  return found;
}

async function markEnds(kafka: Kafka, topic: string, partitions: number): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  const messages = Array.from({ length: partitions }, (_, partition) => ({ partition, key: null, value: END }));
  await producer.send({ topic, messages });
  await producer.disconnect();
}
