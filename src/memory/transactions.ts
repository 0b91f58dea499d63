import type { InitProducerIdAnswer, InitProducerIdRequest, ProducerIdentity, TopicPartition, TransactionDescription } from '../kafka/port';
import type { Clock, TimerHandle } from '../time/clock';
import { brokerCode } from './broker-code';
import type { Marker } from './marker';

export type TransactionState = 'empty' | 'ongoing' | 'preparing commit' | 'preparing abort' | 'committed' | 'aborted';

/** As DescribeTransactions calls them. */
const stateNames: Readonly<Record<TransactionState, string>> = {
  empty: 'Empty',
  ongoing: 'Ongoing',
  'preparing commit': 'PrepareCommit',
  'preparing abort': 'PrepareAbort',
  committed: 'CompleteCommit',
  aborted: 'CompleteAbort',
};

/** One transactional id: who holds it, and its transaction. */
export interface Transaction {
  readonly transactionalId: string;
  producerId: bigint;
  previousProducerId: bigint;
  epoch: number;
  /** The epoch before the last bump, if its holder may still ask for the present one (KIP-360); else -1. */
  lastEpoch: number;
  timeoutMs: number;
  state: TransactionState;
  /** By `topic-partition`. */
  readonly partitions: Map<string, TopicPartition>;
  readonly groups: Set<string>;
  timer: TimerHandle | undefined;
}

/** Writes the markers of a decided transaction, some time after the decision, and then reports. */
export type Complete = (transaction: Readonly<Transaction>, marker: Marker, done: () => void) => void;

const NO_PRODUCER_ID = -1n;
const NO_EPOCH = -1;
const MAX_TIMEOUT_MS = 15 * 60_000;
/** 32,767 is kept free, so that a holder of the last usable epoch can still be fenced. */
const LAST_USABLE_EPOCH = 32_766;

export function partitionName({ topic, partition }: TopicPartition): string {
  return `${topic}-${partition}`;
}

function refused(errorCode: number): InitProducerIdAnswer {
  return { errorCode, producerId: NO_PRODUCER_ID, producerEpoch: NO_EPOCH };
}

export function transactionUndescribed(transactionalId: string, errorCode: number): TransactionDescription {
  return { transactionalId, errorCode, state: '', timeoutMs: -1, producerId: NO_PRODUCER_ID, producerEpoch: NO_EPOCH };
}

/** True while markers are being written: decided, not yet complete. */
function isPreparing({ state }: Transaction): boolean {
  return state === 'preparing commit' || state === 'preparing abort';
}

/**
 * The transaction coordinator, as Apache Kafka 4 answers clients of transaction protocol 1: EndTxn does not raise the epoch, fencing does.
 * @see https://cwiki.apache.org/confluence/display/KAFKA/KIP-360%3A+Improve+reliability+of+idempotent%2Ftransactional+producer
 */
export class TransactionCoordinator {
  readonly #transactions = new Map<string, Transaction>();
  #nextProducerId = 0n;

  constructor(
    private readonly clock: Clock,
    private readonly complete: Complete,
  ) {}

  all(): Readonly<Transaction>[] {
    return [...this.#transactions.values()];
  }

  describe(transactionalId: string): TransactionDescription {
    const transaction = this.#transactions.get(transactionalId);
    if (transaction === undefined) return transactionUndescribed(transactionalId, brokerCode.TRANSACTIONAL_ID_NOT_FOUND);
    const { producerId, epoch: producerEpoch, timeoutMs, state } = transaction;
    return { transactionalId, errorCode: brokerCode.NONE, state: stateNames[state], timeoutMs, producerId, producerEpoch };
  }

  initProducerId({ transactionalId, transactionTimeoutMs, current }: InitProducerIdRequest): InitProducerIdAnswer {
    if (transactionalId === '') return refused(brokerCode.INVALID_REQUEST);
    if (transactionTimeoutMs <= 0 || transactionTimeoutMs > MAX_TIMEOUT_MS) return refused(brokerCode.INVALID_TRANSACTION_TIMEOUT);
    const transaction = this.#transactions.get(transactionalId) ?? this.#create(transactionalId, transactionTimeoutMs);
    // Of a given identity only the producer id is checked before an open transaction is aborted: a zombie's call ends its successor's.
    if (current !== undefined && !mayHold(transaction, current)) return refused(brokerCode.PRODUCER_FENCED);
    if (isPreparing(transaction)) return refused(brokerCode.CONCURRENT_TRANSACTIONS);
    if (transaction.state === 'ongoing') {
      this.#fence(transaction);
      return refused(brokerCode.CONCURRENT_TRANSACTIONS);
    }
    if (!this.#bump(transaction, current?.producerEpoch)) return refused(brokerCode.PRODUCER_FENCED);
    transaction.timeoutMs = transactionTimeoutMs;
    transaction.state = 'empty';
    return { errorCode: brokerCode.NONE, producerId: transaction.producerId, producerEpoch: transaction.epoch };
  }

  addPartitions(transactionalId: string, producer: ProducerIdentity, partitions: readonly TopicPartition[]): number {
    return this.#add(transactionalId, producer, (transaction) => {
      for (const each of partitions) transaction.partitions.set(partitionName(each), { topic: each.topic, partition: each.partition });
    });
  }

