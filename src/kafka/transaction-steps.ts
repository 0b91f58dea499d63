import { MillraceError } from '../errors/millrace-error';
import { asMillraceError } from './as-millrace-error';
import type { Clock } from '../time/clock';
import { describeCode } from './describe-code';
import { kafkaCode } from './error-codes';
import { partitionKey } from './partition-key';
import type { MemberIdentity, PartitionCodes, ProducerIdentity, TopicPartition } from './port';
import type { PartitionEnd, Refusal } from './produce-outcome';
import type { IdempotentProducer } from './producer';
import { coordinatorBusy, fencedOrTimedOut } from './retriable-codes';
import { again, Deadline, done, doubling, retrying, within, type Attempt } from './retrying';
import { unexpectedCode, type Attempts, type TransactionCoordinator } from './transaction-coordinator';
import type { StepFailure, Transaction, TransactionStep } from './transaction-outcome';

const OFFSET_METADATA_TOO_LARGE = 12;
const UNKNOWN_TOPIC_FOR_MS = 5_000;

export interface TransactionStepsOptions {
  readonly clock: Clock;
  readonly coordinator: TransactionCoordinator;
  readonly producer: IdempotentProducer;
  readonly onStep: (step: TransactionStep) => void;
}

/** One transaction under way. */
export class OpenTransaction<S> {
  readonly transaction: Transaction<S>;
  readonly identity: ProducerIdentity;
  /** Whose work this is; another member id later on means that the group had given us up. */
  readonly memberId: string;
  readonly attempts: Attempts;
  /** Something may have been added, so that there is something to end. */
  added = false;
  /** What forbids to commit, in order of time. */
  readonly failures: StepFailure<S>[] = [];
  ends: readonly PartitionEnd[] = [];

  constructor(transaction: Transaction<S>, identity: ProducerIdentity, attempts: Attempts) {
    this.transaction = transaction;
    this.identity = identity;
    this.memberId = transaction.fence.identity().memberId;
    this.attempts = attempts;
  }
}

/** The two halves of a transaction. They never reject: what forbids to commit is among the transaction's failures. */
export class TransactionSteps {
  readonly #options: TransactionStepsOptions;

  constructor(options: TransactionStepsOptions) {
    this.#options = options;
  }

  /** AddPartitionsToTxn → Produce. */
  write<S>(open: OpenTransaction<S>): Promise<void> {
    return guarded(open, async () => {
      const { batches } = open.transaction;
      if (batches.length === 0) return undefined;
      const { coordinator, producer, onStep } = this.#options;
      open.added = true;
      onStep('adding partitions');
      const added = await coordinator.addPartitions(open.attempts, open.identity, distinct(batches));
      const refused = judgePartitions(open, added);
      if (refused !== undefined) return refused;
      onStep('producing');
      const { outcome, unread } = await producer.produce(batches, open.attempts.deadline);
      open.attempts.unread ||= unread;
      if (outcome.kind === 'failed') return judgeFailure(outcome.code, outcome.reason);
      if (outcome.kind === 'refused') return outcome;
      open.ends = outcome.ends;
      return undefined;
    });
  }

  /** AddOffsetsToTxn → TxnOffsetCommit. */
  commitOffsets<S>(open: OpenTransaction<S>): Promise<void> {
    return guarded(open, async () => {
      const { coordinator, onStep } = this.#options;
      open.added = true;
      onStep('adding offsets');
      const { groupId } = open.transaction.fence.identity();
      const code = await coordinator.addOffsets(open.attempts, open.identity, groupId);
      if (code !== kafkaCode.NONE) return judgeFailure(code, unexpectedCode('AddOffsetsToTxn', code));
      return this.#sendOffsets(open);
    });
  }

