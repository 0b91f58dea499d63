/** Who is there: Metadata, FindCoordinator. */
import type { FindCoordinatorAnswer, FindCoordinatorRequest, MetadataAnswer, NodeId, TopicMetadata } from '../../kafka/port';
import type { Reader } from '../bytes';
import type { Exchange } from '../exchange';

export interface ClusterAnswer extends MetadataAnswer {
  /** In KRaft any broker, which hands on what it is asked; -1: none known. */
  readonly controllerId: NodeId;
}

const NO_TOPIC_ID = Buffer.alloc(16);

function readTopic(reader: Reader): TopicMetadata {
  const errorCode = reader.int16();
  const topic = reader.compactString();
  const topicId = reader.slice(16).toString('hex');
  reader.boolean(); // internal
  const partitions = reader.compactArray(() => {
    const partitionCode = reader.int16();
    const partition = reader.int32();
    const leader = reader.int32();
    reader.int32(); // leader epoch: fetches learn it from ListOffsets
    for (let list = 0; list < 3; list++) reader.compactArray(() => reader.int32()); // replicas, in sync, offline
    reader.tags();
    return { partition, errorCode: partitionCode, leader };
  });
  reader.int32(); // authorized operations
  reader.tags();
  return { topic, errorCode, topicId, partitions };
}

/** v10 is the first with topic ids (KIP-516, Kafka 2.8). */
export const metadata: Exchange<readonly string[], ClusterAnswer> = {
  key: 3,
  version: 10,
  name: 'Metadata',
  flexible: true,
  write: (writer, topics) => {
    writer
      .compactArray(topics, (_, topic) => writer.raw(NO_TOPIC_ID).compactString(topic).tags())
      .boolean(false) // no topic is created
      .boolean(false)
      .boolean(false);
  },
  read: (reader) => {
    const throttleMs = reader.int32();
    const brokers = reader.compactArray(() => {
      const broker = { nodeId: reader.int32(), host: reader.compactString(), port: reader.int32() };
      reader.nullableCompactString(); // rack
      reader.tags();
      return broker;
    });
    const clusterId = reader.compactString();
    const controllerId = reader.int32();
    const topics = reader.compactArray(readTopic);
    return { throttleMs, answer: { brokers, clusterId, controllerId, topics } };
  },
};

export interface CoordinatorAnswer extends FindCoordinatorAnswer {
  readonly host: string;
  readonly port: number;
}

export const findCoordinator: Exchange<FindCoordinatorRequest, CoordinatorAnswer> = {
  key: 10,
  version: 3,
  name: 'FindCoordinator',
  flexible: true,
  write: (writer, { key, type }) => {
    writer.compactString(key).int8(type === 'group' ? 0 : 1);
  },
  read: (reader) => {
    const throttleMs = reader.int32();
    const errorCode = reader.int16();
    reader.nullableCompactString(); // message
    return { throttleMs, answer: { errorCode, nodeId: reader.int32(), host: reader.compactString(), port: reader.int32() } };
  },
};
