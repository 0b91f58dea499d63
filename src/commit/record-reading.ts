import { readLog, type LogReaderOptions } from '../kafka/log-reader';
import type { OffsetReader } from '../kafka/offsets';
import type { KafkaRecord } from '../model/record';
import type { Topic } from '../model/topic';
import { RecordDecoder } from '../task/record-decoder';

export interface RecordReadingOptions {
  readonly logs: LogReaderOptions;
  readonly offsets: OffsetReader;
  readonly partitions: number;
}

/** All committed records of a topic, partition by partition, in offset order. */
export async function readRecords<K, V>(options: RecordReadingOptions, topic: Topic<K, V>): Promise<KafkaRecord<K, V>[]> {
  const { logs, offsets } = options;
  const all = Array.from({ length: options.partitions }, (_, partition) => ({ topic: topic.name, partition }));
  const [starts, ends] = [await offsets.startOffsets(all), await offsets.endOffsets(all, true)];
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
