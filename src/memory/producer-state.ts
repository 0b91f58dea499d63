import type { BatchHeader } from '../kafka/record-batch';
import { brokerCode } from './broker-code';

/** Per producer and partition the last five batches are remembered: a repeat of one of them is answered, not appended. */
const REMEMBERED_BATCHES = 5;
const MAX_SEQUENCE = 0x7fff_ffff;

interface RememberedBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
}

/** What compaction must leave of a producer, so that it can go on. */
export interface LastOfProducer {
  readonly epoch: number;
  /** Of its last batch; undefined when a marker has raised the epoch since. */
  readonly lastOffset: number | undefined;
}

interface ProducerEntry {
  epoch: number;
  /** Newest last; empty after the epoch was raised by a marker. Abort markers of the same epoch change nothing. */
  batches: RememberedBatch[];
}

function lastSequenceOf(header: BatchHeader): number {
  const last = header.baseSequence + header.recordCount - 1;
  return last > MAX_SEQUENCE ? last - MAX_SEQUENCE - 1 : last;
}

/** What one partition knows of its idempotent producers: epochs and sequences. */
export class ProducerStates {
  readonly #entries = new Map<bigint, ProducerEntry>();
  /**
   * The lowest sequence with which a producer has asked, since its last append or marker, to begin a transaction here. The broker keeps
   * it so that a batch that overtook an earlier one during the question to the coordinator is refused. A stale copy leaves its sequence
   * here as well, and the next proper batch is then answered 45 until the transaction has ended.
   */
  readonly #verifying = new Map<bigint, { epoch: number; lowestSequence: number }>();

  verify(header: BatchHeader): void {
    const known = this.#verifying.get(header.producerId);
    if (known === undefined || known.epoch < header.producerEpoch) {
      this.#verifying.set(header.producerId, { epoch: header.producerEpoch, lowestSequence: header.baseSequence });
    } else {
      known.lowestSequence = Math.min(known.lowestSequence, header.baseSequence);
    }
  }

  /** The base offset this very batch got when it came first. */
  duplicateOf(header: BatchHeader): number | undefined {
    const entry = this.#entries.get(header.producerId);
    if (entry?.epoch !== header.producerEpoch) return undefined;
    const last = lastSequenceOf(header);
    return entry.batches.find((batch) => batch.firstSequence === header.baseSequence && batch.lastSequence === last)?.baseOffset;
  }

  /** 0, 47 for an older epoch, or 45 for a sequence that does not follow. A producer unknown here may begin anywhere. */
  check(header: BatchHeader): number {
    const entry = this.#entries.get(header.producerId);
    if (entry !== undefined && header.producerEpoch < entry.epoch) return brokerCode.INVALID_PRODUCER_EPOCH;
    const verifying = this.#verifying.get(header.producerId);
    if (verifying !== undefined && header.baseSequence > verifying.lowestSequence) return brokerCode.OUT_OF_ORDER_SEQUENCE_NUMBER;
    if (entry === undefined) return brokerCode.NONE;
    const last = header.producerEpoch === entry.epoch ? entry.batches.at(-1)?.lastSequence : undefined;
    const expected = last === undefined || last === MAX_SEQUENCE ? 0 : last + 1;
    return header.baseSequence === expected ? brokerCode.NONE : brokerCode.OUT_OF_ORDER_SEQUENCE_NUMBER;
  }

  appended(header: BatchHeader, baseOffset: number): void {
    this.#verifying.delete(header.producerId);
    const lastOffset = baseOffset + header.recordCount - 1;
    const batch = { firstSequence: header.baseSequence, lastSequence: lastSequenceOf(header), baseOffset, lastOffset };
    const entry = this.#entries.get(header.producerId);
    if (entry?.epoch !== header.producerEpoch) {
      this.#entries.set(header.producerId, { epoch: header.producerEpoch, batches: [batch] });
      return;
    }
    entry.batches.push(batch);
    if (entry.batches.length > REMEMBERED_BATCHES) entry.batches.shift();
  }

  /** A marker of a higher epoch fences the producer's older batches, and forgets their sequences. */
  marked(producerId: bigint, epoch: number): void {
    this.#verifying.delete(producerId);
    const entry = this.#entries.get(producerId);
    if (entry?.epoch !== epoch) this.#entries.set(producerId, { epoch, batches: [] });
  }

  epochOf(producerId: bigint): number | undefined {
    return this.#entries.get(producerId)?.epoch;
  }

  /** Undefined: the producer is not known here. Nobody is forgotten, as a broker does after a day (producer.id.expiration.ms). */
  lastOf(producerId: bigint): LastOfProducer | undefined {
    const entry = this.#entries.get(producerId);
    return entry === undefined ? undefined : { epoch: entry.epoch, lastOffset: entry.batches.at(-1)?.lastOffset };
  }
}
