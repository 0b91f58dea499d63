/** Topics made, deleted, described. */
import type { DescribeConfigsAnswer, NewTopic, TopicCodes } from '../../kafka/port';
import type { Exchange } from '../exchange';

export interface CreateTopicsRequest {
  readonly topics: readonly NewTopic[];
  readonly timeoutMs: number;
}
export interface DeleteTopicsRequest {
  readonly topics: readonly string[];
  readonly timeoutMs: number;
}
export interface DescribeConfigsRequest {
  readonly topics: readonly string[];
  readonly names: readonly string[];
}

const TOPIC = 2;

/** v4 is the first that takes the broker's default replication factor (KIP-464). */
export const createTopics: Exchange<CreateTopicsRequest, TopicCodes> = {
  key: 19,
  version: 4,
  name: 'CreateTopics',
  flexible: false,
  write: (writer, { topics, timeoutMs }) => {
    writer.array(topics, (_, { topic, partitions, replicationFactor, configs }) => {
      writer.string(topic).int32(partitions).int16(replicationFactor).int32(0); // no replicas assigned by hand
      writer.array(Object.entries(configs), (__, [name, value]) => writer.string(name).string(value));
    });
    writer.int32(timeoutMs).boolean(false);
  },
  read: (reader) => ({
    throttleMs: reader.int32(),
    answer: { topics: reader.array(() => ({ topic: reader.string(), errorCode: reader.int16(), errorMessage: reader.nullableString() })) },
  }),
};

/** v5 is the first with a message. */
export const deleteTopics: Exchange<DeleteTopicsRequest, TopicCodes> = {
  key: 20,
  version: 5,
  name: 'DeleteTopics',
  flexible: true,
  write: (writer, { topics, timeoutMs }) => {
    writer.compactArray(topics, (_, topic) => writer.compactString(topic)).int32(timeoutMs);
  },
  read: (reader) => ({
    throttleMs: reader.int32(),
    answer: {
      topics: reader.compactArray(() => {
        const deleted = { topic: reader.compactString(), errorCode: reader.int16(), errorMessage: reader.nullableCompactString() };
        reader.tags();
        return deleted;
      }),
    },
  }),
};

export const describeConfigs: Exchange<DescribeConfigsRequest, DescribeConfigsAnswer> = {
  key: 32,
  version: 2,
  name: 'DescribeConfigs',
  flexible: false,
  write: (writer, { topics, names }) => {
    writer.array(topics, (_, topic) => {
      writer
        .int8(TOPIC)
        .string(topic)
        .array(names, (__, name) => writer.string(name));
    });
    writer.boolean(false); // no synonyms
  },
  read: (reader) => {
    const throttleMs = reader.int32();
    const topics = reader.array(() => {
      const errorCode = reader.int16();
      reader.nullableString(); // message
      reader.int8(); // kind of resource
      const topic = reader.string();
      const configs = new Map<string, string | null>();
      reader.array(() => {
        configs.set(reader.string(), reader.nullableString());
        reader.slice(3); // read only, source, sensitive
        reader.array(() => {
          reader.string();
          reader.nullableString();
          reader.int8();
        });
      });
      return { topic, errorCode, configs };
    });
    return { throttleMs, answer: { topics } };
  },
};
