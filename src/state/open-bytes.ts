import type { OrderedBytes } from './port';

export interface OpenBytesOptions {
  /** ms to wait for another process to let go of the folder; default 5,000. */
  readonly waitMs?: number;
}

/**
 * Opens ordered bytes in a folder, which is made if it is not there. One opener at a time, enforced by the kernel.
 * Rejects with SLOT_IN_USE while another holds the folder, STATE_CORRUPTED, or STATE_IO (disk full, permissions; retryable).
 */
export type OpenBytes = (directory: string, options?: OpenBytesOptions) => Promise<OrderedBytes>;
