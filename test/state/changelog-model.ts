import { BatchReader } from '../../src/kafka/batch-decode';
import { BatchBuilder, stamp } from '../../src/kafka/batch-encode';
import type { Changelog, ReadLog } from '../../src/state/restore';

export interface ChangelogRecord {
  readonly key: Uint8Array;
  readonly value: Uint8Array | string | null;
  readonly timestamp: number;
}

interface StoredBatch {
  readonly baseOffset: number;
  readonly records: readonly ChangelogRecord[];
}

/** One changelog partition as a broker has it: batches of committed transactions, with offsets taken by markers and aborted data. */
export class ChangelogModel {
  end = 0;
  logStart = 0;
  topicId = 'topic-1';
  tombstoneRetentionMs = 7 * 86_400_000;
  /** Offsets that `read` was asked for, in order. */
  readonly reads: { readonly from: number; readonly until: number }[] = [];
  private readonly batches: StoredBatch[] = [];

  constructor(readonly store: string) {}

  get topic(): string {
    return `app-${this.store}-changelog`;
  }

  get recordCount(): number {
    return this.batches.reduce((sum, { records }) => sum + records.length, 0);
  }

  /** A committed transaction; gives the offset behind its records. A marker follows. */
  commit(records: readonly ChangelogRecord[]): number {
    if (records.length === 0) return this.end;
    this.batches.push({ baseOffset: this.end, records: [...records] });
    const next = this.end + records.length;
    this.end = next + 1;
    return next;
  }

  /** An aborted one: its offsets are taken, its records are shown to nobody. */
  abort(count: number): void {
    if (count > 0) this.end += count + 1;
  }

  describe(): Changelog {
    const { store, topic, topicId, logStart, end, tombstoneRetentionMs } = this;
    return { store, topic, topicId, logStart, end, tombstoneRetentionMs };
  }

  /** Every record, as a plain fold would read it. */
  *all(): Generator<ChangelogRecord & { readonly offset: number }, void> {
    for (const { baseOffset, records } of this.batches) {
      for (let i = 0; i < records.length; i++) yield { ...records[i]!, offset: baseOffset + i };
    }
  }

  /** Deletes everything and begins anew, as a topic does that was deleted and created. */
  recreate(topicId: string): void {
    this.batches.length = 0;
    this.end = 0;
    this.topicId = topicId;
  }

  async read(from: number, until: number, apply: Parameters<ReadLog>[4]): Promise<number> {
    this.reads.push({ from, until });
    const reader = new BatchReader({ topic: this.topic, partition: 0 });
    for (const batch of this.batches) {
      const next = batch.baseOffset + batch.records.length;
      if (next <= from || batch.baseOffset >= until) continue;
      reader.reset(encoded(batch), { aborted: [], from, readCommitted: true });
      await apply(reader);
    }
    return until;
  }
}

/** One answer of the log reader over several changelogs. */
export function readFrom(models: readonly ChangelogModel[]): ReadLog {
  return (topic, _partition, from, until, apply) => models.find((model) => model.topic === topic)!.read(from, until, apply);
}

function encoded({ baseOffset, records }: StoredBatch): Buffer {
  const builder = new BatchBuilder();
  for (const { key, value, timestamp } of records) builder.append(timestamp, key, value);
  const batch = builder.finish({ compression: 'none', transactional: true });
  stamp(batch, 1n, 0, 0);
  batch.bytes.writeBigInt64BE(BigInt(baseOffset), 0);
  return batch.bytes;
}
