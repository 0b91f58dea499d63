/** The state port: ordered bytes with synchronous point reads and atomic batches. `level/` is one, the in-memory one another. */

export interface PutBytes {
  readonly type: 'put';
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}
export interface DeleteBytes {
  readonly type: 'delete';
  readonly key: Uint8Array;
}
export type BytesOperation = PutBytes | DeleteBytes;

/** Keys in [from, to) by unsigned bytes. */
export interface BytesRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

/** One moment of the store; later writes are not seen. Must be closed. */
export interface BytesSnapshot {
  close(): Promise<void>;
}

export interface OrderedBytes {
  /** Sees every batch whose `write` has resolved. */
  get(key: Uint8Array): Uint8Array | undefined;
  /** All or nothing, also across a crash. Batches take effect in call order; one that fails takes along those handed over behind it. */
  write(operations: readonly BytesOperation[]): Promise<void>;
  snapshot(): BytesSnapshot;
  /** Up to `limit` entries in ascending order. */
  read(range: BytesRange, limit: number, snapshot?: BytesSnapshot): Promise<readonly (readonly [Uint8Array, Uint8Array])[]>;
  /** Deletes a whole range; not atomic with anything else. */
  clear(range: BytesRange): Promise<void>;
  /** Waits for writes under way. */
  close(): Promise<void>;
}
