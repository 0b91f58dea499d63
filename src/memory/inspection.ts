import type { AbortedTransaction, ProducerIdentity, TopicPartition } from '../kafka/port';
import type { GroupState } from './group';
import type { CommittedOffset } from './group-offsets';
import type { GroupCoordinator } from './groups';
import type { Topics } from './topics';
import type { TransactionCoordinator, TransactionState } from './transactions';

export interface PartitionView {
  /** 32 hex digits. */
  readonly topicId: string;
  readonly logStartOffset: number;
  readonly lastStableOffset: number;
  readonly highWatermark: number;
  /** Copies of all batches, markers included. */
  readonly batches: readonly Buffer[];
  readonly openTransactions: readonly AbortedTransaction[];
}

export interface MemberView {
  readonly memberId: string;
  readonly clientId: string;
  readonly groupInstanceId: string | null;
  readonly assignment: Buffer;
}

export interface GroupView {
  readonly state: GroupState;
  readonly generationId: number;
  readonly protocol: string | null;
  readonly leaderId: string;
  readonly members: readonly MemberView[];
  readonly committed: readonly CommittedOffset[];
  readonly pending: readonly { readonly producerId: bigint; readonly offsets: readonly CommittedOffset[] }[];
}

export interface TransactionView extends ProducerIdentity {
  readonly transactionalId: string;
  readonly state: TransactionState;
  readonly partitions: readonly TopicPartition[];
  readonly groups: readonly string[];
}

/** What a test may look at: copies, taken at this moment. */
export class Inspection {
  constructor(
    private readonly topics: Topics,
    private readonly groups: GroupCoordinator,
    private readonly coordinator: TransactionCoordinator,
  ) {}

  partition(name: TopicPartition): PartitionView | undefined {
    const partition = this.topics.partition(name);
    if (partition === undefined) return undefined;
    return {
      topicId: this.topics.get(name.topic)!.id,
      logStartOffset: partition.log.startOffset,
      lastStableOffset: partition.lastStableOffset,
      highWatermark: partition.highWatermark,
      batches: partition.log.batches.map(({ bytes }) => Buffer.from(bytes)),
      openTransactions: partition.openTransactions(),
    };
  }

  group(groupId: string): GroupView | undefined {
    const group = this.groups.get(groupId);
    if (group === undefined) return undefined;
    const { state, generation, protocol, leaderId, offsets } = group;
    const members = Array.from(group.members.values(), ({ memberId, clientId, groupInstanceId, assignment }) => ({
      memberId,
      clientId,
      groupInstanceId,
      assignment: Buffer.from(assignment),
    }));
    return {
      ...{ state, generationId: generation, protocol, leaderId, members },
      ...{ committed: offsets.committed(), pending: offsets.pending() },
    };
  }

  transactions(): TransactionView[] {
    return this.coordinator.all().map(({ transactionalId, producerId, epoch, state, partitions, groups }) => ({
      ...{ transactionalId, producerId, producerEpoch: epoch, state },
      ...{ partitions: [...partitions.values()], groups: [...groups] },
    }));
  }
}
