import type { MillraceError } from '../errors/millrace-error';
import type { EncodedBatch } from './batch-encode';
import type { TopicPartition } from './port';

/** A batch and where it came from. Its bytes are stamped when it is sent: a batch is for one transaction only. */
export interface BatchToProduce<S = unknown> extends TopicPartition {
  readonly batch: EncodedBatch;
  /** The caller's own note, handed back with a refusal. */
  readonly source: S;
}

/** A batch that the broker will not take, however often it is sent. */
export interface Refusal<S = unknown> extends TopicPartition {
  /** Its place among the batches of the transaction. */
  readonly index: number;
  readonly source: S;
  readonly code: number;
  /** The records the broker names, by their place in the batch; empty: it names none. */
  readonly records: readonly { readonly index: number; readonly message: string | null }[];
  readonly error: MillraceError;
}

/** The offset behind the last record written to a partition. */
export interface PartitionEnd extends TopicPartition {
  readonly next: number;
}

export type ProduceOutcome<S = unknown> =
  | { readonly kind: 'written'; readonly ends: readonly PartitionEnd[] }
  | { readonly kind: 'refused'; readonly refusals: readonly Refusal<S>[] }
  /** `code` 0: not a broker's word, such as a budget that was used up. */
  | { readonly kind: 'failed'; readonly code: number; readonly reason: MillraceError };

export interface ProduceResult<S = unknown> {
  readonly outcome: ProduceOutcome<S>;
  /** True when the answer to a request was never read: an old copy of it may yet be executed. */
  readonly unread: boolean;
}
