import { stamp } from './batch-encode';
import type { NodeId, ProducerIdentity } from './port';
import type { BatchToProduce } from './produce-outcome';

/** A broker knows a repeated batch by the last five of its producer: more must not be on their way. */
const MOST_IN_FLIGHT = 5;

/** Sequences are int32; after the largest comes 0. */
const SEQUENCES = 2 ** 31;

/** What one partition's log knows of this producer. */
export interface PartitionSequence {
  /** Of the next batch's first record. */
  next: number;
  /** Whether a batch of this epoch has been acknowledged. */
  opened: boolean;
  /** Of the last record acknowledged in any transaction and epoch; -1: none. */
  lastOffset: number;
}

export function newPartitionSequence(): PartitionSequence {
  return { next: 0, opened: false, lastOffset: -1 };
}

export interface QueuedBatch<S> {
  readonly index: number;
  readonly toProduce: BatchToProduce<S>;
  readonly sequence: number;
  stamped: boolean;
  /** -1: not acknowledged. */
  baseOffset: number;
}

/** The batches of one transaction for one partition: what is on its way, what was acknowledged, what must be sent again. */
export class PartitionQueue<S> {
  readonly topic: string;
  readonly partition: number;
  readonly batches: QueuedBatch<S>[] = [];
  readonly #sequence: PartitionSequence;
  #next = 0;
  #head = 0;
  inFlight = 0;
  /** Where those in flight were sent: the next ones go nowhere else before they are answered, or they could overtake. */
  node: NodeId = -1;
  locating = false;
  /** Why what was sent must be sent again, once nothing is in flight; a code or the port's error. */
  trouble: unknown;
  /** Repetitions since the last acknowledgement. */
  repeats = 0;

  constructor(topic: string, partition: number, sequence: PartitionSequence) {
    this.topic = topic;
    this.partition = partition;
    this.#sequence = sequence;
  }

  add(index: number, toProduce: BatchToProduce<S>): void {
    const sequence = this.#sequence.next;
    this.batches.push({ index, toProduce, sequence, stamped: false, baseOffset: -1 });
    const next = sequence + toProduce.batch.recordCount;
    this.#sequence.next = next >= SEQUENCES ? next - SEQUENCES : next;
  }

  /**
   * Whether a batch may be sent now. The first of an epoch goes alone: to a broker that does not know the producer any sequence is a good
   * beginning, so that the second would be taken in the first one's stead.
   */
  get ready(): boolean {
    const most = this.#sequence.opened ? MOST_IN_FLIGHT : 1;
    return !this.locating && this.trouble === undefined && this.#next < this.batches.length && this.#next - this.#head < most;
  }

  get finished(): boolean {
    return this.#head === this.batches.length;
  }

  peek(): QueuedBatch<S> {
    return this.batches[this.#next]!;
  }

  /** The next batch, ready for the wire. */
  take(identity: ProducerIdentity, node: NodeId): QueuedBatch<S> {
    const batch = this.batches[this.#next]!;
    if (!batch.stamped) stamp(batch.toProduce.batch, identity.producerId, identity.producerEpoch, batch.sequence);
    batch.stamped = true;
    this.#next++;
    this.#skipAcknowledged();
    this.node = node;
    this.inFlight++;
    return batch;
  }

  /** True when no earlier batch is waiting for its acknowledgement or must be repeated. */
  isHead(batch: QueuedBatch<S>): boolean {
    return this.trouble === undefined && this.batches[this.#head] === batch;
  }

  acknowledge(batch: QueuedBatch<S>, baseOffset: number): void {
    batch.baseOffset = baseOffset;
    this.#sequence.opened = true;
    this.repeats = 0;
    while (this.#head < this.batches.length && this.batches[this.#head]!.baseOffset >= 0) this.#head++;
    this.#skipAcknowledged();
  }

  /** Back to the first batch without an acknowledgement. */
  goBack(): void {
    this.trouble = undefined;
    this.#next = this.#head;
  }

  /**
   * The first acknowledged batch that lies at or below what was acknowledged before it: the repeat of one that is not in this
   * transaction. Takes note of what was acknowledged.
   */
  takeStock(): QueuedBatch<S> | undefined {
    let stray: QueuedBatch<S> | undefined;
    for (const batch of this.batches) {
      if (batch.baseOffset < 0) continue;
      if (batch.baseOffset <= this.#sequence.lastOffset) stray ??= batch;
      this.#sequence.lastOffset = batch.baseOffset + batch.toProduce.batch.recordCount - 1;
    }
    return stray;
  }

  /** The offset behind the last record. */
  get end(): number {
    return this.#sequence.lastOffset + 1;
  }

  #skipAcknowledged(): void {
    while (this.#next < this.batches.length && this.batches[this.#next]!.baseOffset >= 0) this.#next++;
  }
}
