import type { ClusterView } from '../kafka/cluster-view';
import { CHANGELOG_TOMBSTONE_RETENTION_MS } from '../kafka/internal-topics';
import type { OutboxTopic } from '../task/outbox';
import type { Layout } from './layout';
import { topicConfigs, type TopicConfigsOptions } from './topic-configs';

/** Batches are kept below the broker's limit before they are sent; the default is Kafka's. */
export const MAX_MESSAGE_BYTES = 1_048_588;

export interface WrittenTopics {
  readonly written: ReadonlyMap<string, OutboxTopic>;
  /** `delete.retention.ms` of each changelog, those of tables too. */
  readonly tombstoneRetention: ReadonlyMap<string, number>;
}

export interface WrittenTopicsOptions extends TopicConfigsOptions {
  readonly view: ClusterView;
  readonly layout: Layout;
  readonly sinks: readonly string[];
}

/** The topics an application writes, as they are on the cluster. */
export async function describeWritten(options: WrittenTopicsOptions): Promise<WrittenTopics> {
  const { view, layout, sinks } = options;
  const names = [...new Set([...sinks, ...layout.owned.map(({ topic }) => topic)])];
  if (names.length === 0) return { written: new Map(), tombstoneRetention: new Map() };
  const known = await view.topics(names);
  const topics = await topicConfigs(options, names, ['max.message.bytes', 'delete.retention.ms']);
  const configs = new Map(topics.map((each) => [each.topic, each.configs]));
  const written = names.map((name): [string, OutboxTopic] => {
    const limit = Number(configs.get(name)?.get('max.message.bytes') ?? MAX_MESSAGE_BYTES);
    return [name, { name, partitions: known.get(name)?.partitions ?? 1, maxBytes: limit }];
  });
  const changelogs = layout.owned.filter(({ kind }) => kind === 'changelog');
  const retention = changelogs.map(({ topic }): [string, number] => [
    topic,
    Number(configs.get(topic)?.get('delete.retention.ms') ?? CHANGELOG_TOMBSTONE_RETENTION_MS),
  ]);
  return { written: new Map(written), tombstoneRetention: new Map(retention) };
}
