import { MillraceError } from '../errors/millrace-error';
import { delay, type Clock } from '../time/clock';
import { asMillraceError } from './as-millrace-error';
import type { ClusterView } from './cluster-view';
import { describeCode } from './describe-code';
import { kafkaCode } from './error-codes';
import { partitionKey } from './partition-key';
import type { KafkaPort, ListOffsetsAnswer, NodeId, TopicPartition } from './port';
import { leaderMoved, readAgain } from './retriable-codes';
import { Deadline, gaveUp, steady } from './retrying';

const LATEST = -1;

export interface LeaderEpochsOptions {
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly clock: Clock;
}

export interface Leader {
  readonly node: NodeId;
  /** To be sent with each fetch: a broker that no longer leads is noticed by nothing else. -1: the broker gives none. */
  readonly leaderEpoch: number;
}

type EpochAnswer = ListOffsetsAnswer['partitions'][number];

interface Question extends TopicPartition {
  readonly resolve: (answer: EpochAnswer | MillraceError) => void;
}

/**
 * Leaders and their epochs. Metadata as old as kafkajs speaks it gives no epoch; ListOffsets does, and for the *latest* offset it is the
 * partition's current one (for the earliest it would be the epoch the first batch was written in).
 */
export class LeaderEpochs {
  readonly #options: LeaderEpochsOptions;
  readonly #questions = new Map<NodeId, Question[]>();

  constructor(options: LeaderEpochsOptions) {
    this.#options = options;
  }

  /** @throws UNKNOWN_TOPIC; BROKERS_UNREACHABLE or BROKER_ERROR when the view's time is up */
  async leaderOf(topic: string, partition: number): Promise<Leader> {
    const { view, clock } = this.#options;
    const deadline = new Deadline(clock, view.giveUpAfterMs);
    for (;;) {
      const node = await view.leaderOf(topic, partition, deadline);
      const answer = await this.#ask(node, topic, partition);
      if (answer instanceof MillraceError && !answer.retryable) throw answer;
      if (!(answer instanceof MillraceError) && answer.errorCode === kafkaCode.NONE) return { node, leaderEpoch: answer.leaderEpoch };
      const because = answer instanceof MillraceError ? answer : answer.errorCode;
      if (typeof because === 'number' && !readAgain.has(because)) throw notTold(topic, partition, because);
      if (deadline.passed) throw gaveUp(`the leader of ${topic}-${partition} to answer`, deadline, because);
      if (typeof because !== 'number' || leaderMoved.has(because)) view.forgetLeader(topic, partition, node);
      else await delay(clock, steady(0, clock));
    }
  }

  /** Questions asked in the same turn share a request. */
  #ask(node: NodeId, topic: string, partition: number): Promise<EpochAnswer | MillraceError> {
    return new Promise((resolve) => {
      const question = { topic, partition, resolve };
      const waiting = this.#questions.get(node);
      if (waiting !== undefined) {
        waiting.push(question);
        return;
      }
      this.#questions.set(node, [question]);
      queueMicrotask(() => void this.#send(node));
    });
  }

  async #send(node: NodeId): Promise<void> {
    const questions = this.#questions.get(node) ?? [];
    this.#questions.delete(node);
    const partitions = questions.map(({ topic, partition }) => ({ topic, partition, timestamp: LATEST }));
    try {
      const answer = await this.#options.port.listOffsets(node, { readCommitted: true, partitions });
      const answers = new Map(answer.partitions.map((each) => [partitionKey(each.topic, each.partition), each]));
      for (const { topic, partition, resolve } of questions) {
        const missing = new MillraceError('PROTOCOL', `A ListOffsets answer leaves out ${topic}-${partition}.`);
        resolve(answers.get(partitionKey(topic, partition)) ?? missing);
      }
    } catch (error) {
      for (const { resolve } of questions) resolve(asMillraceError(error));
    }
  }
}

function notTold(topic: string, partition: number, code: number): MillraceError {
  return new MillraceError('BROKER_ERROR', `The leader of ${topic}-${partition} does not tell its end: ${describeCode(code)}.`, {
    where: { topic, partition },
  });
}
