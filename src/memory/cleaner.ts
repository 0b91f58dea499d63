import { attribute, type BatchHeader, controlType, readBatchHeader } from '../kafka/record-batch';
import { batchOfKept, emptiedBatch, type KeptRecord } from './cleaned-batch';
import type { LastOfProducer } from './producer-state';
import { RecordWalk } from './record-walk';
import { type EndedTransaction, TraversedTransactions } from './traversed-transactions';

/** One pass over the segments that end at or before `until`. */
export interface CleaningRound {
  readonly batches: readonly Buffer[];
  /** What lies below was cleaned before: its keys are unique, and only newer ones take its place. */
  readonly dirtyFrom: number;
  readonly until: number;
  readonly now: number;
  readonly deleteRetentionMs: number;
  readonly aborted: readonly EndedTransaction[];
  readonly lastOfProducer: (producerId: bigint) => LastOfProducer | undefined;
}

export interface Cleaned {
  readonly batches: readonly Buffer[];
  /** Of `aborted`: those that readers must still be told. */
  readonly aborted: readonly EndedTransaction[];
  /** Records, markers not counted, that are gone. */
  readonly removed: number;
}

interface Kept {
  readonly kept: readonly KeptRecord[];
  /** There are tombstones among them. */
  readonly mayGoLater: boolean;
}

const NOTHING: Kept = { kept: [], mayGoLater: false };

const isControl = ({ attributes }: BatchHeader): boolean => (attributes & attribute.control) !== 0;
const isTransactional = ({ attributes }: BatchHeader): boolean => (attributes & attribute.transactional) !== 0;

/** Until when tombstones of the batch, or its marker, are kept; undefined: nobody has said yet. */
function horizonOf({ attributes, baseTimestamp }: BatchHeader): number | undefined {
  return (attributes & attribute.deleteHorizon) === 0 ? undefined : baseTimestamp;
}

/** True: the marker ends nothing that is still there. */
function passMarker(transactions: TraversedTransactions, header: BatchHeader, bytes: Buffer): boolean {
  const walk = new RecordWalk(header, bytes, true);
  return !walk.next() || transactions.marker(header, walk.key.readInt16BE(2) === controlType.commit);
}

/** The last offset of each key from `dirtyFrom` on, aborted records left out. */
function lastOffsets({ batches, dirtyFrom, aborted }: CleaningRound): Map<string, number> {
  const transactions = new TraversedTransactions(aborted.filter(({ lastOffset }) => lastOffset >= dirtyFrom));
  const last = new Map<string, number>();
  for (const bytes of batches) {
    const header = readBatchHeader(bytes);
    if (header.lastOffset < dirtyFrom) continue;
    if (isControl(header)) passMarker(transactions, header, bytes);
    else if (!isTransactional(header) || !transactions.data(header)) {
      const walk = new RecordWalk(header, bytes, true);
      while (walk.next()) {
        const offset = header.baseOffset + walk.offsetDelta;
        if (walk.keyLength >= 0 && offset >= dirtyFrom) last.set(walk.key.toString('latin1'), offset);
      }
    }
  }
  return last;
}

/**
 * Compaction as Kafka's log cleaner does it: the last record of each key stays, at its offset. A tombstone goes when it has been passed once
 * and `delete.retention.ms` are over since then; a marker likewise, once nothing of its transaction is left. Records of aborted
 * transactions go at once. A batch without records stays, empty, when it is the last of its producer or of this round.
 */
export function clean(round: CleaningRound): Cleaned {
  return new Cleaning(round).run();
}

class Cleaning {
  readonly #round: CleaningRound;
  readonly #last: ReadonlyMap<string, number>;
  readonly #transactions: TraversedTransactions;
  readonly #batches: Buffer[] = [];
  #removed = 0;

  constructor(round: CleaningRound) {
    this.#round = round;
    this.#last = lastOffsets(round);
    this.#transactions = new TraversedTransactions(round.aborted);
  }

  run(): Cleaned {
    for (const bytes of this.#round.batches) this.#pass(readBatchHeader(bytes), bytes);
    const { aborted, until } = this.#round;
    const stillTold = aborted.filter((each) => each.lastOffset >= until || this.#transactions.seen.has(each));
    return { batches: this.#batches, aborted: stillTold, removed: this.#removed };
  }

  #pass(header: BatchHeader, bytes: Buffer): void {
    const horizon = horizonOf(header);
    const isPast = horizon !== undefined && horizon <= this.#round.now;
    const isEnded = this.#isEnded(header, bytes);
    const goes = isEnded && (isPast || !isControl(header));
    const { kept, mayGoLater } = goes ? NOTHING : this.#kept(header, bytes, isPast);
    if (!isControl(header)) this.#removed += header.recordCount - kept.length;
    const isFirstTime = horizon === undefined && (mayGoLater || isEnded);
    if (kept.length === 0) this.#empty(header, bytes);
    else if (kept.length === header.recordCount && !isFirstTime) this.#batches.push(bytes);
    else this.#batches.push(batchOfKept(header, bytes, kept, isFirstTime ? this.#newHorizon : horizon));
  }

  /** Records of an aborted transaction, or a marker of whose transaction nothing is left. */
  #isEnded(header: BatchHeader, bytes: Buffer): boolean {
    if (isControl(header)) return passMarker(this.#transactions, header, bytes);
    return isTransactional(header) && this.#transactions.data(header);
  }

  get #newHorizon(): number {
    return this.#round.now + this.#round.deleteRetentionMs;
  }

  #kept(header: BatchHeader, bytes: Buffer, isPast: boolean): Kept {
    const kept: KeptRecord[] = [];
    let mayGoLater = false;
    const walk = new RecordWalk(header, bytes, true);
    while (walk.next()) {
      const { hasValue, timestamp, fromOffset } = walk;
      if (!isControl(header) && !this.#isLatest(walk, header.baseOffset + walk.offsetDelta)) continue;
      if (!hasValue && isPast) continue;
      kept.push({ timestamp, fromOffset });
      mayGoLater ||= !hasValue;
    }
    return { kept, mayGoLater };
  }

  #isLatest(walk: RecordWalk, offset: number): boolean {
    return walk.keyLength >= 0 && offset >= (this.#last.get(walk.key.toString('latin1')) ?? -1);
  }

  #empty(header: BatchHeader, bytes: Buffer): void {
    if (this.#mustStay(header)) this.#batches.push(emptiedBatch(header, bytes));
  }

  /** Producers go on where they left off, and a reader's position reaches the end of the round. */
  #mustStay(header: BatchHeader): boolean {
    if (header.lastOffset + 1 === this.#round.until) return true;
    const last = this.#round.lastOfProducer(header.producerId);
    if (last === undefined) return false;
    if (last.lastOffset !== undefined) return last.lastOffset === header.lastOffset;
    return isControl(header) && last.epoch === header.producerEpoch;
  }
}
