import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from 'millrace';

/** What a run makes on a broker. */
export interface Belongings {
  readonly cluster: Cluster;
  readonly applicationId: string;
  readonly topics: readonly { readonly name: string }[];
  /** Those of them that are read as tables: compacted, so that each key's latest record stays. */
  readonly tables?: readonly { readonly name: string }[];
  readonly partitions: number;
  /** Those the application creates topics for by itself. */
  readonly stores: readonly { readonly name: string }[];
  readonly internalTopics: readonly { readonly name: string }[];
}

/** Kafka's default retention goes by the records' own times: what is more than a week old would be deleted at once. */
const ofStreams = { 'retention.ms': '-1' };
const ofTables = { 'cleanup.policy': 'compact' };

/** Creates the topics and a folder for state, runs `body`, and removes them all, the application's own topics too. */
export async function withoutTrace<B extends Belongings, T>(
  belongings: B,
  body: (stateDirectory: string, belongings: B) => Promise<T>,
): Promise<T> {
  const { cluster, applicationId, partitions, tables = [] } = belongings;
  const names = belongings.topics.map(({ name }) => name);
  const owned = [
    ...belongings.internalTopics.map(({ name }) => `${applicationId}-${name}-repartition`),
    ...belongings.stores.map(({ name }) => `${applicationId}-${name}-changelog`),
  ];
  const stateDirectory = await mkdtemp(join(tmpdir(), `${applicationId}-`));
  try {
    const compacted = new Set(tables.map(({ name }) => name));
    await cluster.createTopics(names.map((name) => ({ name, partitions, configs: compacted.has(name) ? ofTables : ofStreams })));
    return await body(stateDirectory, belongings);
  } finally {
    await rm(stateDirectory, { recursive: true, force: true });
    await cluster.deleteTopics([...names, ...owned]);
  }
}
