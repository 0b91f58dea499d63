import type {
  DeleteRecordsRequest,
  ListOffsetsAnswer,
  ListOffsetsRequest,
  NodeId,
  PartitionCodes,
  ProduceAnswer,
  ProducePartitionAnswer,
  ProducePartitionRequest,
  ProduceRequest,
  TopicPartition,
} from '../kafka/port';
import { attribute, type BatchHeader } from '../kafka/record-batch';
import type { Clock } from '../time/clock';
import { brokerCode } from './broker-code';
import { refuse } from './fetches';
import type { Partition } from './partition';
import { refusal, type Refusal, soleBatch } from './produced-batch';
import type { Topics } from './topics';
import { partitionName, type TransactionCoordinator } from './transactions';

const LATEST = -1;
const EARLIEST = -2;

function isRefusal(outcome: object): outcome is Refusal {
  return 'errorCode' in outcome;
}

/** Produce, ListOffsets and DeleteRecords: what a partition's leader does besides Fetch. */
export class LogRequests {
  constructor(
    private readonly clock: Clock,
    private readonly topics: Topics,
    private readonly transactions: TransactionCoordinator,
  ) {}

  produce(node: NodeId, request: ProduceRequest): ProduceAnswer {
    return { partitions: request.partitions.map((each) => this.#producePartition(node, request.transactionalId, each)) };
  }

  listOffsets(node: NodeId, { readCommitted, partitions }: ListOffsetsRequest): ListOffsetsAnswer {
    return {
      partitions: partitions.map(({ topic, partition, timestamp }) => {
        const found = this.topics.partition({ topic, partition });
        let errorCode = refuse(found, node);
        const isSettled = timestamp === EARLIEST || found?.isSettled(this.clock.monotonic()) !== false;
        if (errorCode === brokerCode.NONE && !isSettled) errorCode = brokerCode.OFFSET_NOT_AVAILABLE;
        if (errorCode !== brokerCode.NONE) return { topic, partition, errorCode, offset: -1, timestamp: -1, leaderEpoch: -1 };
        return { topic, partition, ...offsetFor(found!, timestamp, readCommitted) };
      }),
    };
  }

  deleteRecords(node: NodeId, { partitions }: DeleteRecordsRequest): PartitionCodes {
    return {
      partitions: partitions.map(({ topic, partition, offset }) => ({
        topic,
        partition,
        errorCode: this.#deleteRecords(node, { topic, partition }, offset),
      })),
    };
  }

  #deleteRecords(node: NodeId, name: TopicPartition, offset: number): number {
    const partition = this.topics.partition(name);
    const errorCode = refuse(partition, node);
    if (errorCode !== brokerCode.NONE) return errorCode;
    return this.topics.get(name.topic)!.config.mayDelete ? partition!.deleteBefore(offset) : brokerCode.POLICY_VIOLATION;
  }

  #producePartition(node: NodeId, transactionalId: string | null, request: ProducePartitionRequest): ProducePartitionAnswer {
    const { topic, partition } = request;
    const found = this.topics.partition(request);
    const outcome = this.#append(node, transactionalId, request, found);
    if (isRefusal(outcome)) {
      // Told only to whom is also told which records were refused.
      const logStartOffset = outcome.recordErrors.length > 0 ? found!.log.startOffset : -1;
      return { topic, partition, ...outcome, baseOffset: -1, logStartOffset };
    }
    return {
      ...{ topic, partition, errorCode: brokerCode.NONE, baseOffset: outcome.baseOffset },
      ...{ logStartOffset: found!.log.startOffset, recordErrors: [], errorMessage: null },
    };
  }

  #append(
    node: NodeId,
    transactionalId: string | null,
    { records }: ProducePartitionRequest,
    partition: Partition | undefined,
  ): { readonly baseOffset: number } | Refusal {
    const errorCode = refuse(partition, node);
    if (errorCode !== brokerCode.NONE) return refusal(errorCode);
    // The port has copied them: they are the log's.
    const bytes = records as Buffer;
    const header = soleBatch(bytes);
    if (isRefusal(header)) return header;
    return this.#verify(transactionalId, header, partition!) ?? partition!.append(bytes, this.clock.now());
  }

  /**
   * A partition that knows no open transaction of the producer asks the coordinator, before it looks at the sequence: a repeat of a batch
   * of an earlier transaction is answered 48 until the partition is added to the present one, and only then as a duplicate.
   */
  #verify(transactionalId: string | null, header: BatchHeader, partition: Partition): Refusal | undefined {
    if ((header.attributes & attribute.transactional) === 0) return undefined;
    if (transactionalId === null) return refusal(brokerCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    if (partition.isOpen(header.producerId, header.producerEpoch)) return undefined;
    const name = partitionName(partition);
    const errorCode = this.transactions.verify(transactionalId, header, ({ partitions }) => partitions.has(name));
    // The partition has noted the sequence before it asked.
    if (errorCode === brokerCode.NONE) partition.producers.verify(header);
    if (errorCode === brokerCode.INVALID_TXN_STATE) return refusal(errorCode, 'Partition was not added to the transaction');
    // Clients of this protocol version know no retry of 51 here.
    if (errorCode === brokerCode.CONCURRENT_TRANSACTIONS) return refusal(brokerCode.NOT_ENOUGH_REPLICAS);
    return errorCode === brokerCode.NONE ? undefined : refusal(errorCode);
  }
}

function offsetFor(
  partition: Partition,
  timestamp: number,
  readCommitted: boolean,
): Omit<ListOffsetsAnswer['partitions'][number], 'topic' | 'partition'> {
  const { leaderEpoch } = partition;
  const errorCode = brokerCode.NONE;
  const end = readCommitted ? partition.lastStableOffset : partition.highWatermark;
  if (timestamp === LATEST) return { errorCode, offset: end, timestamp: -1, leaderEpoch };
  if (timestamp === EARLIEST) return { errorCode, offset: partition.log.startOffset, timestamp: -1, leaderEpoch };
  const found = partition.log.firstSince(timestamp);
  if (found === undefined || found.offset >= end) return { errorCode, offset: -1, timestamp: -1, leaderEpoch: -1 };
  return { errorCode, offset: found.offset, timestamp: found.timestamp, leaderEpoch };
}
