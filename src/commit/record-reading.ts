import { readLog, type LogReaderOptions } from '../kafka/log-reader';
import type { OffsetReader, PartitionOffset } from '../kafka/offsets';
import type { TopicPartition } from '../kafka/port';
import type { KafkaRecord } from '../model/record';
import type { Topic } from '../model/topic';
import { delay } from '../time/clock';
import { RecordDecoder } from '../task/record-decoder';

export interface RecordReadingOptions {
  readonly logs: LogReaderOptions;
  readonly offsets: OffsetReader;
  readonly partitions: number;
}

/** ms to wait for transactions that are being completed: EndTxn's answer says that they are decided, not that they can be read. */
const SETTLE_WITHIN_MS = 2_000;
const POLL_MS = 10;

/** All committed records of a topic, partition by partition, in offset order. */
export async function readRecords<K, V>(options: RecordReadingOptions, topic: Topic<K, V>): Promise<KafkaRecord<K, V>[]> {
  const { logs, offsets } = options;
  const all = Array.from({ length: options.partitions }, (_, partition) => ({ topic: topic.name, partition }));
  const [starts, ends] = [await offsets.startOffsets(all), await settledEnds(options, all)];
  const records: KafkaRecord<K, V>[] = [];
  for (const [at, source] of all.entries()) {
    const { key, value, keyless, options: declared } = topic as unknown as Topic<unknown, unknown>;
    const decoder = new RecordDecoder({ ...source, key, value, keyless, timestamp: declared.timestamp });
    await readLog(logs, {
      ...source,
      from: starts[at]?.offset ?? 0,
      until: ends[at]?.offset ?? 0,
      lane: 'restore',
      apply: (reader) => {
        while (reader.nextRecord()) records.push(decoder.decode(reader) as KafkaRecord<K, V>);
      },
    });
  }
  return records;
}

/** The last stable offsets, once they have reached what is written now; a transaction that stays open is not waited for. */
async function settledEnds(
  { offsets, logs }: RecordReadingOptions,
  partitions: readonly TopicPartition[],
): Promise<readonly PartitionOffset[]> {
  const { clock } = logs;
  const written = await offsets.endOffsets(partitions, false);
  const deadline = clock.monotonic() + SETTLE_WITHIN_MS;
  for (;;) {
    const stable = await offsets.endOffsets(partitions, true);
    if (stable.every(({ offset }, at) => offset >= (written[at]?.offset ?? 0)) || clock.monotonic() >= deadline) return stable;
    await delay(clock, POLL_MS);
  }
}
