import { MillraceError } from '../errors/millrace-error';
import type { Clock } from '../time/clock';
import type { ClusterView } from './cluster-view';
import { describeCode } from './describe-code';
import { kafkaCode } from './error-codes';
import type { InitProducerIdAnswer, KafkaPort, NodeId, PartitionCodes, ProducerIdentity, TopicPartition } from './port';
import type { MemberIdentity, OffsetToCommit } from './port';
import { coordinatorBusy, coordinatorMoved, endTxnAgain } from './retriable-codes';
import { again, Deadline, done, doubling, retrying } from './retrying';

export interface TransactionCoordinatorOptions {
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
}

/** How long a request may be repeated, and whether one of its answers was never read. */
export class Attempts {
  readonly deadline: Deadline;
  /** An old copy of such a request may yet be executed, in a later transaction of the same epoch: the epoch must end. */
  unread = false;

  constructor(deadline: Deadline) {
    this.deadline = deadline;
  }
}

/** Just after its creation a topic is not known everywhere. */
const UNKNOWN_TOPIC_FOR_MS = 5_000;

/** The requests of a transaction: each is repeated while its coordinator moves, loads or is busy; every other code is the caller's. */
export class TransactionCoordinator {
  readonly #options: TransactionCoordinatorOptions;

  constructor(options: TransactionCoordinatorOptions) {
    this.#options = options;
  }

  /** Without `current` whoever held the id is fenced; with it the epoch is raised if it still is ours (KIP-360). */
  initProducerId(attempts: Attempts, current?: ProducerIdentity): Promise<InitProducerIdAnswer> {
    const { port, transactionalId, transactionTimeoutMs } = this.#options;
    const request = { transactionalId, transactionTimeoutMs, ...(current === undefined ? {} : { current }) };
    return this.#ask('a producer id', attempts, (node) => port.initProducerId(node, request), codeOf);
  }

