import { MillraceError } from '../errors/millrace-error';
import type { Clock } from '../time/clock';
import type { ClusterView } from './cluster-view';
import { describeCode } from './describe-code';
import { kafkaCode } from './error-codes';
import { partitionKey } from './partition-key';
import type { KafkaPort, ListOffsetsAnswer, NodeId, OffsetToCommit, TopicPartition } from './port';
import { coordinatorMoved, leaderMoved, offsetFetchAgain, readAgain } from './retriable-codes';
import { again, Deadline, done, doubling, isUnread, retrying, steady, type Attempt } from './retrying';

export interface OffsetReaderOptions {
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly clock: Clock;
  /** How long one question may take in all, ms. Default 90,000: 88 lasts as long as the transaction of a dead process. */
  readonly giveUpAfterMs?: number;
}

export interface PartitionOffset extends TopicPartition {
  /** -1: there is none (no committed offset; no record as late as asked for). */
  readonly offset: number;
}

/** What a ListOffsets asks for beside a time in ms. */
const EARLIEST = -2;
const LATEST = -1;

/** Answers to "which offset": committed ones from the group's coordinator, those of the log from the partitions' leaders. */
export class OffsetReader {
  readonly #port: KafkaPort;
  readonly #view: ClusterView;
  readonly #clock: Clock;
  readonly #giveUpAfterMs: number;

  constructor(options: OffsetReaderOptions) {
    this.#port = options.port;
    this.#view = options.view;
    this.#clock = options.clock;
    this.#giveUpAfterMs = options.giveUpAfterMs ?? 90_000;
  }

  /**
   * What the group has committed, with its metadata, in the order of `partitions`. A transaction over these offsets that is being
   * completed is waited for (requireStable): EndTxn's answer only says that it is decided.
   */
  committedOffsets(groupId: string, partitions: readonly TopicPartition[]): Promise<readonly OffsetToCommit[]> {
    if (partitions.length === 0) return Promise.resolve([]);
    const deadline = new Deadline(this.#clock, this.#giveUpAfterMs);
    const waitingFor = `the committed offsets of group ${groupId} for ${listed(partitions)}`;
    return retrying({ clock: this.#clock, deadline, backoff: doubling, waitingFor }, async () => {
      const node = await this.#view.coordinator('group', groupId, deadline);
      try {
        const answer = await this.#port.offsetFetch(node, { groupId, requireStable: true, partitions });
        const code = [answer, ...answer.partitions].find((each) => each.errorCode !== 0)?.errorCode ?? 0;
        if (coordinatorMoved.has(code)) this.#view.forgetCoordinator('group', groupId);
        if (offsetFetchAgain.has(code)) return again(code);
        if (code !== 0) throw new MillraceError('BROKER_ERROR', `${describeCode(code)} was the answer when asking for ${waitingFor}.`);
        const found = new Map(answer.partitions.map((each) => [partitionKey(each.topic, each.partition), each]));
        return done(
          partitions.map(({ topic, partition }) => {
            const { offset, metadata } = found.get(partitionKey(topic, partition)) ?? { offset: -1, metadata: '' };
            return { topic, partition, offset, metadata };
          }),
        );
      } catch (error) {
        if (isUnread(error)) this.#view.forgetCoordinator('group', groupId);
        throw error;
      }
    });
  }

  /** The last stable offsets (`readCommitted`) or the high watermarks, in the order of `partitions`. */
  endOffsets(partitions: readonly TopicPartition[], readCommitted: boolean): Promise<readonly PartitionOffset[]> {
    return this.#listed(partitions, () => LATEST, readCommitted);
  }

  /** The first offsets that the log still has, in the order of `partitions`. */
  startOffsets(partitions: readonly TopicPartition[]): Promise<readonly PartitionOffset[]> {
    return this.#listed(partitions, () => EARLIEST, false);
  }

  /** The first offset whose record's timestamp is at or after `timestamp`; -1: none. In the order of `partitions`. */
  offsetsForTime(partitions: readonly (TopicPartition & { readonly timestamp: number })[]): Promise<readonly PartitionOffset[]> {
    return this.#listed(partitions, (partition) => partition.timestamp, true);
  }

  async #listed<P extends TopicPartition>(
    partitions: readonly P[],
    timestampOf: (partition: P) => number,
    readCommitted: boolean,
  ): Promise<readonly PartitionOffset[]> {
    const deadline = new Deadline(this.#clock, this.#giveUpAfterMs);
    const found = new Map<string, number>();
    let left = partitions.map((each) => ({ topic: each.topic, partition: each.partition, timestamp: timestampOf(each) }));
    const waitingFor = `offsets of ${listed(partitions)}`;
    await retrying({ clock: this.#clock, deadline, backoff: steady, waitingFor }, async (): Promise<Attempt<void>> => {
      let because: unknown;
      const groups = await groupedByLeader(this.#view, left, deadline);
      const answers = await Promise.all(
        [...groups].map(async ([node, group]) => {
          try {
            return await this.#port.listOffsets(node, { readCommitted, partitions: group });
          } catch (error) {
            if (!isUnread(error)) throw error;
            because = error;
            for (const { topic, partition } of group) this.#view.forgetLeader(topic, partition, node);
            return NOTHING;
          }
        }),
      );
      for (const answer of answers.flatMap((each) => each.partitions)) {
        const { topic, partition, errorCode } = answer;
        if (errorCode === kafkaCode.NONE) {
          found.set(partitionKey(topic, partition), answer.offset);
          continue;
        }
        if (!readAgain.has(errorCode)) throw refusedToList(answer, errorCode);
        because = errorCode;
        if (leaderMoved.has(errorCode)) this.#view.forgetLeader(topic, partition);
      }
      left = left.filter(({ topic, partition }) => !found.has(partitionKey(topic, partition)));
      return left.length === 0 ? done(undefined) : again(because ?? 'an answer without these partitions');
    });
    return partitions.map(({ topic, partition }) => ({ topic, partition, offset: found.get(partitionKey(topic, partition))! }));
  }
}

const NOTHING: ListOffsetsAnswer = { partitions: [] };

/** The partitions under the node that leads them, as one request each asks for them. */
export async function groupedByLeader<P extends TopicPartition>(
  view: ClusterView,
  partitions: readonly P[],
  deadline: Deadline,
): Promise<Map<NodeId, P[]>> {
  const leaders = await Promise.all(partitions.map((each) => view.leaderOf(each.topic, each.partition, deadline)));
  const groups = new Map<NodeId, P[]>();
  partitions.forEach((each, i) => {
    const group = groups.get(leaders[i]!);
    if (group === undefined) groups.set(leaders[i]!, [each]);
    else group.push(each);
  });
  return groups;
}

function refusedToList({ topic, partition }: TopicPartition, code: number): MillraceError {
  const remedy = code === kafkaCode.TOPIC_AUTHORIZATION_FAILED ? ' Allow this user to describe the topic.' : '';
  return new MillraceError('BROKER_ERROR', `The offsets of ${topic}-${partition} are not given: ${describeCode(code)}.${remedy}`, {
    where: { topic, partition },
  });
}

function listed(partitions: readonly TopicPartition[]): string {
  const names = partitions.slice(0, 5).map(({ topic, partition }) => partitionKey(topic, partition));
  return partitions.length > 5 ? `${names.join(', ')} and ${partitions.length - 5} more` : names.join(', ');
}
