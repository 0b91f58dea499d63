import type { TopicPartition } from '../../../src/kafka/port';

export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}-${String(partition)}`;
}
