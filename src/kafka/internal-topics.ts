import { MillraceError } from '../errors/millrace-error';
import { days } from '../model/duration';
import type { Logger } from '../model/logger';
import type { Clock } from '../time/clock';
import type { ClusterView, TopicView } from './cluster-view';
import { describeCode } from './describe-code';
import { kafkaCode } from './error-codes';
import { groupedByLeader } from './offsets';
import type { KafkaPort, NewTopic, TopicCodes, TopicPartition } from './port';
import { leaderMoved, readAgain } from './retriable-codes';
import { again, Deadline, done, retrying, steady } from './retrying';

export interface InternalTopicsOptions {
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly logger: Logger;
  /** -1 (default): the broker's own. */
  readonly replicationFactor?: number;
  /** Default 60,000. */
  readonly giveUpAfterMs?: number;
}

export interface InternalTopicSpec {
  readonly topic: string;
  readonly kind: 'changelog' | 'repartition';
  readonly partitions: number;
  /** More configs, or other values for those below. */
  readonly configs?: Readonly<Record<string, string>>;
}

/** Local state older than half of this is rebuilt, because tombstones may be gone that it has not seen. */
export const CHANGELOG_TOMBSTONE_RETENTION_MS = days(7);

const cleanupPolicy = { changelog: 'compact', repartition: 'delete' } as const;

/**
 * Which event times are believed is the program's business (`maxFuture`). By a broker's default, what lies an hour ahead would be refused here,
 * and end the run, after it had been taken in.
 */
const anyEventTime = {
  'message.timestamp.type': 'CreateTime',
  'message.timestamp.before.max.ms': '9223372036854775807',
  'message.timestamp.after.max.ms': '9223372036854775807',
} as const;

/**
 * Changelogs are compacted only: `delete` goes by record timestamp and would remove open windows of old event times. Repartition topics keep
 * everything until it has been committed and is purged by us; small segments, because only whole ones are freed.
 */
const configs = {
  changelog: {
    'cleanup.policy': cleanupPolicy.changelog,
    'delete.retention.ms': String(CHANGELOG_TOMBSTONE_RETENTION_MS),
    ...anyEventTime,
  },
  repartition: {
    'cleanup.policy': cleanupPolicy.repartition,
    'retention.ms': '-1',
    'segment.bytes': String(50 * 1024 * 1024),
    ...anyEventTime,
  },
} as const;

const NETWORK_EXCEPTION = 13;
const createAgain: ReadonlySet<number> = new Set([kafkaCode.NOT_CONTROLLER, kafkaCode.COORDINATOR_NOT_AVAILABLE, NETWORK_EXCEPTION]);
/** 7: created, but not everywhere within the time given; metadata will show it. */
const created: ReadonlySet<number> = new Set([kafkaCode.NONE, kafkaCode.TOPIC_ALREADY_EXISTS, kafkaCode.REQUEST_TIMED_OUT]);

/** The topics an application makes for itself. */
export class InternalTopics {
  readonly #options: InternalTopicsOptions;
  readonly #giveUpAfterMs: number;

  constructor(options: InternalTopicsOptions) {
    this.#options = options;
    this.#giveUpAfterMs = options.giveUpAfterMs ?? 60_000;
  }

