import { writeInt64 } from '../../codec/int64-bytes';
import { BatchReader } from '../../kafka/batch-decode';
import { stamp, type EncodedBatch } from '../../kafka/batch-encode';
import { layout as batchLayout } from '../../kafka/record-batch';
import type { FetchedChunk } from '../../kafka/partition-sink';
import { Outgoing } from '../../model/outgoing';
import type { Topic } from '../../model/topic';
import { RecordDecoder } from '../../task/record-decoder';

interface LoggedRecord {
  readonly partition: number;
  readonly offset: number;
  /** The batch that holds it. */
  readonly batch: Buffer;
}

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
    const decoded = this.unread.filter(wanted).map((record) => decode(topic, record));
    this.unread = this.unread.filter((record) => !wanted(record));
    return decoded;
  }
}

function decode<K, V>(topic: Topic<K, V>, { partition, offset, batch }: LoggedRecord): Outgoing<K, V> {
  const { name, key, value, keyless } = topic as unknown as Topic<unknown, unknown>;
  const reader = new BatchReader({ topic: name, partition }, { checkCrc: false });
  reader.reset(batch, { aborted: [], from: offset, readCommitted: true });
  reader.nextRecord();
  // The record's own timestamp: what was sent, not what a reader would make of it.
  const record = new RecordDecoder({ topic: name, partition, key, value, keyless, timestamp: undefined }).decode(reader);
  return Outgoing.of(topic, record.key as K, record.value as V, record.timestamp, record.origin);
}
