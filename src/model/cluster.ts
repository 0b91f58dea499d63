import type { KafkaRecord, Placement } from './record';
import type { Topic } from './topic';

/** Topics to create, fill and read without an application: what demos, examples and tests need of either broker. */
export interface Cluster {
  /** A topic that exists already is left as it is. */
  readonly createTopics: (
    topics: readonly { readonly name: string; readonly partitions: number; readonly configs?: Readonly<Record<string, string>> }[],
  ) => Promise<void>;
  /** A topic that does not exist is no mistake. */
  readonly deleteTopics: (names: readonly string[]) => Promise<void>;
  /** Partitioned by murmur2 of the key's bytes, records without a key in turn; in order within each partition. Settles when all are acknowledged. */
  readonly write: <K, V>(topic: Topic<K, V>, records: Iterable<KafkaRecord<K, V, Placement>>) => Promise<void>;
  /** All committed records, partition by partition; what was decided before is waited for, a transaction left open is not (after 2 s). */
  readonly read: <K, V>(topic: Topic<K, V>) => Promise<readonly KafkaRecord<K, V>[]>;
  /** Ends connections; a memory cluster keeps its data. */
  readonly close: () => Promise<void>;
}
