import type { KeyValueStore, StoreShape, WindowStore } from '../model/store-definition';
import type { Scope } from './scope';

/** A value with the timestamp it was written with, ms since the epoch. Immutable. */
export interface Stamped<A> {
  readonly value: A;
  readonly timestamp: number;
}

/** Where the operators find what is behind a store handle. */
export const runtime: unique symbol = Symbol('millrace.runtime');

export interface StoreRuntime {
  readonly shape: StoreShape;
  readonly scope: Scope;
  /**
   * Takes the store for one subscription of one operator; `token` is the operator (one object for each call that made it).
   * @throws STORE_IN_USE when another operator, or another subscription of this one, holds it. Gives what releases it.
   */
  claim(token: object, operator: string): () => void;
}

export interface KeyValueRuntime<K, A> extends StoreRuntime {
  find(key: K): Stamped<A> | undefined;
  write(key: K, value: A, timestamp: number): void;
  remove(key: K, timestamp: number): void;
}

/** Entries of one window in ascending order of key bytes, as they were when it was opened; removing while walking is allowed. */
export interface WindowCursor<K, A> {
  /** True: `key`, `identity` and `entry` are set. False: the end. A promise: the next entries are being read from disk; ask again. */
  next(): boolean | Promise<void>;
  readonly key: K;
  /** Equal iff the key's bytes are equal; what `open` takes as `after`. */
  readonly identity: string;
  readonly entry: Stamped<A>;
  close(): void;
}

export interface WindowRuntime<K, A> extends StoreRuntime {
  /** Undefined also for a window that retention no longer shows: start <= greatest start written - retention. */
  find(key: K, start: number): Stamped<A> | undefined;
  write(key: K, start: number, value: A, timestamp: number): void;
  /** Gone from store and changelog (a tombstone). */
  remove(key: K, start: number, timestamp: number): void;
  /** The smallest start >= `from` of a window that has entries, Infinity when there is none. No disk. */
  nextStart(from: number): number;
  /** Walks the entries of one window behind the key `after` (all: undefined), visible or not. */
  open(start: number, after?: string): WindowCursor<K, A>;
  /** As `open`, all of them, in whatever order is cheapest. */
  openUnordered(start: number): WindowCursor<K, A>;
  /** Greatest start written - retention; -Infinity at first. Windows with start <= this are invisible. */
  readonly invisibleUpTo: number;
}

export interface KeyValueHandle<K, A> extends KeyValueStore<K, A> {
  readonly [runtime]: KeyValueRuntime<K, A>;
}
export interface WindowHandle<K, A> extends WindowStore<K, A> {
  readonly [runtime]: WindowRuntime<K, A>;
}
