import type { DescribeConfigsAnswer, MetadataAnswer, NewTopic, NodeId, TopicCodes } from '../kafka/port';
import { brokerCode } from './broker-code';
import type { GroupCoordinator } from './groups';
import type { Nodes } from './nodes';
import type { Topics } from './topics';

/** Metadata and everything about topics as a whole. */
export class AdminRequests {
  constructor(
    private readonly clusterId: string,
    private readonly nodes: Nodes,
    private readonly topics: Topics,
    private readonly groups: GroupCoordinator,
  ) {}

  /** As `node` knows it. */
  metadata(node: NodeId, names: readonly string[]): MetadataAnswer {
    return {
      clusterId: this.clusterId,
      brokers: this.nodes.up.map((nodeId) => ({ nodeId, host: 'memory', port: nodeId })),
      topics: names.map((name) => this.topics.metadata(name, node)),
    };
  }

  createTopics(topics: readonly NewTopic[]): TopicCodes {
    return { topics: topics.map((topic) => ({ topic: topic.topic, ...this.topics.create(topic) })) };
  }

  deleteTopics(names: readonly string[]): TopicCodes {
    return {
      topics: names.map((topic) => {
        const deleted = this.topics.delete(topic);
        if (deleted === undefined) return { topic, errorCode: brokerCode.UNKNOWN_TOPIC_OR_PARTITION, errorMessage: null };
        this.groups.forgetTopic(topic);
        // Whoever waits to read from it is told.
        for (const partition of deleted.partitions) partition.wake();
        return { topic, errorCode: brokerCode.NONE, errorMessage: null };
      }),
    };
  }

  describeConfigs(topics: readonly string[], names: readonly string[]): DescribeConfigsAnswer {
    return {
      topics: topics.map((topic) => {
        const configs = this.topics.get(topic)?.config.describe(names);
        const errorCode = configs === undefined ? brokerCode.UNKNOWN_TOPIC_OR_PARTITION : brokerCode.NONE;
        return { topic, errorCode, configs: configs ?? new Map<string, string>() };
      }),
    };
  }
}
