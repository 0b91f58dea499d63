import type { MillraceError } from '../errors/millrace-error';
import type { GroupFence } from './group-fence';
import type { OffsetToCommit } from './port';
import type { BatchToProduce, PartitionEnd, Refusal } from './produce-outcome';

/** What becomes visible together, or not at all. */
export interface Transaction<S = unknown> {
  readonly batches: readonly BatchToProduce<S>[];
  /**
   * At least one: the offset commit is the fence. In offset or metadata one of them should differ from what was committed before: should
   * the answer to EndTxn be lost for good, that is what tells a committed transaction from an aborted one.
   */
  readonly offsets: readonly OffsetToCommit[];
  readonly fence: GroupFence;
}

export type CommitOutcome<S = unknown> =
  /** Decided, not yet visible: committed offsets are to be read with requireStable. `ends` of each partition written to. */
  | { readonly kind: 'committed'; readonly ends: readonly PartitionEnd[] }
  /** The epoch has been renewed: the same work may be done again at once. */
  | { readonly kind: 'aborted'; readonly reason: MillraceError }
  /** The broker will not take these batches. Aborted, the epoch has been renewed: the work may be done again without them. */
  | { readonly kind: 'refused'; readonly refusals: readonly Refusal<S>[] }
  /** The group no longer counts us in, or a task has left. Aborted; rejoin, then `recover()`, then read committed offsets. */
  | { readonly kind: 'lost'; readonly reason: MillraceError }
  /** Another process holds the transactional id. */
  | { readonly kind: 'fenced'; readonly reason: MillraceError };

/** Where a transaction is; for tests that stop the process at a step. */
export type TransactionStep =
  | 'adding partitions'
  | 'producing'
  | 'adding offsets'
  | 'offsets sent'
  | 'between offsets and EndTxn'
  | 'ending'
  | 'ended'
  | 'aborting'
  | 'renewing epoch';

export type TransactionState = 'UNINITIALISED' | 'READY' | 'IN_TRANSACTION' | 'ENDING' | 'RECOVERING' | 'FENCED' | 'CLOSED';

/** Why a transaction cannot be committed; the most binding first. */
export type StepFailure<S = unknown> =
  | { readonly kind: 'lost'; readonly reason: MillraceError }
  /** 47 or 90: timed out at the broker, or fenced; InitProducerId tells which. */
  | { readonly kind: 'ended'; readonly code: number; readonly reason: MillraceError }
  | { readonly kind: 'refused'; readonly refusals: readonly Refusal<S>[] }
  | { readonly kind: 'failed'; readonly reason: MillraceError };

const ORDER: readonly StepFailure['kind'][] = ['lost', 'ended', 'refused', 'failed'];

/** Of the failures of one transaction, in order of time, the one that decides what to do. */
export function mostBinding<S>(failures: readonly StepFailure<S>[]): StepFailure<S> | undefined {
  for (const kind of ORDER) {
    const found = failures.find((failure) => failure.kind === kind);
    if (found !== undefined) return found;
  }
  return undefined;
}
