import type { Logger } from '../model/logger';
import type { OffsetReader } from './offsets';
import { partitionKey } from './partition-key';
import type { OffsetToCommit } from './port';

/**
 * Tells from the group's offsets whether a transaction was committed whose EndTxn was never answered: it was, if offsets are there that
 * would not be there without it.
 */
export class OffsetWitness {
  readonly #reader: OffsetReader;
  readonly #logger: Logger;
  /** What was committed before, by partition; an unchanged offset proves nothing. */
  readonly #before = new Map<string, OffsetToCommit>();

  constructor(reader: OffsetReader, logger: Logger) {
    this.#reader = reader;
    this.#logger = logger;
  }

  /** These have been committed. */
  note(offsets: readonly OffsetToCommit[]): void {
    for (const offset of offsets) this.#before.set(partitionKey(offset.topic, offset.partition), offset);
  }

  async saysCommitted(groupId: string, offsets: readonly OffsetToCommit[]): Promise<boolean> {
    const found = await this.#reader.committedOffsets(groupId, offsets);
    for (const [i, sent] of offsets.entries()) {
      const before = this.#before.get(partitionKey(sent.topic, sent.partition));
      if (before !== undefined && isSame(sent, before)) continue;
      if (isSame(sent, found[i])) return true;
      if (before !== undefined && isSame(before, found[i])) return false;
    }
    // Either others have committed since, or nothing changed; doing it again is the lesser evil.
    this.#logger.warn(
      { groupId },
      'an EndTxn was never answered, and the committed offsets do not tell: the transaction is taken as aborted',
    );
    return false;
  }
}

function isSame(a: OffsetToCommit, b: OffsetToCommit | undefined): boolean {
  return a.offset === b?.offset && a.metadata === b.metadata;
}
