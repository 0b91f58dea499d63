import { MillraceError } from '../errors/millrace-error';
import type { Logger } from '../model/logger';
import type { Clock } from '../time/clock';
import type { ClusterView } from './cluster-view';
import { describeCode } from './describe-code';
import { kafkaCode } from './error-codes';
import { OffsetWitness } from './offset-witness';
import { OffsetReader } from './offsets';
import type { KafkaPort, ProducerIdentity } from './port';
import { IdempotentProducer } from './producer';
import { fencedOrTimedOut } from './retriable-codes';
import { Deadline, within } from './retrying';
import { Attempts, notInitialised, TransactionCoordinator, unexpectedCode } from './transaction-coordinator';
import {
  mostBinding,
  type CommitOutcome,
  type StepFailure,
  type Transaction,
  type TransactionState,
  type TransactionStep,
} from './transaction-outcome';
import { membershipLost, OpenTransaction, TransactionSteps } from './transaction-steps';

export interface TransactionalProducerOptions {
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transactionalId: string;
  /**
   * After this the broker aborts a transaction by itself, ms. Default 45,000: a request that is never answered (30 s) and its repetition fit
   * in, and so do three failovers of a dead broker (12 s). More would delay readers for longer after a death without a successor; one with
   * the same id ends the transaction by `initialise`.
   */
  readonly transactionTimeoutMs?: number;
  /** How long to settle an EndTxn whose answer was lost, and to renew an epoch, ms. Default 60,000. */
  readonly recoveryBudgetMs?: number;
  /** Called as each step of a transaction begins. */
  readonly onStep?: (step: TransactionStep) => void;
}

/** What is left of the transaction's time when no step may be repeated any more, ms. */
const MARGIN_MS = 5_000;

type Unfinished = Exclude<CommitOutcome, { kind: 'committed' | 'refused' }>;

/**
 * OUT 3: batches and the offsets they follow from, in one transaction at a time.
 *
 * Every abort, and every answer that was never read, ends the epoch: first EndTxn is settled by repeating the same one, then the epoch is
 * raised with InitProducerId (producer id, epoch), and sequences start from 0. A copy of an old request that is executed late then
 * belongs to an epoch that is over. Only `initialise` takes the id away from whoever held it; after that nothing does, so that two owners
 * cannot fence each other in turns.
 */
export class TransactionalProducer {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #transactionalId: string;
  readonly #transactionTimeoutMs: number;
  readonly #recoveryBudgetMs: number;
  readonly #onStep: (step: TransactionStep) => void;
  readonly #coordinator: TransactionCoordinator;
  readonly #producer: IdempotentProducer;
  readonly #witness: OffsetWitness;
  readonly #steps: TransactionSteps;
  #state: TransactionState = 'UNINITIALISED';
  #identity: ProducerIdentity | undefined;
  #fencedBecause: MillraceError | undefined;
  /** The transaction was committed, but not every answer was read: the epoch ends before the next one begins. */
  #renewalDue = false;
  #running: Promise<unknown> | undefined;
  #deadline: Deadline | undefined;
  #closing = false;
  /** Set by close() and abandon(): the end of all budgets. */
  #end: Deadline | undefined;

