import type { NewTopic, NodeId, TopicMetadata, TopicPartition } from '../kafka/port';
import type { Clock } from '../time/clock';
import { brokerCode } from './broker-code';
import type { Nodes } from './nodes';
import { Partition } from './partition';
import { refuseConfigs, TopicConfig } from './topic-config';

export interface Topic {
  readonly name: string;
  /** 32 hex digits. */
  readonly id: string;
  readonly config: TopicConfig;
  readonly partitions: readonly Partition[];
}

export interface Refused {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

const NO_TOPIC_ID = '0'.repeat(32);
const VALID_NAME = /^[a-zA-Z0-9._-]{1,249}$/;
const DEFAULT_PARTITIONS = 1;

function isValidName(name: string): boolean {
  return VALID_NAME.test(name) && name !== '.' && name !== '..';
}

/** The topics of the cluster and who leads their partitions. */
export class Topics {
  readonly #topics = new Map<string, Topic>();
  #created = 0;

  constructor(
    private readonly clock: Clock,
    private readonly nodes: Nodes,
    private readonly cutsBatches: boolean,
  ) {}

  create(request: NewTopic): Refused {
    const partitions = request.partitions === -1 ? DEFAULT_PARTITIONS : request.partitions;
    const refused = this.#refuse(request, partitions);
    if (refused !== undefined) return refused;
    const config = new TopicConfig(request.configs);
    const settings = config.partitionSettings(this.cutsBatches);
    const first = this.#created++;
    const { up } = this.nodes;
    this.#topics.set(request.topic, {
      name: request.topic,
      id: this.#newId(),
      config,
      partitions: Array.from(
        { length: partitions },
        (_, partition) => new Partition(request.topic, partition, up[(first + partition) % up.length]!, settings),
      ),
    });
    return { errorCode: brokerCode.NONE, errorMessage: null };
  }

  /** More partitions at the end. */
  grow(name: string, partitions: number): void {
    const topic = this.#topics.get(name);
    if (topic === undefined) return;
    const settings = topic.config.partitionSettings(this.cutsBatches);
    const { up } = this.nodes;
    const added = Array.from({ length: partitions - topic.partitions.length }, (_, at) => {
      const partition = topic.partitions.length + at;
      return new Partition(name, partition, up[partition % up.length]!, settings);
    });
    this.#topics.set(name, { ...topic, partitions: [...topic.partitions, ...added] });
  }

  delete(name: string): Topic | undefined {
    const topic = this.#topics.get(name);
    this.#topics.delete(name);
    return topic;
  }

  get(name: string): Topic | undefined {
    return this.#topics.get(name);
  }

  names(): string[] {
    return [...this.#topics.keys()];
  }

  partition({ topic, partition }: TopicPartition): Partition | undefined {
    return this.#topics.get(topic)?.partitions[partition];
  }

  /** All of them. */
  partitions(): Partition[] {
    return [...this.#topics.values()].flatMap(({ partitions }) => partitions);
  }

  /** As `node` knows it. */
  metadata(name: string, node: NodeId): TopicMetadata {
    const topic = this.#topics.get(name);
    if (topic === undefined) {
      const errorCode = isValidName(name) ? brokerCode.UNKNOWN_TOPIC_OR_PARTITION : brokerCode.INVALID_TOPIC_EXCEPTION;
      return { topic: name, errorCode, topicId: NO_TOPIC_ID, partitions: [] };
    }
    const now = this.clock.monotonic();
    const partitions = topic.partitions.map((each) => each.metadata(node, now));
    return { topic: name, errorCode: brokerCode.NONE, topicId: topic.id, partitions };
  }

  #refuse({ topic, replicationFactor, configs }: NewTopic, partitions: number): Refused | undefined {
    if (!isValidName(topic)) return { errorCode: brokerCode.INVALID_TOPIC_EXCEPTION, errorMessage: `Topic name is invalid: '${topic}'` };
    if (this.#topics.has(topic)) return { errorCode: brokerCode.TOPIC_ALREADY_EXISTS, errorMessage: `Topic '${topic}' already exists.` };
    if (partitions <= 0) {
      return { errorCode: brokerCode.INVALID_PARTITIONS, errorMessage: 'Number of partitions was set to an invalid non-positive value.' };
    }
    if (replicationFactor !== -1 && (replicationFactor <= 0 || replicationFactor > this.nodes.all.length)) {
      const errorMessage = `Unable to replicate the partition ${replicationFactor} time(s): there are ${this.nodes.all.length} broker(s).`;
      return { errorCode: brokerCode.INVALID_REPLICATION_FACTOR, errorMessage };
    }
    const errorMessage = refuseConfigs(configs);
    return errorMessage === undefined ? undefined : { errorCode: brokerCode.INVALID_CONFIG, errorMessage };
  }

  #newId(): string {
    return Array.from({ length: 32 }, () => Math.floor(this.clock.random() * 16).toString(16)).join('');
  }
}
