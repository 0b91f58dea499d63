import { MillraceError } from '../../errors/millrace-error';
import { BatchBuilder, type EncodedBatch } from '../../kafka/batch-encode';
import { partitionOf } from '../../kafka/partitioner';
import type { Codec } from '../../model/codec';
import type { KafkaRecord, Placement } from '../../model/record';
import type { Topic } from '../../model/topic';

type Encoded = string | Uint8Array | null;

/** Bytes of a batch that holds one small record; it grows. */
const CAPACITY = 256;

/** What a producer does with a record: partition and bytes. */
export class PipedRecords {
  /** Records without a key so far, by topic. */
  private readonly turns = new Map<string, number>();

  partitionOf<K, V>(topic: Topic<K, V>, record: KafkaRecord<K, V, Placement>, partitions: number): number {
    const key = encode(topic, 'key', record.key);
    if (key !== null) return partitionOf(topic.key, record.key, key, partitions);
    const turn = this.turns.get(topic.name) ?? 0;
    this.turns.set(topic.name, turn + 1);
    return turn % partitions;
  }

  batchOf<K, V>(topic: Topic<K, V>, record: KafkaRecord<K, V, Placement>): EncodedBatch {
    const builder = new BatchBuilder(CAPACITY);
    builder.append(record.timestamp, encode(topic, 'key', record.key), encode(topic, 'value', record.value), record.headers);
    return builder.finish({ compression: 'none', transactional: false });
  }
}

/** A null is Kafka's null, whatever the codec: what the topology makes of it is what a test may want to see. */
function encode<K, V>(topic: Topic<K, V>, part: 'key' | 'value', given: K | V): Encoded {
  if (given === null || given === undefined) return null;
  try {
    return (topic[part] as Codec<K | V>).encode(given);
  } catch (cause) {
    throw new MillraceError('ENCODE', `the ${part} of a record piped to "${topic.name}" does not encode: ${String(cause)}`, {
      cause,
      where: { topic: topic.name },
    });
  }
}