  constructor(options: TransactionalProducerOptions) {
    const { port, view, clock, transactionalId } = options;
    this.#clock = clock;
    this.#logger = options.logger;
    this.#transactionalId = transactionalId;
    this.#transactionTimeoutMs = options.transactionTimeoutMs ?? 45_000;
    this.#recoveryBudgetMs = options.recoveryBudgetMs ?? 60_000;
    this.#onStep = options.onStep ?? (() => undefined);
    this.#coordinator = new TransactionCoordinator({
      port,
      view,
      clock,
      transactionalId,
      transactionTimeoutMs: this.#transactionTimeoutMs,
    });
    this.#producer = new IdempotentProducer({ port, view, clock, transactionalId });
    this.#witness = new OffsetWitness(new OffsetReader({ port, view, clock }), options.logger);
    this.#steps = new TransactionSteps({ clock, coordinator: this.#coordinator, producer: this.#producer, onStep: this.#onStep });
  }

  get state(): TransactionState {
    return this.#state;
  }

  /** Of the epoch that is current; undefined before `initialise`. */
  get identity(): ProducerIdentity | undefined {
    return this.#identity;
  }

  /**
   * Takes the transactional id, once per process start: whoever held it is fenced, and a transaction it left open is aborted, so that
   * readers need not wait for its timeout.
   *
   * @throws CONFIG when the broker does not allow the transaction timeout; BROKER_ERROR; BROKERS_UNREACHABLE, after which it may be repeated
   */
  async initialise(): Promise<void> {
    this.#expect('UNINITIALISED');
    await this.#run(async () => {
      const answer = await this.#coordinator.initProducerId(this.#attempts(this.#recoveryBudgetMs));
      if (answer.errorCode !== kafkaCode.NONE) throw notInitialised(answer.errorCode, this.#transactionalId, this.#transactionTimeoutMs);
      this.#begin(answer);
    });
  }

  /**
   * One transaction: (AddPartitions → Produce) ∥ (AddOffsets → TxnOffsetCommit) → EndTxn, which is sent only if every step was answered 0.
   *
   * @throws PROTOCOL without offsets, before anything is sent; BROKERS_UNREACHABLE or BROKER_ERROR when it could not be found out within the
   *   budget whether the transaction was committed: nothing of it may be kept, committed offsets decide after `recover()`
   */
  async commit<S>(transaction: Transaction<S>): Promise<CommitOutcome<S>> {
    if (this.#state === 'FENCED') return { kind: 'fenced', reason: this.#fencedBecause! };
    this.#expect('READY');
    if (transaction.offsets.length === 0) {
      throw new MillraceError(
        'PROTOCOL',
        'A transaction without offsets has no fence: commit the unchanged offset of each task in it again.',
      );
    }
    return this.#run(() => this.#commit(transaction));
  }

  /**
   * Makes a producer usable again after `lost`, once its owner has rejoined the group, or after `commit` threw.
   *
   * @returns undefined, or why another process now holds the id
   */
  async recover(): Promise<MillraceError | undefined> {
    if (this.#state === 'FENCED') return this.#fencedBecause;
    this.#expect('RECOVERING');
    return this.#run(() => this.#renewEpoch());
  }

  /**
   * Finishes the transaction in flight, or aborts it when `withinMs` have passed: an open one would hold up readers. What has not been
   * aborted within as long again is left: a request may be held by a broker that says nothing.
   */
  async close(withinMs = 10_000): Promise<void> {
    this.#closing = true;
    const running = this.#running?.catch(() => undefined);
    if (running !== undefined) {
      await within(this.#clock, new Deadline(this.#clock, withinMs), running);
      this.#end ??= new Deadline(this.#clock, withinMs);
      this.#deadline?.cut(new MillraceError('APPLICATION_CLOSED', 'The producer is being closed.'));
      await within(this.#clock, new Deadline(this.#clock, withinMs), running);
    }
    this.#state = 'CLOSED';
  }

  /** Sends nothing more, as a killed process would: what is open stays open. */
  abandon(): void {
    const gone = new MillraceError('APPLICATION_CLOSED', 'The producer was abandoned.');
    this.#closing = true;
    this.#end = new Deadline(this.#clock, 0);
    this.#end.cut(gone);
    this.#deadline?.cut(gone);
    this.#state = 'CLOSED';
  }

  async #commit<S>(transaction: Transaction<S>): Promise<CommitOutcome<S>> {
    if (this.#renewalDue) {
      const fenced = await this.#renewEpoch();
      if (fenced !== undefined) return { kind: 'fenced', reason: fenced };
    }
    this.#enter('IN_TRANSACTION');
    const open = new OpenTransaction(transaction, this.#identity!, this.#attempts(this.#transactionTimeoutMs - MARGIN_MS));
    await Promise.all([this.#steps.write(open), this.#steps.commitOffsets(open)]);
    const failure = mostBinding(open.failures);
    if (failure !== undefined) return this.#abort(open, failure);
    this.#onStep('between offsets and EndTxn');
    return this.#endWithCommit(open);
  }

  async #endWithCommit<S>(open: OpenTransaction<S>): Promise<CommitOutcome<S>> {
    this.#enter('ENDING');
    this.#onStep('ending');
    const attempts = this.#attempts(this.#recoveryBudgetMs);
    const code = await this.#endTxn(open, attempts, true);
    this.#onStep('ended');
    open.attempts.unread ||= attempts.unread;
    if (code === kafkaCode.NONE) return this.#wasCommitted(open);
    const reason = unexpectedCode('EndTxn', code);
    // No earlier copy can have committed it, if every answer was read.
    const { offsets, fence } = open.transaction;
    const committed = attempts.unread && (await this.#witness.saysCommitted(fence.identity().groupId, offsets));
    const failure: StepFailure<S> = fencedOrTimedOut.has(code) ? { kind: 'ended', code, reason } : { kind: 'failed', reason };
    if (!committed) return this.#abort(open, failure);
    open.attempts.unread = true;
    const outcome = this.#wasCommitted(open);
    if (failure.kind === 'ended') await this.#afterBrokerEndedIt(open, failure.code, failure.reason);
    return outcome;
  }

  #wasCommitted<S>(open: OpenTransaction<S>): CommitOutcome<S> {
    this.#witness.note(open.transaction.offsets);
    this.#renewalDue = open.attempts.unread;
    this.#enter('READY');
    this.#coordinator.nudge();
    return { kind: 'committed', ends: open.ends };
  }

  async #abort<S>(open: OpenTransaction<S>, failure: StepFailure<S>): Promise<CommitOutcome<S>> {
    if (failure.kind === 'ended') return this.#afterBrokerEndedIt(open, failure.code, failure.reason);
    this.#enter('ENDING');
    const code = open.added ? await this.#endWithAbort(open, failure.kind === 'lost') : kafkaCode.NONE;
    if (failure.kind === 'lost') {
      this.#enter('RECOVERING');
      return failure;
    }
    const reason = failure.kind === 'refused' ? failure.refusals[0]!.error : failure.reason;
    if (fencedOrTimedOut.has(code)) {
      const outcome = await this.#afterBrokerEndedIt(open, code, reason);
      return outcome.kind === 'aborted' && failure.kind === 'refused' ? failure : outcome;
    }
    const fenced = await this.#renewEpoch();
    if (fenced !== undefined) return { kind: 'fenced', reason: fenced };
    return failure.kind === 'refused' ? failure : { kind: 'aborted', reason };
  }

  /** Frees readers. A member that was lost does not insist: the broker's timeout will do. */
  async #endWithAbort<S>(open: OpenTransaction<S>, lenient: boolean): Promise<number> {
    this.#onStep('aborting');
    try {
      return await this.#endTxn(open, this.#attempts(this.#recoveryBudgetMs), false);
    } catch (error) {
      if (!lenient) throw error;
      this.#logger.warn({ transactionalId: this.#transactionalId, error: String(error) }, 'a lost transaction was not aborted');
      return kafkaCode.NONE;
    }
  }

  async #endTxn<S>(open: OpenTransaction<S>, attempts: Attempts, commit: boolean): Promise<number> {
    try {
      return await this.#coordinator.endTxn(attempts, open.identity, commit);
    } catch (error) {
      this.#enter('RECOVERING');
      throw error;
    }
  }

  /**
   * 47 and 90 come alike when the broker timed the transaction out and when another process took the id. InitProducerId tells them apart,
   * but aborts what a successor has open: only a member in good standing may ask.
   */
  async #afterBrokerEndedIt<S>(open: OpenTransaction<S>, code: number, reason: MillraceError): Promise<Unfinished> {
    const member = await this.#steps.renewed(open, code, this.#attempts(this.#recoveryBudgetMs).deadline);
    if (member === undefined) {
      this.#enter('RECOVERING');
      return membershipLost(open.memberId, describeCode(code));
    }
    const fenced = await this.#renewEpoch();
    return fenced === undefined ? { kind: 'aborted', reason } : { kind: 'fenced', reason: fenced };
  }

  /** The epoch is raised if it still is ours; otherwise the reason why it is not. */
  async #renewEpoch(): Promise<MillraceError | undefined> {
    this.#enter('RECOVERING');
    this.#onStep('renewing epoch');
    const answer = await this.#coordinator.initProducerId(this.#attempts(this.#recoveryBudgetMs), this.#identity);
    if (answer.errorCode === kafkaCode.NONE) {
      this.#begin(answer);
      return undefined;
    }
    if (!fencedOrTimedOut.has(answer.errorCode)) throw unexpectedCode('InitProducerId', answer.errorCode);
    this.#fencedBecause = new MillraceError(
      'FENCED',
      `Another process took over transactional id ${this.#transactionalId} (${describeCode(answer.errorCode)}): two processes use one instance id.`,
    );
    this.#enter('FENCED');
    return this.#fencedBecause;
  }

  #begin({ producerId, producerEpoch }: ProducerIdentity): void {
    this.#identity = { producerId, producerEpoch };
    this.#producer.begin(this.#identity);
    this.#renewalDue = false;
    this.#enter('READY');
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running !== undefined) throw new MillraceError('PROTOCOL', 'One transaction at a time: the last call has not been answered.');
    const running = work();
    this.#running = running;
    try {
      return await running;
    } finally {
      this.#running = undefined;
    }
  }

  #attempts(budgetMs: number): Attempts {
    const deadline = new Deadline(this.#clock, Math.min(budgetMs, this.#end?.left() ?? Infinity));
    if (this.#end?.cause !== undefined) deadline.cut(this.#end.cause);
    this.#deadline = deadline;
    return new Attempts(deadline);
  }

  #enter(state: TransactionState): void {
    if (this.#state !== 'CLOSED') this.#state = state;
  }

  #expect(state: TransactionState): void {
    if (this.#state === state && !this.#closing) return;
    const code = this.#closing ? 'APPLICATION_CLOSED' : 'PROTOCOL';
    throw new MillraceError(code, `The producer of ${this.#transactionalId} is ${this.#state}, not ${state}.`);
  }
}
