import { MillraceError } from '../errors/millrace-error';
import { PartitionBatches, stamp, type EncodedBatch } from '../kafka/batch-encode';
import type { ClusterView } from '../kafka/cluster-view';
import { describeCode } from '../kafka/describe-code';
import { kafkaCode } from '../kafka/error-codes';
import { partitionOf } from '../kafka/partitioner';
import type { KafkaPort } from '../kafka/port';
import { leaderMoved } from '../kafka/retriable-codes';
import { again, Deadline, done, retrying, steady } from '../kafka/retrying';
import type { KafkaRecord, Placement } from '../model/record';
import type { Topic } from '../model/topic';
import type { Clock } from '../time/clock';

const WITHIN_MS = 30_000;
/** Bytes of one batch: below every broker's default limit. */
const BATCH_BYTES = 512 * 1024;
/** Bytes gathered before they are sent. */
const ROUND_BYTES = 8 * 1024 * 1024;

export interface RecordWriterOptions {
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly partitions: number;
}

/**
 * Writes records to one topic without a producer id, in order within each partition. A request whose answer was never read is not
 * repeated (it would write twice): the caller gets the error.
 */
export class RecordWriter<K, V> {
  private readonly partitions: PartitionBatches[];
  private bytes = 0;
  private turn = 0;

  constructor(
    private readonly options: RecordWriterOptions,
    private readonly topic: Topic<K, V>,
  ) {
    this.partitions = Array.from(
      { length: options.partitions },
      (_, partition) => new PartitionBatches({ topic: topic.name, partition }, { maxBytes: BATCH_BYTES }),
    );
  }

  get isFull(): boolean {
    return this.bytes >= ROUND_BYTES;
  }

  add(record: KafkaRecord<K, V, Placement>): void {
    const { topic } = this;
    const key = record.key === null ? null : topic.key.encode(record.key);
    const value = record.value === null ? null : topic.value.encode(record.value);
    const partition = key === null ? this.turn++ % this.partitions.length : partitionOf(topic.key, record.key, key, this.partitions.length);
    const batches = this.partitions[partition];
    if (batches === undefined) return;
    const before = batches.bytes;
    batches.append(record.timestamp, key, value, record.headers);
    this.bytes += batches.bytes - before;
  }

  async flush(): Promise<void> {
    this.bytes = 0;
    await Promise.all(
      this.partitions.map(async (batches) => {
        for (const batch of batches.drain({ compression: 'none', transactional: false })) await this.send(batches.source.partition, batch);
      }),
    );
  }

  private async send(partition: number, batch: EncodedBatch): Promise<void> {
    const { port, view, clock } = this.options;
    const topic = this.topic.name;
    stamp(batch, -1n, -1, -1);
    const deadline = new Deadline(clock, WITHIN_MS);
    await retrying({ clock, deadline, backoff: steady, waitingFor: `the acknowledgement of ${topic}-${String(partition)}` }, async () => {
      const node = await view.leaderOf(topic, partition, deadline);
      const answer = await port
        .produce(node, { transactionalId: null, timeoutMs: WITHIN_MS, partitions: [{ topic, partition, records: batch.bytes }] })
        .catch((cause: unknown) => {
          throw new MillraceError(
            'BROKER_ERROR',
            `it is not known whether records were written to "${topic}", partition ${String(partition)}: ${String(cause)}`,
            { cause },
          );
        });
      const code = answer.partitions[0]?.errorCode ?? kafkaCode.NONE;
      if (code === kafkaCode.NONE) return done(undefined);
      if (!leaderMoved.has(code))
        throw new MillraceError(
          'PRODUCE_REFUSED',
          `"${topic}", partition ${String(partition)}: ${answer.partitions[0]?.errorMessage ?? describeCode(code)}`,
        );
      view.forgetLeader(topic, partition);
      return again(code);
    });
  }
}
