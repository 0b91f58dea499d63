import { BatchReader } from '../kafka/batch-decode';
import { Outgoing } from '../model/outgoing';
import type { Topic } from '../model/topic';
import { RecordDecoder } from '../task/record-decoder';

/** A record of a log, not decoded yet. */
export interface LoggedRecord {
  readonly partition: number;
  readonly offset: number;
  /** Batches that hold it. */
  readonly bytes: Buffer;
}

/** A written record as what it was before it was written. @throws DECODE when it is not what the topic's codecs read */
export function readOutgoing<K, V>(topic: Topic<K, V>, { partition, offset, bytes }: LoggedRecord): Outgoing<K, V> {
  const { name, key, value, keyless } = topic as unknown as Topic<unknown, unknown>;
  const reader = new BatchReader({ topic: name, partition }, { checkCrc: false });
  reader.reset(bytes, { aborted: [], from: offset, readCommitted: false });
  reader.nextRecord();
  // The record's own timestamp: what was sent, not what a reader would make of it.
  const record = new RecordDecoder({ topic: name, partition, key, value, keyless, timestamp: undefined }).decode(reader);
  return Outgoing.of(topic, record.key as K, record.value as V, record.timestamp, record.origin);
}
