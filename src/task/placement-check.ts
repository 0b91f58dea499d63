import { MillraceError } from '../errors/millrace-error';
import { partitionFor } from '../kafka/partitioner';
import { partitionBytes, type SliceCodec } from '../model/codec';
import type { KafkaRecord } from '../model/record';
import type { InputDeclaration } from './input-buffer';

/** The first records of an input are all checked, then one in this many. */
const EVERY = 64;
const FIRST = 32;

/**
 * Checks on a sample that an input's keys lie where murmur2 puts them: written with another partitioner, equal keys would meet
 * in different tasks and every count would be wrong in silence.
 */
export class PlacementCheck {
  private seen = 0;

  constructor(
    private readonly declaration: InputDeclaration,
    private readonly partitions: number,
  ) {}

  check(record: KafkaRecord<unknown, unknown>): MillraceError | undefined {
    const at = this.seen++;
    if ((at >= FIRST && at % EVERY !== 0) || record.key === null) return undefined;
    const { topic, partition, key: codec } = this.declaration;
    const inner = (codec as SliceCodec<unknown>)[partitionBytes];
    const placing = inner === undefined ? (record.origin.rawKey() ?? '') : inner(record.key);
    const expected = partitionFor(placing, this.partitions);
    if (expected === partition) return undefined;
    const { offset } = record.origin;
    return new MillraceError(
      'PARTITIONER_MISMATCH',
      `topic "${topic}", partition ${String(partition)}, offset ${String(offset)}: murmur2 puts this key on partition ${String(expected)} of ${String(this.partitions)}. ` +
        'Its producer uses another partitioner: put repartition() before what counts or joins by key, or write the topic with the default partitioner',
      { where: { topic, partition, offset } },
    );
  }
}
