import type { MemberIdentity } from './port';

/**
 * What a transaction asks of the group member in whose name it commits offsets: the generation in the offset commit is the fence that
 * keeps a member without its partitions from committing (KIP-447).
 */
export interface GroupFence {
  /** Who we are now; asked each time offsets are sent. */
  identity(): MemberIdentity;
  /**
   * The broker no longer takes our word: 22 or 27 to the offsets (a join was completed or is under way), 47 or 90 to anything (the broker
   * ended the transaction, or somebody else holds the transactional id). Waits for a join under way; after 47 and 90 a heartbeat must have
   * been answered 0 or 27. Resolves with who we are if every task of the transaction has been ours all the time, else with undefined.
   */
  renew(code: number): Promise<MemberIdentity | undefined>;
}