  addGroup(transactionalId: string, producer: ProducerIdentity, groupId: string): number {
    return this.#add(transactionalId, producer, (transaction) => transaction.groups.add(groupId));
  }

  end(transactionalId: string, producer: ProducerIdentity, commit: boolean): number {
    const transaction = this.#held(transactionalId, producer);
    if (typeof transaction === 'number') return transaction;
    if (isPreparing(transaction)) return brokerCode.CONCURRENT_TRANSACTIONS;
    if (transaction.state === 'ongoing') {
      this.#decide(transaction, commit);
      return brokerCode.NONE;
    }
    return transaction.state === (commit ? 'committed' : 'aborted') ? brokerCode.NONE : brokerCode.INVALID_TXN_STATE;
  }

  /** May this producer begin to write there? Asked by a partition or a group that knows no open transaction of the producer. */
  verify(transactionalId: string, producer: ProducerIdentity, contains: (transaction: Transaction) => boolean): number {
    const transaction = this.#held(transactionalId, producer);
    // Produce and TxnOffsetCommit have older words than the coordinator.
    if (transaction === brokerCode.PRODUCER_FENCED) return brokerCode.INVALID_PRODUCER_EPOCH;
    if (typeof transaction === 'number') return transaction;
    if (isPreparing(transaction)) return brokerCode.CONCURRENT_TRANSACTIONS;
    return transaction.state === 'ongoing' && contains(transaction) ? brokerCode.NONE : brokerCode.INVALID_TXN_STATE;
  }

  #create(transactionalId: string, timeoutMs: number): Transaction {
    const transaction: Transaction = {
      transactionalId,
      producerId: this.#nextProducerId++,
      previousProducerId: NO_PRODUCER_ID,
      epoch: NO_EPOCH,
      lastEpoch: NO_EPOCH,
      timeoutMs,
      state: 'empty',
      partitions: new Map(),
      groups: new Set(),
      timer: undefined,
    };
    this.#transactions.set(transactionalId, transaction);
    return transaction;
  }

  /** The transaction, when the producer holds its id now. */
  #held(transactionalId: string, producer: ProducerIdentity): Transaction | number {
    const transaction = this.#transactions.get(transactionalId);
    if (transaction?.producerId !== producer.producerId) return brokerCode.INVALID_PRODUCER_ID_MAPPING;
    return transaction.epoch === producer.producerEpoch ? transaction : brokerCode.PRODUCER_FENCED;
  }

  #add(transactionalId: string, producer: ProducerIdentity, add: (transaction: Transaction) => void): number {
    const transaction = this.#held(transactionalId, producer);
    if (typeof transaction === 'number') return transaction;
    if (isPreparing(transaction)) return brokerCode.CONCURRENT_TRANSACTIONS;
    if (transaction.state !== 'ongoing') {
      transaction.state = 'ongoing';
      transaction.timer = this.clock.setTimer(transaction.timeoutMs, () => this.#fence(transaction));
    }
    add(transaction);
    return brokerCode.NONE;
  }

  /** The next epoch for whoever asks, or false when the caller was fenced. */
  #bump(transaction: Transaction, expectedEpoch: number | undefined): boolean {
    const { epoch } = transaction;
    if (epoch >= LAST_USABLE_EPOCH && (expectedEpoch === undefined || expectedEpoch === epoch)) {
      transaction.previousProducerId = transaction.producerId;
      transaction.producerId = this.#nextProducerId++;
      transaction.epoch = 0;
      transaction.lastEpoch = expectedEpoch === undefined ? NO_EPOCH : epoch;
    } else if (expectedEpoch === undefined || epoch === NO_EPOCH || expectedEpoch === epoch) {
      transaction.epoch = epoch + 1;
      transaction.lastEpoch = expectedEpoch === undefined ? NO_EPOCH : epoch;
    } else {
      // The repeat of a call whose answer was lost, or the first one after the broker has fenced a transaction: the epoch is there already.
      return expectedEpoch === transaction.lastEpoch;
    }
    return true;
  }

  /** Aborts the transaction under way in an epoch nobody holds: after its timeout, or for somebody's InitProducerId. */
  #fence(transaction: Transaction): void {
    transaction.lastEpoch = transaction.epoch;
    transaction.epoch++;
    this.#decide(transaction, false);
  }

  #decide(transaction: Transaction, commit: boolean): void {
    transaction.timer?.cancel();
    transaction.timer = undefined;
    transaction.state = commit ? 'preparing commit' : 'preparing abort';
    const marker = { producerId: transaction.producerId, producerEpoch: transaction.epoch, commit };
    this.complete(transaction, marker, () => {
      transaction.state = commit ? 'committed' : 'aborted';
      transaction.partitions.clear();
      transaction.groups.clear();
    });
  }
}

function mayHold(transaction: Transaction, { producerId, producerEpoch }: ProducerIdentity): boolean {
  const isCurrent = transaction.epoch === NO_EPOCH || producerId === transaction.producerId;
  return isCurrent || (producerId === transaction.previousProducerId && producerEpoch >= LAST_USABLE_EPOCH);
}
