import type { OffsetFetchAnswer, OffsetToCommit, ProducerIdentity, TopicPartition } from '../kafka/port';
import { brokerCode } from './broker-code';
import type { Marker } from './marker';
import { partitionName } from './transactions';

export interface CommittedOffset extends TopicPartition {
  readonly offset: number;
  readonly metadata: string;
  /** In the order in which the broker took them: a transaction does not undo what was committed after it wrote. */
  readonly order: number;
}

interface PendingOffsets {
  readonly producerEpoch: number;
  readonly offsets: Map<string, CommittedOffset>;
}

const MAX_METADATA_BYTES = 4_096;
const NO_OFFSET = { offset: -1, metadata: '' };

/** The group's committed offsets, and those that wait for their transaction to end. */
export class GroupOffsets {
  readonly #committed = new Map<string, CommittedOffset>();
  readonly #pending = new Map<bigint, PendingOffsets>();
  #order = 0;

  committed(): CommittedOffset[] {
    return [...this.#committed.values()];
  }

  pending(): { readonly producerId: bigint; readonly offsets: readonly CommittedOffset[] }[] {
    return Array.from(this.#pending, ([producerId, { offsets }]) => ({ producerId, offsets: [...offsets.values()] }));
  }

  /** Whether the producer, in this epoch, has offsets here that await the end of its transaction. */
  isOpen({ producerId, producerEpoch }: ProducerIdentity): boolean {
    return this.#pending.get(producerId)?.producerEpoch === producerEpoch;
  }

  /** 0, or 12 when the metadata is too long. */
  commit(entry: OffsetToCommit, producer?: ProducerIdentity): number {
    if (Buffer.byteLength(entry.metadata) > MAX_METADATA_BYTES) return brokerCode.OFFSET_METADATA_TOO_LARGE;
    const { topic, partition, offset, metadata } = entry;
    const target = producer === undefined ? this.#committed : this.#pendingOf(producer);
    target.set(partitionName(entry), { topic, partition, offset, metadata, order: this.#order++ });
    return brokerCode.NONE;
  }

  /** The end of a transaction: its offsets become the group's, or are forgotten. */
  mark({ producerId, commit }: Marker): void {
    const pending = this.#pending.get(producerId);
    this.#pending.delete(producerId);
    if (!commit || pending === undefined) return;
    for (const [name, offset] of pending.offsets) {
      const present = this.#committed.get(name);
      if (present === undefined || present.order < offset.order) this.#committed.set(name, offset);
    }
  }

  fetch({ topic, partition }: TopicPartition, requireStable: boolean): OffsetFetchAnswer['partitions'][number] {
    const name = partitionName({ topic, partition });
    const unstable = requireStable && [...this.#pending.values()].some(({ offsets }) => offsets.has(name));
    if (unstable) return { topic, partition, errorCode: brokerCode.UNSTABLE_OFFSET_COMMIT, ...NO_OFFSET };
    const { offset, metadata } = this.#committed.get(name) ?? NO_OFFSET;
    return { topic, partition, errorCode: brokerCode.NONE, offset, metadata };
  }

  forgetTopic(topic: string): void {
    for (const offsets of [this.#committed, ...Array.from(this.#pending.values(), (pending) => pending.offsets)]) {
      for (const [name, offset] of offsets) if (offset.topic === topic) offsets.delete(name);
    }
  }

  /** What the broker does to a group that has been empty for longer than offsets.retention.minutes. */
  expire(): void {
    this.#committed.clear();
  }

  #pendingOf({ producerId, producerEpoch }: ProducerIdentity): Map<string, CommittedOffset> {
    const known = this.#pending.get(producerId);
    if (known?.producerEpoch === producerEpoch) return known.offsets;
    const offsets = new Map<string, CommittedOffset>();
    this.#pending.set(producerId, { producerEpoch, offsets });
    return offsets;
  }
}

export function offsetUnknown({ topic, partition }: TopicPartition): OffsetFetchAnswer['partitions'][number] {
  return { topic, partition, errorCode: brokerCode.NONE, ...NO_OFFSET };
}
