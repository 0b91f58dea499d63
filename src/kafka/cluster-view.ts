import { MillraceError } from '../errors/millrace-error';
import type { Logger } from '../model/logger';
import { delay, type Clock } from '../time/clock';
import { describeCode } from './describe-code';
import { kafkaCode } from './error-codes';
import type { KafkaPort, MetadataAnswer, NodeId, TopicMetadata } from './port';
import { coordinatorBusy } from './retriable-codes';
import { again, Deadline, done, isUnread, retrying, steady } from './retrying';

export interface ClusterViewOptions {
  readonly port: KafkaPort;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * How long to look for a leader or a coordinator, ms. Default 30,000: for about 9 s after a broker's death the others go on naming it,
   * and a hung one takes the whole request timeout.
   */
  readonly giveUpAfterMs?: number;
  /** How long the cluster may say that a topic does not exist, ms. Default 5,000: one just created is not known to every broker. */
  readonly unknownTopicAfterMs?: number;
}

export interface TopicView {
  readonly topic: string;
  /** 32 hex digits; another one means that the topic was deleted and created anew. */
  readonly topicId: string;
  readonly partitions: number;
}

export type CoordinatorType = 'group' | 'transaction';

interface KnownTopic extends TopicView {
  /** Of the whole topic. */
  readonly errorCode: number;
  /** By partition; -1: none, or forgotten. */
  readonly leaders: NodeId[];
}

/** The codes of one topic that no waiting cures. */
const hopeless: ReadonlyMap<number, string> = new Map([
  [kafkaCode.INVALID_TOPIC_EXCEPTION, 'Kafka allows letters, digits, ".", "_" and "-", at most 249 of them.'],
  [kafkaCode.TOPIC_AUTHORIZATION_FAILED, 'Allow this user to describe the topic.'],
]);

/**
 * Who leads which partition and who coordinates what, as far as known. All callers share one request in flight; what turns out to be wrong
 * is forgotten by whoever noticed, and looked up again by the next who asks. A topic that is gone disturbs no other.
 */
export class ClusterView {
  readonly giveUpAfterMs: number;
  readonly #port: KafkaPort;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #unknownTopicAfterMs: number;
  readonly #topics = new Map<string, KnownTopic>();
  readonly #wanted = new Set<string>();
  readonly #coordinators = new Map<string, Promise<NodeId>>();
  #brokers: MetadataAnswer['brokers'] = [];
  #clusterId: string | undefined;
  #refresh: Promise<void> | undefined;
  #lastRefresh = -Infinity;
  #lastFailure: MillraceError | undefined;

  constructor(options: ClusterViewOptions) {
    this.#port = options.port;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.giveUpAfterMs = options.giveUpAfterMs ?? 30_000;
    this.#unknownTopicAfterMs = options.unknownTopicAfterMs ?? 5_000;
  }

  /** How many brokers the cluster had when it was last asked; 0: never asked. */
  get brokerCount(): number {
    return this.#brokers.length;
  }