  /**
   * Creates what is missing, checks what is there, and waits until every partition has a leader.
   *
   * @throws CO_PARTITION when a topic has another partition count; CONFIG when its cleanup policy would lose data; BROKER_ERROR when it may
   *   not be created; BROKERS_UNREACHABLE
   */
  async ensure(specs: readonly InternalTopicSpec[]): Promise<ReadonlyMap<string, TopicView>> {
    if (specs.length === 0) return new Map();
    const deadline = new Deadline(this.#options.clock, this.#giveUpAfterMs);
    await this.#create(specs, deadline);
    const { view } = this.#options;
    const topics = await view.topics(specs.map(({ topic }) => topic));
    for (const spec of specs) checkPartitions(spec, topics.get(spec.topic)!);
    await this.#checkPolicies(specs, deadline);
    const leaders = specs.flatMap(({ topic, partitions }) =>
      Array.from({ length: partitions }, (_, i) => view.leaderOf(topic, i, deadline)),
    );
    await Promise.all(leaders);
    return topics;
  }

  /**
   * Removes the records below each offset; -1: all. To be called with committed offsets only. What fails is logged and left for the next
   * time: nothing depends on it but disk space.
   */
  async purge(partitions: readonly (TopicPartition & { readonly offset: number })[]): Promise<void> {
    const { port, view, clock, logger } = this.#options;
    const deadline = new Deadline(clock, this.#giveUpAfterMs);
    try {
      const groups = await groupedByLeader(view, partitions, deadline);
      for (const [node, group] of groups) {
        const answer = await port.deleteRecords(node, { partitions: group, timeoutMs: 30_000 });
        for (const { topic, partition, errorCode } of answer.partitions) {
          if (errorCode === kafkaCode.NONE) continue;
          if (leaderMoved.has(errorCode)) view.forgetLeader(topic, partition, node);
          const fields = { topic, partition, why: describeCode(errorCode) };
          if (readAgain.has(errorCode)) logger.debug(fields, 'not purged this time');
          else logger.warn(fields, 'records of a repartition topic could not be removed');
        }
      }
    } catch (error) {
      for (const { topic, partition } of partitions) view.forgetLeader(topic, partition);
      logger.debug({ error: String(error) }, 'not purged this time');
    }
  }

  async #create(specs: readonly InternalTopicSpec[], deadline: Deadline): Promise<void> {
    const { port, clock, replicationFactor = -1 } = this.#options;
    let missing = specs;
    const waitingFor = `topics to be created: ${specs.map(({ topic }) => topic).join(', ')}`;
    await retrying({ clock, deadline, backoff: steady, waitingFor }, async () => {
      const wanted = missing.map(({ topic, kind, partitions, configs: more }): NewTopic => ({
        topic,
        partitions,
        replicationFactor,
        configs: { ...configs[kind], ...more },
      }));
      const answer = await port.createTopics(wanted, 30_000);
      const refused = answer.topics.filter(({ errorCode }) => !created.has(errorCode) && !createAgain.has(errorCode));
      if (refused.length > 0) throw notCreated(refused);
      const busy = answer.topics.filter(({ errorCode }) => createAgain.has(errorCode));
      missing = missing.filter(({ topic }) => busy.some((each) => each.topic === topic));
      return busy.length === 0 ? done(undefined) : again(busy[0]!.errorCode);
    });
  }

  async #checkPolicies(specs: readonly InternalTopicSpec[], deadline: Deadline): Promise<void> {
    const { port, clock } = this.#options;
    const names = specs.map(({ topic }) => topic);
    const waitingFor = `the configs of ${names.join(', ')}`;
    const policies = await retrying({ clock, deadline, backoff: steady, waitingFor }, async () => {
      const answer = await port.describeConfigs(names, ['cleanup.policy']);
      const failed = answer.topics.find(({ errorCode }) => errorCode !== kafkaCode.NONE);
      if (failed === undefined)
        return done(new Map(answer.topics.map(({ topic, configs: found }) => [topic, found.get('cleanup.policy')])));
      if (failed.errorCode === kafkaCode.UNKNOWN_TOPIC_OR_PARTITION || createAgain.has(failed.errorCode)) return again(failed.errorCode);
      throw new MillraceError('BROKER_ERROR', `The configs of ${failed.topic} are not given: ${describeCode(failed.errorCode)}.`, {
        where: { topic: failed.topic },
      });
    });
    for (const spec of specs) checkPolicy(spec, policies.get(spec.topic));
  }
}

function checkPartitions({ topic, kind, partitions }: InternalTopicSpec, found: TopicView): void {
  if (found.partitions === partitions) return;
  throw new MillraceError(
    'CO_PARTITION',
    `The ${kind} topic ${topic} has ${found.partitions} partitions, but ${partitions} are needed: the inputs' partition counts have changed, or ` +
      'another application uses its name. Delete it after a reset, or take another application id.',
    { where: { topic } },
  );
}

function checkPolicy({ topic, kind, configs: more }: InternalTopicSpec, found: string | null | undefined): void {
  const wanted = more?.['cleanup.policy'] ?? cleanupPolicy[kind];
  if (found === wanted) return;
  throw new MillraceError(
    'CONFIG',
    `The ${kind} topic ${topic} has cleanup.policy=${found ?? 'none'}, but needs ${wanted}: with another one Kafka would remove what is needed ` +
      `(${kind === 'changelog' ? 'state that is still live' : 'records that were not read yet'}), or keep it for ever. Set it with kafka-configs.`,
    { where: { topic } },
  );
}

function notCreated(refused: TopicCodes['topics']): MillraceError {
  const reasons = refused.map(
    ({ topic, errorCode, errorMessage }) => `${topic}: ${describeCode(errorCode)}${errorMessage === null ? '' : ` (${errorMessage})`}`,
  );
  return new MillraceError('BROKER_ERROR', `Internal topics could not be created. ${reasons.join('; ')}`, {
    where: { topic: refused[0]!.topic },
  });
}
