import { BatchReader, readHeaders } from './batch-decode';
import { PartitionBatches, type BatchLimits, type BatchOptions, type EncodedBatch } from './batch-encode';
import type { TopicPartition } from './port';

/**
 * Several writers' batches for one partition, merged by record time; each writer's own order stays. Without this the records of one task
 * would lie behind all those that another has written in the same transaction, however old they are.
 */
export function mergeByTime(
  at: TopicPartition,
  writers: readonly (readonly EncodedBatch[])[],
  limits: BatchLimits,
  options: BatchOptions,
): EncodedBatch[] {
  const merged = new PartitionBatches(at, limits);
  const heads = writers.map((batches) => new WrittenRecords(at, batches)).filter((head) => head.next());
  while (heads.length > 0) {
    let least = 0;
    for (let other = 1; other < heads.length; other++) if (timeOf(heads, other) < timeOf(heads, least)) least = other;
    const head = heads[least] as WrittenRecords;
    head.appendTo(merged);
    if (!head.next()) heads.splice(least, 1);
  }
  return merged.drain(options);
}

function timeOf(heads: readonly WrittenRecords[], at: number): number {
  return heads[at]?.reader.timestamp ?? Infinity;
}

/** One writer's records, batch after batch. */
class WrittenRecords {
  readonly reader: BatchReader;
  private batch = -1;

  constructor(
    at: TopicPartition,
    private readonly batches: readonly EncodedBatch[],
  ) {
    // Not stamped yet: the CRC comes with the producer's identity.
    this.reader = new BatchReader(at, { checkCrc: false });
  }

  next(): boolean {
    while (this.batch < 0 || !this.reader.nextRecord()) {
      const batch = this.batches[++this.batch];
      if (batch === undefined) return false;
      this.reader.reset(batch.bytes, { aborted: [], from: 0, readCommitted: false });
    }
    return true;
  }

  appendTo(merged: PartitionBatches): void {
    const { buffer, keyStart, keyEnd, valueStart, valueEnd, headersStart, headerCount, timestamp } = this.reader;
    const key = keyStart < 0 ? null : buffer.subarray(keyStart, keyEnd);
    const value = valueStart < 0 ? null : buffer.subarray(valueStart, valueEnd);
    const headers = headerCount === 0 ? undefined : readHeaders(buffer, headersStart, headerCount);
    merged.append(timestamp, key, value, headers);
  }
}
