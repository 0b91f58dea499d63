import type { AbortedTransaction } from '../kafka/port';
import type { BatchHeader } from '../kafka/record-batch';

export interface EndedTransaction extends AbortedTransaction {
  /** Of the abort marker. */
  readonly lastOffset: number;
}

interface Ongoing {
  readonly transaction: EndedTransaction;
  /** A batch of it was passed. */
  isSeen: boolean;
}

/** What the cleaner knows of transactions as it goes through a log, batch by batch. */
export class TraversedTransactions {
  /** Aborted ones of which there was something besides the marker. */
  readonly seen = new Set<EndedTransaction>();
  readonly #aborted: readonly EndedTransaction[];
  #next = 0;
  readonly #ongoing = new Map<bigint, Ongoing>();
  readonly #committed = new Set<bigint>();

  constructor(aborted: readonly EndedTransaction[]) {
    this.#aborted = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset);
  }

  /** A batch of records in a transaction. True: that was aborted. */
  data({ producerId, lastOffset }: BatchHeader): boolean {
    this.#beginUpTo(lastOffset);
    const ongoing = this.#ongoing.get(producerId);
    if (ongoing === undefined) this.#committed.add(producerId);
    else ongoing.isSeen = true;
    return ongoing !== undefined;
  }

  /** A marker. True: it ends nothing that is still there. */
  marker({ producerId, lastOffset }: BatchHeader, commit: boolean): boolean {
    this.#beginUpTo(lastOffset);
    if (commit) return !this.#committed.delete(producerId);
    const ongoing = this.#ongoing.get(producerId);
    this.#ongoing.delete(producerId);
    if (ongoing?.isSeen !== true) return true;
    this.seen.add(ongoing.transaction);
    return false;
  }

  #beginUpTo(offset: number): void {
    for (; this.#next < this.#aborted.length && this.#aborted[this.#next]!.firstOffset <= offset; this.#next++) {
      const transaction = this.#aborted[this.#next]!;
      if (!this.#ongoing.has(transaction.producerId)) this.#ongoing.set(transaction.producerId, { transaction, isSeen: false });
    }
  }
}