  /** The id by which clusters tell themselves apart. */
  async clusterId(): Promise<string> {
    const deadline = new Deadline(this.#clock, this.giveUpAfterMs);
    while (this.#clusterId === undefined) {
      if (deadline.passed) throw this.#unreachable('the cluster id', deadline);
      await this.#refreshed();
    }
    return this.#clusterId;
  }

  /**
   * Id and partition count of each topic.
   *
   * @throws UNKNOWN_TOPIC naming every topic that does not exist; BROKERS_UNREACHABLE
   */
  async topics(names: readonly string[]): Promise<ReadonlyMap<string, TopicView>> {
    const deadline = new Deadline(this.#clock, this.giveUpAfterMs);
    const unknownBy = new Deadline(this.#clock, this.#unknownTopicAfterMs);
    for (;;) {
      const missing = names.filter((name) => (this.#topics.get(name)?.partitions ?? 0) === 0);
      if (missing.length === 0) return new Map(names.map((name) => [name, this.#topics.get(name)!]));
      const known = missing.every((name) => this.#topics.has(name));
      if (known && (unknownBy.passed || missing.every((name) => this.#isHopeless(name)))) throw this.#unknown(missing);
      if (deadline.passed) throw this.#unreachable(`the metadata of ${missing.join(', ')}`, deadline);
      for (const name of missing) this.#wanted.add(name);
      await this.#refreshed();
    }
  }

  /** As last heard of. */
  knownPartitions(topic: string): number | undefined {
    return this.#topics.get(topic)?.partitions;
  }

  /** The leader as last heard of; undefined: `leaderOf` has to ask. */
  knownLeader(topic: string, partition: number): NodeId | undefined {
    const leader = this.#topics.get(topic)?.leaders[partition];
    return leader === undefined || leader < 0 ? undefined : leader;
  }

  /**
   * The leader, looked up at most every 50 to 100 ms until there is one.
   *
   * @param deadline default: `giveUpAfterMs` from now
   * @throws UNKNOWN_TOPIC when topic or partition does not exist; BROKERS_UNREACHABLE when the time is up
   */
  async leaderOf(topic: string, partition: number, deadline = new Deadline(this.#clock, this.giveUpAfterMs)): Promise<NodeId> {
    const unknownBy = new Deadline(this.#clock, this.#unknownTopicAfterMs);
    for (;;) {
      const leader = this.knownLeader(topic, partition);
      if (leader !== undefined) return leader;
      const known = this.#topics.get(topic);
      if (known !== undefined && partition >= known.partitions && (unknownBy.passed || this.#isHopeless(topic))) {
        throw known.partitions === 0 ? this.#unknown([topic]) : this.#unknownPartition(known, partition);
      }
      if (deadline.passed) throw this.#unreachable(`a leader of ${topic}-${partition}`, deadline, { topic, partition });
      this.#wanted.add(topic);
      await this.#refreshed();
    }
  }

  /** To be called when `node` turned out not to lead the partition, or did not answer; without `node`: whoever is known. */
  forgetLeader(topic: string, partition: number, node?: NodeId): void {
    const leaders = this.#topics.get(topic)?.leaders;
    if (leaders?.[partition] === undefined) return;
    if (node === undefined || leaders[partition] === node) leaders[partition] = -1;
  }

  /**
   * The group's or transactional id's coordinator.
   *
   * @throws BROKERS_UNREACHABLE when there is none within the time; BROKER_ERROR, such as a missing permission
   */
  coordinator(type: CoordinatorType, key: string, deadline = new Deadline(this.#clock, this.giveUpAfterMs)): Promise<NodeId> {
    const cacheKey = `${type} ${key}`;
    const known = this.#coordinators.get(cacheKey);
    if (known !== undefined) return known;
    const found = this.#findCoordinator(type, key, deadline);
    this.#coordinators.set(cacheKey, found);
    found.catch(() => {
      if (this.#coordinators.get(cacheKey) === found) this.#coordinators.delete(cacheKey);
    });
    return found;
  }

  /** To be called when the coordinator turned out to be elsewhere, or did not answer. */
  forgetCoordinator(type: CoordinatorType, key: string): void {
    this.#coordinators.delete(`${type} ${key}`);
  }

  #findCoordinator(type: CoordinatorType, key: string, deadline: Deadline): Promise<NodeId> {
    const waitingFor = `the coordinator of ${type === 'group' ? 'group' : 'transactional id'} "${key}" (brokers: ${this.#brokerNames()})`;
    return retrying({ clock: this.#clock, deadline, backoff: steady, waitingFor }, async () => {
      const answer = await this.#port.findCoordinator({ type, key });
      if (answer.errorCode === kafkaCode.NONE) return done(answer.nodeId);
      if (coordinatorBusy.has(answer.errorCode)) return again(answer.errorCode);
      throw new MillraceError(
        'BROKER_ERROR',
        `The cluster does not name ${waitingFor}: ${describeCode(answer.errorCode)}. Check that this user may use it.`,
      );
    });
  }

  /** One more answer to a metadata request has come, or failed to. Never rejects for what may pass. */
  async #refreshed(): Promise<void> {
    this.#refresh ??= this.#askForMetadata().finally(() => (this.#refresh = undefined));
    await this.#refresh;
  }

  async #askForMetadata(): Promise<void> {
    const isNew = [...this.#wanted].some((name) => !this.#topics.has(name));
    const since = this.#clock.monotonic() - this.#lastRefresh;
    const apart = steady(0, this.#clock);
    if (since < apart && !isNew) await delay(this.#clock, apart - since);
    try {
      this.#apply(await this.#port.metadata([...this.#wanted]));
      this.#lastFailure = undefined;
    } catch (error) {
      if (!isUnread(error)) throw error;
      this.#lastFailure = error;
      this.#logger.debug({ error: error.message }, 'no metadata');
      // Topics never heard of are no reason to ask a dead cluster without a pause.
      if (isNew) await delay(this.#clock, apart);
    } finally {
      this.#lastRefresh = this.#clock.monotonic();
    }
  }

  #apply(answer: MetadataAnswer): void {
    this.#clusterId = answer.clusterId;
    this.#brokers = answer.brokers;
    for (const topic of answer.topics) this.#topics.set(topic.topic, knownTopic(topic));
  }

  #isHopeless(name: string): boolean {
    return hopeless.has(this.#topics.get(name)?.errorCode ?? 0);
  }

  #brokerNames(): string {
    return this.#brokers.map((broker) => `${broker.host}:${broker.port}`).join(', ') || 'none known yet';
  }

  #unknown(missing: readonly string[]): MillraceError {
    for (const topic of missing) this.#wanted.delete(topic);
    const why = missing.map((name) => {
      const remedy = hopeless.get(this.#topics.get(name)?.errorCode ?? 0);
      return remedy === undefined ? name : `${name} (${describeCode(this.#topics.get(name)!.errorCode)}: ${remedy})`;
    });
    return new MillraceError(
      'UNKNOWN_TOPIC',
      `${missing.length === 1 ? 'This topic does' : 'These topics do'} not exist on the cluster: ${why.join(', ')}. ` +
        'Create them first, or correct their names.',
      missing.length === 1 ? { where: { topic: missing[0]! } } : {},
    );
  }

  #unknownPartition(known: KnownTopic, partition: number): MillraceError {
    return new MillraceError(
      'UNKNOWN_TOPIC',
      `Topic ${known.topic} has ${known.partitions} partitions, so none with number ${partition}.`,
      {
        where: { topic: known.topic, partition },
      },
    );
  }

  #unreachable(what: string, deadline: Deadline, where = {}): MillraceError {
    const because =
      this.#lastFailure === undefined ? 'The brokers answer, but name none.' : `The last answer was: ${this.#lastFailure.message}`;
    return new MillraceError(
      'BROKERS_UNREACHABLE',
      `Gave up waiting for ${what} after ${deadline.budgetMs} ms; brokers: ${this.#brokerNames()}. ${because}`,
      { cause: this.#lastFailure, retryable: true, where },
    );
  }
}

function knownTopic(answer: TopicMetadata): KnownTopic {
  const leaders: NodeId[] = [];
  for (const { partition, leader, errorCode } of answer.partitions) {
    leaders[partition] = errorCode === kafkaCode.LEADER_NOT_AVAILABLE ? -1 : leader;
  }
  return {
    topic: answer.topic,
    topicId: answer.topicId,
    errorCode: answer.errorCode,
    partitions: answer.errorCode === kafkaCode.UNKNOWN_TOPIC_OR_PARTITION ? 0 : leaders.length,
    leaders,
  };
}
