import type {
  AbortedTransaction,
  FetchPartitionAnswer,
  FetchPartitionRequest,
  NodeId,
  PartitionMetadata,
  TopicPartition,
} from '../kafka/port';
import { attribute, type BatchHeader, readBatchHeader } from '../kafka/record-batch';
import { brokerCode } from './broker-code';
import { clean } from './cleaner';
import { Log, type LogSettings, withAppendTime } from './log';
import { type Marker, markerBatch } from './marker';
import { type BatchLimits, refusal, type Refusal, refuseBatch } from './produced-batch';
import { ProducerStates } from './producer-state';
import type { EndedTransaction } from './traversed-transactions';

/** cleanup.policy=compact. */
export interface Compaction {
  /** delete.retention.ms: how long a tombstone stays after it was passed first. */
  readonly deleteRetentionMs: number;
  /** min.compaction.lag.ms */
  readonly minLagMs: number;
}

/** cleanup.policy=delete. */
export interface Retention {
  /** retention.ms, against the times of the records; Infinity: for ever. */
  readonly ms: number;
  /** retention.bytes */
  readonly bytes: number;
}

export interface PartitionSettings {
  readonly limits: BatchLimits;
  readonly log: LogSettings;
  /** Undefined: not compacted. */
  readonly compaction: Compaction | undefined;
  /** Undefined: nothing is removed for its age. */
  readonly retention: Retention | undefined;
}

const UNKNOWN = -1;
const NOBODY: NodeId = -1;

export function fetchRefused({ topic, partition }: TopicPartition, errorCode: number): FetchPartitionAnswer {
  return {
    topic,
    partition,
    errorCode,
    highWatermark: UNKNOWN,
    lastStableOffset: UNKNOWN,
    logStartOffset: UNKNOWN,
    aborted: [],
    records: Buffer.alloc(0),
  };
}

/** Who led before, and until when each node takes it to lead still, by the clock. */
interface Before {
  readonly leader: NodeId;
  readonly until: ReadonlyMap<NodeId, number>;
}

/** One partition at its leader: the log, its producers, its open and aborted transactions. There is one replica: the high watermark is the end. */
export class Partition {
  readonly log: Log;
  leaderEpoch = 0;
  readonly producers = new ProducerStates();
  /** Offset of the first record, by producer id. */
  readonly #open = new Map<bigint, number>();
  #aborted: EndedTransaction[] = [];
  readonly #waiting = new Set<() => void>();
  #leader: NodeId;
  #before: Before | undefined;

  constructor(
    readonly topic: string,
    readonly partition: number,
    leader: NodeId,
    private readonly settings: PartitionSettings,
  ) {
    this.#leader = leader;
    this.log = new Log(settings.log);
  }

  /** -1: none. */
  get leader(): NodeId {
    return this.#leader;
  }

  /** In the next epoch; whoever waits here for records is told. @param until when each node has heard of it */
  leadBy(node: NodeId | undefined, until: ReadonlyMap<NodeId, number>): void {
    this.#before = { leader: this.#leader, until };
    this.#leader = node ?? NOBODY;
    this.leaderEpoch++;
    this.wake();
  }

