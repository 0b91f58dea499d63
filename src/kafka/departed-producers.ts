import { MillraceError } from '../errors/millrace-error';
import type { Logger } from '../model/logger';
import type { Clock } from '../time/clock';
import type { ClusterView } from './cluster-view';
import { describeCode } from './describe-code';
import { kafkaCode } from './error-codes';
import type { KafkaPort, NodeId, ProducerIdentity, TransactionDescription } from './port';
import { coordinatorBusy, coordinatorMoved, fencedOrTimedOut } from './retriable-codes';
import { again, Deadline, done, retrying, type Attempt, type Backoff } from './retrying';

export interface DepartedProducersOptions {
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly groupId: string;
}

/** What a claim says of transactional ids. */
interface ProducerClaim {
  readonly transactionalId: string;
  readonly producers?: readonly string[];
}

/** ms to end one transaction; after that its own timeout has to. */
const BUDGET_MS = 60_000;

/** 25, 50, 100 … 1,000 ms: a broker that does not know the request closes the connection each time. */
const patient: Backoff = (attempt) => Math.min(1_000, 25 * 2 ** attempt);

const OPEN = 'Ongoing';

/**
 * Ends the transactions of members that have gone, so that neither readers nor the tasks' next owners wait for the transaction timeout.
 *
 * Whoever leads remembers the transactional ids of the group; one that is in no claim any more is departed. Its transaction, if one is
 * open, is ended by InitProducerId with the producer id and epoch that are described. That aborts it, and gives its holder, if it still
 * lives, the next epoch whenever it asks (KIP-360). Never plainly: that would fence a process which has just started with this id; with
 * the old epoch it is we who are answered 90.
 */
export class DepartedProducers {
  readonly #options: DepartedProducersOptions;
  #remembered: readonly string[] = [];
  /** Departed, and nothing of theirs is open. */
  readonly #settled = new Set<string>();
  #round: Deadline | undefined;
  #hasWarned = false;

  constructor(options: DepartedProducersOptions) {
    this.#options = options;
  }

  /** For this member's claim: a leader that has not led before learns of them. */
  get remembered(): readonly string[] {
    return this.#remembered;
  }

  /** As the last order says; undefined: this member is not one of those who remember. */
  remember(producers: readonly string[] | undefined): void {
    this.#remembered = producers?.filter((id) => !this.#settled.has(id)) ?? [];
  }

  /** The group is being joined: who is here may be another matter now. */
  pause(): void {
    this.#round?.cut('the group is being joined');
    this.#round = undefined;
  }

  /**
   * Begins to settle what has departed, without anybody waiting for it.
   *
   * @returns for the orders of those who remember: all that live, and what is departed and not settled
   */
  lead(claims: readonly ProducerClaim[]): readonly string[] {
    const living = new Set(claims.map(({ transactionalId }) => transactionalId));
    for (const id of living) this.#settled.delete(id);
    const known = new Set([...this.#remembered, ...claims.flatMap(({ producers = [] }) => producers)]);
    const departed = [...known].filter((id) => !living.has(id) && !this.#settled.has(id));
    this.pause();
    const round = new Deadline(this.#options.clock, BUDGET_MS);
    this.#round = round;
    for (const id of departed) void this.#settle(id, round);
    return [...living, ...departed];
  }

  async #settle(transactionalId: string, round: Deadline): Promise<void> {
    const { groupId, logger, view } = this.#options;
    try {
      const ended = await this.#end(transactionalId, round);
      this.#settled.add(transactionalId);
      this.#remembered = this.#remembered.filter((id) => id !== transactionalId);
      if (ended) logger.info({ group: groupId, transactionalId }, 'the transaction that a departed member had left open was ended');
    } catch (cause) {
      if (round.cause === undefined) this.#warn(transactionalId, cause);
    } finally {
      view.forgetCoordinator('transaction', transactionalId);
    }
  }

  /** True: it was open, and is aborted now. */
  #end(transactionalId: string, deadline: Deadline): Promise<boolean> {
    const { clock } = this.#options;
    let first: TransactionDescription | undefined;
    const waitingFor = `the end of the transaction of "${transactionalId}", which a departed member has left open`;
    return retrying({ clock, deadline, backoff: patient, waitingFor }, async (): Promise<Attempt<boolean>> => {
      const found = await this.#describe(transactionalId, deadline);
      if (typeof found === 'number') return again(found);
      // Decided, or in the hands of somebody who holds the id now.
      if (found?.state !== OPEN || (first !== undefined && !isSame(first, found))) return done(first !== undefined);
      first = found;
      const code = await this.#abort(found, deadline);
      if (code === kafkaCode.NONE) return done(true);
      return fencedOrTimedOut.has(code) ? done(false) : again(code);
    });
  }

  /** Undefined: nobody knows the id. A number: the code after which to ask again. */
  async #describe(transactionalId: string, deadline: Deadline): Promise<TransactionDescription | number | undefined> {
    const { port } = this.#options;
    const { transactions } = await this.#ask(transactionalId, deadline, (node) => port.describeTransactions(node, [transactionalId]));
    const found = transactions[0];
    if (found === undefined || found.errorCode === kafkaCode.TRANSACTIONAL_ID_NOT_FOUND) return undefined;
    if (found.errorCode === kafkaCode.NONE) return found;
    return this.#mayPass(transactionalId, 'DescribeTransactions', found.errorCode);
  }

  /** 51: the abort is under way, or something before it; what is described next tells. */
  async #abort({ transactionalId, producerId, producerEpoch, timeoutMs }: TransactionDescription, deadline: Deadline): Promise<number> {
    const { port } = this.#options;
    const request = { transactionalId, transactionTimeoutMs: timeoutMs, current: { producerId, producerEpoch } };
    const { errorCode } = await this.#ask(transactionalId, deadline, (node) => port.initProducerId(node, request));
    if (errorCode === kafkaCode.NONE || fencedOrTimedOut.has(errorCode)) return errorCode;
    return this.#mayPass(transactionalId, 'InitProducerId', errorCode);
  }

  async #ask<A>(transactionalId: string, deadline: Deadline, send: (node: NodeId) => Promise<A>): Promise<A> {
    const { view } = this.#options;
    const node = await view.coordinator('transaction', transactionalId, deadline);
    if (deadline.cause !== undefined) throw new MillraceError('BROKER_ERROR', 'The group is being joined.');
    return send(node).catch((error: unknown) => {
      view.forgetCoordinator('transaction', transactionalId);
      throw error;
    });
  }

  #mayPass(transactionalId: string, request: string, code: number): number {
    if (coordinatorMoved.has(code)) this.#options.view.forgetCoordinator('transaction', transactionalId);
    if (coordinatorBusy.has(code)) return code;
    throw new MillraceError('BROKER_ERROR', `${request} was answered ${describeCode(code)}`);
  }

  /** Once: it will be the same for every member that goes. */
  #warn(transactionalId: string, cause: unknown): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const { groupId, logger } = this.#options;
    logger.warn(
      { group: groupId, transactionalId, cause: cause instanceof Error ? cause.message : String(cause) },
      'the transaction that a departed member may have left open could not be ended: it ends by its own timeout, and until then nobody reads ' +
        'beyond it and its tasks wait. Every member needs the ACLs Describe and Write on the transactional ids of the whole application ' +
        `(TransactionalId, prefix "${groupId}-"), and the brokers have to be of version 3.0 or newer`,
    );
  }
}

function isSame(a: ProducerIdentity, b: ProducerIdentity): boolean {
  return a.producerId === b.producerId && a.producerEpoch === b.producerEpoch;
}
