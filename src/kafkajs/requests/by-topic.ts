import type { TopicPartition } from '../../kafka/port';
import type { Reader, Writer } from '../bytes';

/** On the wire partitions stand below their topic; everywhere else here each entry names its own. */
export interface OfTopic<P> {
  readonly topic: string;
  readonly partitions: P[];
}

/** Each topic once. */
export function byTopic<P extends TopicPartition>(partitions: readonly P[]): OfTopic<P>[] {
  const topics = new Map<string, OfTopic<P>>();
  for (const partition of partitions) {
    const known = topics.get(partition.topic);
    if (known === undefined) topics.set(partition.topic, { topic: partition.topic, partitions: [partition] });
    else known.partitions.push(partition);
  }
  return [...topics.values()];
}

/** In the order given, a topic perhaps several times: the first partitions of a fetch are served first (KIP-74). */
export function byTopicInOrder<P extends TopicPartition>(partitions: readonly P[]): OfTopic<P>[] {
  const topics: OfTopic<P>[] = [];
  let last: OfTopic<P> | undefined;
  for (const partition of partitions) {
    if (last?.topic === partition.topic) last.partitions.push(partition);
    else topics.push((last = { topic: partition.topic, partitions: [partition] }));
  }
  return topics;
}

/** Classic: `topics[ name str · partitions[ … ] ]`. */
export function writeTopics<P>(writer: Writer, topics: readonly OfTopic<P>[], write: (writer: Writer, partition: P) => void): void {
  writer.array(topics, (_, topic) => {
    writer.string(topic.topic).array(topic.partitions, write);
  });
}

/** Flexible: `topics[ name cstr · partitions[ … ] · tags ]`; the tags of a partition, if it has any, are up to `write`. */
export function writeCompactTopics<P>(writer: Writer, topics: readonly OfTopic<P>[], write: (writer: Writer, partition: P) => void): void {
  writer.compactArray(topics, (_, topic) => {
    writer.compactString(topic.topic).compactArray(topic.partitions, write).tags();
  });
}

export function readTopics<P>(reader: Reader, read: (reader: Reader, topic: string) => P): P[] {
  const all: P[] = [];
  reader.array(() => {
    const topic = reader.string();
    reader.array(() => all.push(read(reader, topic)));
  });
  return all;
}

/** Tags of partitions and of topics are skipped. */
export function readCompactTopics<P>(reader: Reader, read: (reader: Reader, topic: string) => P): P[] {
  const all: P[] = [];
  reader.compactArray(() => {
    const topic = reader.compactString();
    reader.compactArray(() => {
      all.push(read(reader, topic));
      reader.tags();
    });
    reader.tags();
  });
  return all;
}