  /** False: the leader does not know yet up to where all have the log. */
  isSettled(now: number): boolean {
    return now >= (this.#before?.until.get(this.#leader) ?? 0);
  }

  /** What a node says of it, who may not have heard the latest. */
  metadata(node: NodeId, now: number): PartitionMetadata {
    const isStale = now < (this.#before?.until.get(node) ?? 0);
    const leader = isStale ? this.#before!.leader : this.#leader;
    const errorCode = leader === NOBODY ? brokerCode.LEADER_NOT_AVAILABLE : brokerCode.NONE;
    return { partition: this.partition, errorCode, leader };
  }

  get highWatermark(): number {
    return this.log.endOffset;
  }

  /** Everything below it is decided: no transaction with a record below it is open. */
  get lastStableOffset(): number {
    let stable = this.log.endOffset;
    for (const firstOffset of this.#open.values()) stable = Math.min(stable, firstOffset);
    return Math.max(stable, this.log.startOffset);
  }

  openTransactions(): AbortedTransaction[] {
    return Array.from(this.#open, ([producerId, firstOffset]) => ({ producerId, firstOffset }));
  }

  /** Whether the producer, in this epoch, has records here that await their marker. */
  isOpen(producerId: bigint, epoch: number): boolean {
    return this.#open.has(producerId) && this.producers.epochOf(producerId) === epoch;
  }

  /** Appends the batch or says why not; `bytes` must belong to nobody else. A repeat of a remembered batch is answered as then. */
  append(bytes: Buffer, now: number): { readonly baseOffset: number } | Refusal {
    let header = readBatchHeader(bytes);
    const { limits } = this.settings;
    const refused = refuseBatch(`${this.topic}-${this.partition}`, header, bytes, limits, now);
    if (refused !== undefined) return refused;
    const hasProducer = header.producerId >= 0n;
    if (hasProducer) {
      const duplicate = this.producers.duplicateOf(header);
      if (duplicate !== undefined) return { baseOffset: duplicate };
      const errorCode = this.#checkProducer(header);
      if (errorCode !== brokerCode.NONE) return refusal(errorCode);
    }
    if (limits.logAppendTime) header = withAppendTime(bytes, now);
    const baseOffset = this.log.append(header, bytes, this.leaderEpoch);
    if (hasProducer) this.#remember(header, baseOffset);
    this.wake();
    return { baseOffset };
  }

  /** Ends the producer's transaction here. The marker takes an offset, also when the transaction wrote nothing to this partition. */
  mark(marker: Marker, now: number): void {
    const bytes = markerBatch(marker, now);
    const lastOffset = this.log.append(readBatchHeader(bytes), bytes, this.leaderEpoch);
    const firstOffset = this.#open.get(marker.producerId);
    if (firstOffset !== undefined && !marker.commit) this.#aborted.push({ producerId: marker.producerId, firstOffset, lastOffset });
    this.#open.delete(marker.producerId);
    this.producers.marked(marker.producerId, marker.producerEpoch);
    this.wake();
  }

  /** One partition's part of a fetch; `leftBytes` is what the whole answer may still grow by. */
  fetch(request: FetchPartitionRequest, readCommitted: boolean, leftBytes: number, atLeastOne: boolean): FetchPartitionAnswer {
    const errorCode = this.checkFetch(request);
    if (errorCode !== brokerCode.NONE) return fetchRefused(this, errorCode);
    const limit = this.#limit(readCommitted);
    const maxBytes = Math.min(request.maxBytes, leftBytes);
    // Copies: the log's bytes stay the log's.
    const records = Buffer.concat(this.log.read(request.offset, limit, maxBytes, atLeastOne));
    return {
      topic: this.topic,
      partition: this.partition,
      errorCode,
      highWatermark: this.highWatermark,
      lastStableOffset: this.lastStableOffset,
      logStartOffset: this.log.startOffset,
      aborted: readCommitted ? this.#abortedFrom(request.offset) : [],
      records,
    };
  }

  checkFetch({ offset, leaderEpoch }: FetchPartitionRequest): number {
    const epochError = this.checkEpoch(leaderEpoch);
    if (epochError !== brokerCode.NONE) return epochError;
    const inside = offset >= this.log.startOffset && offset <= this.highWatermark;
    return inside ? brokerCode.NONE : brokerCode.OFFSET_OUT_OF_RANGE;
  }

  checkEpoch(leaderEpoch: number): number {
    if (leaderEpoch === UNKNOWN || leaderEpoch === this.leaderEpoch) return brokerCode.NONE;
    return leaderEpoch < this.leaderEpoch ? brokerCode.FENCED_LEADER_EPOCH : brokerCode.UNKNOWN_LEADER_EPOCH;
  }

  /** Up to `enough` bytes that a fetch would bring. */
  bytesFor(request: FetchPartitionRequest, readCommitted: boolean, enough: number): number {
    return Math.min(this.log.bytesFrom(request.offset, this.#limit(readCommitted), enough), request.maxBytes);
  }

  /** Raises the log start; -1 means the high watermark. */
  deleteBefore(offset: number): number {
    const target = offset === -1 ? this.highWatermark : offset;
    if (target < 0 || target > this.highWatermark) return brokerCode.OFFSET_OUT_OF_RANGE;
    this.log.deleteBefore(target);
    this.wake();
    return brokerCode.NONE;
  }

  /** One pass of the log cleaner over what may be compacted and has not been; gives how many records it removed. */
  compact(now: number): number {
    const { compaction } = this.settings;
    if (compaction === undefined) return 0;
    const { minLagMs, deleteRetentionMs } = compaction;
    const dirtyFrom = this.log.cleanedTo;
    const until = this.log.cleanableTo(this.lastStableOffset, minLagMs > 0 ? now - minLagMs : Infinity);
    if (until <= dirtyFrom) return 0;
    const batches = this.log.batches.filter(({ lastOffset }) => lastOffset < until).map(({ bytes }) => bytes);
    const lastOfProducer = (producerId: bigint): ReturnType<ProducerStates['lastOf']> => this.producers.lastOf(producerId);
    const cleaned = clean({ batches, dirtyFrom, until, now, deleteRetentionMs, aborted: this.#aborted, lastOfProducer });
    this.log.replace(until, cleaned.batches);
    this.#aborted = [...cleaned.aborted];
    return cleaned.removed;
  }

  /** Removes the oldest segments that are too old by their records' times, or too much; gives by how many offsets the log start moved. */
  passRetention(now: number): number {
    const { retention } = this.settings;
    if (retention === undefined) return 0;
    const before = this.log.startOffset;
    this.log.deleteBefore(Math.max(this.log.expiredTo(now - retention.ms), this.log.surplusTo(retention.bytes)));
    if (this.log.startOffset > before) this.wake();
    return this.log.startOffset - before;
  }

  /** Calls back whenever there may be something new to read, until told to stop. */
  onChange(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => {
      this.#waiting.delete(callback);
    };
  }

  wake(): void {
    for (const callback of [...this.#waiting]) callback();
  }

  #limit(readCommitted: boolean): number {
    return readCommitted ? this.lastStableOffset : this.highWatermark;
  }

  /** In the order of their markers, and without an upper bound: as a broker answers from a short log. */
  #abortedFrom(offset: number): AbortedTransaction[] {
    return this.#aborted
      .filter((transaction) => transaction.lastOffset >= offset)
      .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }));
  }

  #checkProducer(header: BatchHeader): number {
    const errorCode = this.producers.check(header);
    if (errorCode !== brokerCode.NONE) return errorCode;
    const transactional = (header.attributes & attribute.transactional) !== 0;
    return !transactional && this.#open.has(header.producerId) ? brokerCode.INVALID_TXN_STATE : brokerCode.NONE;
  }

  #remember(header: BatchHeader, baseOffset: number): void {
    this.producers.appended(header, baseOffset);
    const transactional = (header.attributes & attribute.transactional) !== 0;
    if (transactional && !this.#open.has(header.producerId)) this.#open.set(header.producerId, baseOffset);
  }
}
