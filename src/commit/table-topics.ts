import type { Logger } from '../model/logger';
import { topicConfigs, type TopicConfigsOptions } from './topic-configs';

/** `delete.retention.ms` of a topic whose configuration says nothing else: the broker's default. */
const TOMBSTONES_KEPT_MS = 24 * 60 * 60 * 1_000;

/**
 * How long each topic that feeds a table keeps its tombstones, ms: `delete.retention.ms`. Warns of topics that are not compacted: what they
 * remove by age is missing from the table after the next restore, and what they never remove is read again each time.
 */
export async function describeTableTopics(
  options: TopicConfigsOptions,
  names: readonly string[],
  logger: Logger,
): Promise<ReadonlyMap<string, number>> {
  if (names.length === 0) return new Map();
  const topics = await topicConfigs(options, names, ['cleanup.policy', 'delete.retention.ms']);
  return new Map(
    topics.map(({ topic, configs }): [string, number] => {
      const policy = configs.get('cleanup.policy') ?? 'delete';
      if (policy !== 'compact') {
        logger.warn(
          { topic, policy },
          `topic "${topic}" is read as a table, but its cleanup.policy is ${policy}: rows that it removes by age are gone from the table after a restore; set it to compact`,
        );
      }
      return [topic, Number(configs.get('delete.retention.ms') ?? TOMBSTONES_KEPT_MS)];
    }),
  );
}