  #sendOffsets<S>(open: OpenTransaction<S>): Promise<StepFailure<S> | undefined> {
    const { clock, coordinator, onStep } = this.#options;
    const { fence, offsets } = open.transaction;
    const { deadline } = open.attempts;
    const unknownBy = new Deadline(clock, UNKNOWN_TOPIC_FOR_MS);
    const waitingFor = `the offsets of ${offsets.length} partitions to be taken into the transaction`;
    return retrying({ clock, deadline, backoff: doubling, waitingFor }, async (): Promise<Attempt<StepFailure<S> | undefined>> => {
      const member = fence.identity();
      if (member.memberId !== open.memberId) return done(membershipLost(open.memberId, `the member id is now ${member.memberId}`));
      // The broker does not check an offset commit without a generation: it would pass every fence.
      if (member.generationId < 0) return done(membershipLost(open.memberId, 'it has no generation'));
      onStep('offsets sent');
      const code = await coordinator.commitOffsets(open.attempts, open.identity, member, offsets);
      switch (code) {
        case kafkaCode.NONE:
          return done(undefined);
        case kafkaCode.UNKNOWN_MEMBER_ID:
        case kafkaCode.FENCED_INSTANCE_ID:
          return done(membershipLost(open.memberId, describeCode(code)));
        case kafkaCode.ILLEGAL_GENERATION:
        case kafkaCode.REBALANCE_IN_PROGRESS:
          return this.#underNewGeneration(open, code);
        case OFFSET_METADATA_TOO_LARGE:
          return done({ kind: 'failed', reason: metadataTooLarge(open) });
      }
      const mayPass = coordinatorBusy.has(code) || (code === kafkaCode.UNKNOWN_TOPIC_OR_PARTITION && !unknownBy.passed);
      return mayPass ? again(code) : done(judgeFailure(code, unexpectedCode('TxnOffsetCommit', code)));
    });
  }

  /** The new generation is accepted as soon as the join is completed, in the same transaction. */
  async #underNewGeneration<S>(open: OpenTransaction<S>, code: number): Promise<Attempt<StepFailure<S>>> {
    const { deadline } = open.attempts;
    const renewed = await this.renewed(open, code, deadline);
    // Cut short by the other half: who we are is open, and the abort will tell.
    if (renewed !== undefined || deadline.cause !== undefined) return again(code);
    return done(membershipLost(open.memberId, describeCode(code)));
  }

  /** Asks the fence, and gives up with the deadline: a join may take longer than a transaction. */
  async renewed<S>(open: OpenTransaction<S>, code: number, deadline: Deadline): Promise<MemberIdentity | undefined> {
    const renewal = open.transaction.fence.renew(code).catch(() => undefined);
    const member = await within(this.#options.clock, deadline, renewal);
    return member?.memberId === open.memberId ? member : undefined;
  }
}

/** A failed half stops the other one at its next step; what neither expected is a failure as well. */
async function guarded<S>(open: OpenTransaction<S>, half: () => Promise<StepFailure<S> | undefined>): Promise<void> {
  const failure = await half().catch((error: unknown): StepFailure<S> => ({ kind: 'failed', reason: asMillraceError(error) }));
  if (failure === undefined) return;
  open.failures.push(failure);
  open.attempts.deadline.cut(failure.kind === 'refused' ? failure.refusals[0]?.error : failure.reason);
}

function judgeFailure<S>(code: number, reason: MillraceError): StepFailure<S> {
  return fencedOrTimedOut.has(code) ? { kind: 'ended', code, reason } : { kind: 'failed', reason };
}

export function membershipLost(memberId: string, why: string): { readonly kind: 'lost'; readonly reason: MillraceError } {
  const reason = new MillraceError(
    'FENCED',
    `Member ${memberId} may no longer commit for all of its tasks: ${why}. It has to rejoin the group.`,
    {
      retryable: true,
    },
  );
  return { kind: 'lost', reason };
}

/** Codes that refuse a partition: to each of its batches they mean what they would mean to a Produce. */
const refusedPartition: ReadonlySet<number> = new Set([
  kafkaCode.UNKNOWN_TOPIC_OR_PARTITION,
  kafkaCode.INVALID_TOPIC_EXCEPTION,
  kafkaCode.TOPIC_AUTHORIZATION_FAILED,
]);

function judgePartitions<S>(open: OpenTransaction<S>, answer: PartitionCodes): StepFailure<S> | undefined {
  const failed = answer.partitions.filter(({ errorCode }) => errorCode !== kafkaCode.NONE);
  if (failed.length === 0) return undefined;
  const told = failed.filter(({ errorCode }) => errorCode !== kafkaCode.OPERATION_NOT_ATTEMPTED);
  const other = told.find(({ errorCode }) => !refusedPartition.has(errorCode)) ?? (told.length === 0 ? failed[0] : undefined);
  if (other !== undefined) return judgeFailure(other.errorCode, unexpectedCode('AddPartitionsToTxn', other.errorCode));
  const codes = new Map(told.map((each) => [partitionKey(each.topic, each.partition), each.errorCode]));
  const refusals = open.transaction.batches.flatMap(({ topic, partition, source }, index): Refusal<S>[] => {
    const code = codes.get(partitionKey(topic, partition));
    if (code === undefined) return [];
    const error = new MillraceError('PRODUCE_REFUSED', `Nothing can be written to ${topic}-${partition}: ${describeCode(code)}.`, {
      where: { topic, partition },
    });
    return [{ topic, partition, index, source, code, records: [], error }];
  });
  return { kind: 'refused', refusals };
}

function metadataTooLarge<S>(open: OpenTransaction<S>): MillraceError {
  const largest = open.transaction.offsets.reduce((a, b) => (b.metadata.length > a.metadata.length ? b : a));
  const { topic, partition, metadata } = largest;
  return new MillraceError(
    'CELLS_TOO_LARGE',
    `The offset metadata of ${topic}-${partition} has ${metadata.length} bytes, more than the broker's offset.metadata.max.bytes.`,
    { where: { topic, partition } },
  );
}

function distinct(batches: readonly TopicPartition[]): readonly TopicPartition[] {
  const found = new Map<string, TopicPartition>();
  for (const { topic, partition } of batches) found.set(partitionKey(topic, partition), { topic, partition });
  return [...found.values()];
}
