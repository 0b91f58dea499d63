import type { MillraceError } from '../errors/millrace-error';
import type { AbortedTransaction } from './port';

/** Where a partition stands, as of one answer. */
export interface PartitionProgress {
  /** The next offset to fetch. Caught up: at or above the last stable offset. */
  readonly next: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
}

/** The record set of one answer; `next` counts whole batches, also control, aborted and empty ones. */
export interface FetchedChunk extends PartitionProgress {
  readonly records: Buffer;
  /** As the broker gave them. */
  readonly aborted: readonly AbortedTransaction[];
  /** The offset asked for; a batch may begin before it. */
  readonly from: number;
}

/** Gets what is fetched of one partition, in order. Called synchronously; must not throw. */
export interface PartitionSink {
  chunk(chunk: FetchedChunk): void;
  /** An answer without records: there may still be news about how far the log goes. */
  progress(progress: PartitionProgress): void;
  /** The log does not have the position. Nothing more is fetched until the partition is added again, where the declared policy says. */
  outOfRange(position: { readonly requested: number; readonly logStart: number; readonly logEnd: number }): void;
  /** Nothing more is fetched until the partition is added again. */
  failed(error: MillraceError): void;
}
