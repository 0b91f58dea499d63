import type { Duration } from '../model/duration';
import type { KeyValueStore, SessionStore, StoreShape, SuppressStore, TimerStore, WindowStore } from '../model/store-definition';
import type { ClosingIndex } from './closing-index';
import type { Counted } from './counted';
import type { DueIndex } from './due-index';
import type { EventTime } from './event-time';
import type { Held, Headers } from './held';
import type { Row } from './rows';
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

/** A key-value store whose rows age. */
export interface AgingRuntime extends StoreRuntime {
  /** What rows age by from here on; `ttl` in ms, that of the store if it has one. Say so at subscription. */
  age(eventTime: Pick<EventTime, 'value'>, ttl?: Duration): void;
  /** True: all rows are in order. A promise: those on disk are being read; ask again after it. */
  ready(): true | Promise<void>;
  /** From here on rows are kept by a `KeyWithId`, in the place of a key. Say so before anything is read or written. */
  keyByIds(): void;
  /** There may be a row whose time is over. Asked for every record: no store access. */
  readonly isDue: boolean;
  /** Removes rows whose time is over, looking at up to `budget` of them. Gives what is left of it; 0: call again. */
  removeDue(budget: number): number;
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
  /** Undefined also for a window that retention no longer shows: start <= `invisibleUpTo`, unless the windows are of one's own. */
  find(key: K, start: number): Stamped<A> | undefined;
  /** Whatever retention shows: a window that is open for the operator is read, however far others have come. */
  read(key: K, start: number): Stamped<A> | undefined;
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
  /**
   * Need a window be kept no longer, once it has closed? One that starts exactly where visibility ends is kept, since Kafka Streams'
   * range reads still show it; a window of one's own is not.
   */
  isRemovable(start: number): boolean;
}

/** A store whose windows belong to their key: sliding and counted windows (rows by start), sessions (rows by end, then start). */
export interface RowRuntime<K, A> extends StoreRuntime {
  /** All rows of a key in order, those that retention no longer shows too. Never changed in place. */
  rows(key: K): readonly Row<A>[];
  rowsOf(identity: string): readonly Row<A>[];
  /** `rows` takes the place of what the key has: in order, and what has not changed is the same object. */
  replace(key: K, rows: readonly Row<A>[], timestamp: number): void;
  /** A null was written for a row of this time: nothing to keep, but like any write it may put others out of sight. */
  wrote(time: number): void;
  /** The greatest time of a row written - retention; -Infinity at first. Rows whose time is <= this are invisible. */
  readonly invisibleUpTo: number;
  /** The start of a window, the end of a session. */
  timeOf(row: { readonly start: number; readonly end: number }): number;
  identityOf(key: K): string;
  keyOf(identity: string): K;
  /** Orders identities as the bytes of their keys. */
  compare(a: string, b: string): number;
  /** By the time of a key's first row; undefined where no row ever goes by its time (counted windows). */
  readonly due: DueIndex | undefined;
  /** By the time of a key's first row that has not been closed: whoever closes adds the key again at the next one. */
  closingIndex(): ClosingIndex;
}

export interface KeyValueHandle<K, A> extends KeyValueStore<K, A> {
  readonly [runtime]: KeyValueRuntime<K, A>;
}
export interface WindowHandle<K, A> extends WindowStore<K, A> {
  readonly [runtime]: WindowRuntime<K, A>;
}
/** A window store whose windows belong to their key. */
export interface RowWindowHandle<K, A> extends WindowStore<K, A> {
  readonly [runtime]: RowRuntime<K, A>;
}
/** A window store whose windows count the records of their key. */
export interface CountedWindowHandle<K, A> extends WindowStore<K, A> {
  readonly [runtime]: RowRuntime<K, Counted<A>>;
}
export interface SessionHandle<K, A> extends SessionStore<K, A> {
  readonly [runtime]: RowRuntime<K, A>;
}

/** The entry whose turn it is: the least time, of one time the least key bytes. */
export interface Scheduled<K, A> {
  readonly key: K;
  /** Equal iff the key's bytes are equal. */
  readonly identity: string;
  readonly time: number;
  readonly entry: Stamped<A>;
}

/** Results held back, one a key. */
export interface SuppressRuntime<K, V> extends StoreRuntime {
  /** In the place of what is held of the key, whose time it keeps; else at `bufferTime`. */
  hold(key: K, value: V | null, bufferTime: number, timestamp: number, headers: Headers): void;
  /** Nothing is held that comes up before this; Infinity: nothing at all. No disk. */
  readonly earliest: number;
  /** The first result up to `until`, by its time, then key bytes. */
  next(until: number): Scheduled<K, Held<V>> | undefined;
  /** Removes what `next` has just given. */
  released(result: Scheduled<K, Held<V>>, timestamp: number): void;
  /** The same, and until an instant later `isReleased` says so. */
  releasedAtEnd(result: Scheduled<K, Held<V>>): void;
  isReleased(key: K): boolean;
  /** Of the results that are held; Infinity: there are none. */
  readonly leastTimestamp: number;
}

export interface SuppressHandle<K, V> extends SuppressStore<K, V> {
  readonly [runtime]: SuppressRuntime<K, V>;
}

/** Timers, one a key. */
export interface TimerRuntime<K> extends StoreRuntime {
  /** `held`: the timer does not come up before `release`. */
  set(key: K, time: number, timestamp: number, held: boolean): void;
  cancel(key: K, timestamp: number): void;
  /** Nothing comes up before this; Infinity: nothing at all. No disk. */
  readonly earliest: number;
  /** The first timer up to `until`, by time, then key bytes. */
  next(until: number): Scheduled<K, number> | undefined;
  /** Removes what `next` has just given. */
  fired(timer: Scheduled<K, number>, timestamp: number): void;
  release(): void;
  keyBytes(identity: string): Uint8Array;
}

export interface TimerHandle<K> extends TimerStore<K> {
  readonly [runtime]: TimerRuntime<K>;
}
