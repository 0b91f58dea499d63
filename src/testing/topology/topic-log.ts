import { writeInt64 } from '../../codec/int64-bytes';
import { stamp, type EncodedBatch } from '../../kafka/batch-encode';
import { layout as batchLayout } from '../../kafka/record-batch';
import type { FetchedChunk } from '../../kafka/partition-sink';
import type { Outgoing } from '../../model/outgoing';
import type { Topic } from '../../model/topic';
import { readOutgoing, type LoggedRecord } from '../read-outgoing';

/** One topic in memory: offsets, what a restart would read again, and what the test has not read yet. */
export class TopicLog {
  private readonly ends: number[];
  private readonly uncommitted: FetchedChunk[][];
  private unread: LoggedRecord[] = [];

  constructor(
    readonly name: string,
    readonly partitions: number,
  ) {
    this.ends = Array.from({ length: partitions }, () => 0);
    this.uncommitted = this.ends.map(() => []);
  }

  end(partition: number): number {
    return this.ends[partition] ?? 0;
  }

  /** Gives the batch its offsets, as the broker does. */
  append(partition: number, batch: EncodedBatch): FetchedChunk {
    const from = this.end(partition);
    const next = from + batch.recordCount;
    this.ends[partition] = next;
    stamp(batch, -1n, -1, -1);
    writeInt64(batch.bytes, from, batchLayout.baseOffset);
    return { records: batch.bytes, aborted: [], from, next, highWatermark: next, lastStableOffset: next, logStartOffset: 0 };
  }

  /** Kept until it is committed. */
  keep(partition: number, chunk: FetchedChunk): void {
    this.uncommitted[partition]?.push(chunk);
  }

  committed(partition: number, offset: number): void {
    const kept = this.uncommitted[partition] ?? [];
    while ((kept[0]?.next ?? Infinity) <= offset) kept.shift();
  }

  /** What lies behind the committed position. */
  left(partition: number): readonly FetchedChunk[] {
    return this.uncommitted[partition] ?? [];
  }

  /** One record of a batch, in the order in which the topology emitted it. */
  publish(record: LoggedRecord): void {
    this.unread.push(record);
  }

  /** Takes what was not read yet, oldest first. @throws DECODE when it is not what the topic's codecs read; then nothing is taken */
  read<K, V>(topic: Topic<K, V>, partition?: number): Outgoing<K, V>[] {
    const wanted = (record: LoggedRecord): boolean => partition === undefined || record.partition === partition;
    const decoded = this.unread.filter(wanted).map((record) => readOutgoing(topic, record));
    this.unread = this.unread.filter((record) => !wanted(record));
    return decoded;
  }
}