  addPartitions(attempts: Attempts, identity: ProducerIdentity, partitions: readonly TopicPartition[]): Promise<PartitionCodes> {
    const { port, transactionalId, clock } = this.#options;
    const unknownBy = new Deadline(clock, UNKNOWN_TOPIC_FOR_MS);
    return this.#ask(
      'partitions to be added to the transaction',
      attempts,
      (node) => port.addPartitionsToTxn(node, { transactionalId, ...identity, partitions }),
      gravest,
      (code) => coordinatorBusy.has(code) || (code === kafkaCode.UNKNOWN_TOPIC_OR_PARTITION && !unknownBy.passed),
    );
  }

  async addOffsets(attempts: Attempts, identity: ProducerIdentity, groupId: string): Promise<number> {
    const { port, transactionalId } = this.#options;
    const what = 'the offsets to be added to the transaction';
    const answer = await this.#ask(what, attempts, (node) => port.addOffsetsToTxn(node, { transactionalId, ...identity, groupId }), codeOf);
    return answer.errorCode;
  }

  /** Repeats the same EndTxn until it is decided. 0: it is; 47, 48, 90 after an answer that was not read: that leaves it open. */
  async endTxn(attempts: Attempts, identity: ProducerIdentity, commit: boolean): Promise<number> {
    const { port, transactionalId } = this.#options;
    const what = `the transaction to be ${commit ? 'committed' : 'aborted'}`;
    const answer = await this.#ask(
      what,
      attempts,
      async (node) => {
        const ended = await port.endTxn(node, { transactionalId, ...identity, commit });
        // An unknown error says nothing about what has been done.
        if (ended.errorCode < 0) attempts.unread = true;
        return ended;
      },
      codeOf,
      (code) => endTxnAgain.has(code),
    );
    return answer.errorCode;
  }

  /** One attempt at the group's coordinator; which code may be repeated is a matter of the group. */
  async commitOffsets(
    attempts: Attempts,
    identity: ProducerIdentity,
    member: MemberIdentity,
    partitions: readonly OffsetToCommit[],
  ): Promise<number> {
    const { port, view, transactionalId } = this.#options;
    const { groupId } = member;
    const node = await view.coordinator('group', groupId, attempts.deadline);
    const request = { transactionalId, ...identity, ...member, partitions };
    const answer = await watched(attempts, () => port.txnOffsetCommit(node, request)).catch((error: unknown) => {
      view.forgetCoordinator('group', groupId);
      throw error;
    });
    const code = gravest(answer);
    if (coordinatorMoved.has(code)) view.forgetCoordinator('group', groupId);
    return code;
  }

  /**
   * A cheap request to the transaction coordinator. Where the transaction log is replicated, the end of a transaction is completed when
   * the coordinator handles its next request: without one, the next AddPartitions is answered 51 first, even 300 ms later.
   */
  nudge(): void {
    const { port, view, transactionalId } = this.#options;
    if (view.brokerCount < 2) return;
    view
      .coordinator('transaction', transactionalId)
      .then((node) => port.listOffsets(node, { readCommitted: true, partitions: [] }))
      .catch(() => undefined);
  }

  #ask<A>(
    what: string,
    attempts: Attempts,
    send: (node: NodeId) => Promise<A>,
    codeOfAnswer: (answer: A) => number,
    mayRepeat: (code: number) => boolean = (code) => coordinatorBusy.has(code),
  ): Promise<A> {
    const { view, clock, transactionalId } = this.#options;
    const { deadline } = attempts;
    const waitingFor = `${what} (transactional id ${transactionalId})`;
    return retrying({ clock, deadline, backoff: doubling, waitingFor }, async () => {
      const node = await view.coordinator('transaction', transactionalId, deadline);
      const answer = await watched(attempts, () => send(node)).catch((error: unknown) => {
        view.forgetCoordinator('transaction', transactionalId);
        throw error;
      });
      const code = codeOfAnswer(answer);
      if (coordinatorMoved.has(code)) view.forgetCoordinator('transaction', transactionalId);
      return mayRepeat(code) ? again(code) : done(answer);
    });
  }
}

async function watched<A>(attempts: Attempts, send: () => Promise<A>): Promise<A> {
  try {
    return await send();
  } catch (error) {
    attempts.unread = true;
    throw error;
  }
}

function codeOf(answer: { readonly errorCode: number }): number {
  return answer.errorCode;
}

/** The code that decides about an answer with many: 55 only says that another one failed; what can be repeated comes last. */
function gravest(answer: PartitionCodes): number {
  let found: number = kafkaCode.NONE;
  for (const { errorCode } of answer.partitions) {
    if (errorCode === kafkaCode.NONE || (errorCode === kafkaCode.OPERATION_NOT_ATTEMPTED && found !== kafkaCode.NONE)) continue;
    const outranks = found === kafkaCode.NONE || found === kafkaCode.OPERATION_NOT_ATTEMPTED || coordinatorBusy.has(found);
    if (outranks) found = errorCode;
  }
  return found;
}

/** What a request with an unexpected code is worth: an abort that says so. */
export function unexpectedCode(what: string, code: number): MillraceError {
  return new MillraceError('BROKER_ERROR', `${what} was answered ${describeCode(code)}.`);
}

/** What a plain InitProducerId was refused with. */
export function notInitialised(code: number, transactionalId: string, transactionTimeoutMs: number): MillraceError {
  if (code === kafkaCode.INVALID_TRANSACTION_TIMEOUT) {
    return new MillraceError(
      'CONFIG',
      `The broker does not allow transactions of ${transactionTimeoutMs} ms: lower transactionTimeoutMs, or raise its transaction.max.timeout.ms.`,
      { where: { option: 'transactionTimeoutMs' } },
    );
  }
  return new MillraceError(
    'BROKER_ERROR',
    `Transactional id ${transactionalId} was not given: ${describeCode(code)}. May this user use it?`,
  );
}
