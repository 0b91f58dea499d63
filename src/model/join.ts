import type { Codec } from './codec';
import type { Duration } from './duration';
import type { StoreDefinition, StoreShape } from './store-definition';

declare const joins: unique symbol;

/**
 * Which records of two streams belong together: a left one of time t meets right ones of [t - before, t + after], both ends in. Either
 * may be negative as long as their sum is not: { before: -5, after: 20 } are right records 5 to 20 ms later.
 */
export interface JoinWindows {
  readonly before: Duration;
  readonly after: Duration;
  /** ms that the window of a record waits for late partners after its end; default 0. */
  readonly grace?: Duration;
}

/** What the records of two streams are kept in until nobody can meet them any more: for `joinStream`, and for nothing else. */
export interface JoinStore<K, L, R> {
  /** Invariant in each: a store of narrower values, or of swapped sides, is another store. */
  readonly [joins]: (key: K, left: L, right: R) => readonly [K, L, R];
}

/** What the runtime needs of a definition for joins; its value codec is that of both sides with what is known of a row. */
export interface JoinShape extends StoreShape {
  readonly kind: 'join';
  readonly joinWindows: JoinWindows;
}

/** What `joinStore` gives. */
export interface JoinDefinition<K, L, R> extends StoreDefinition<JoinStore<K, L, R>> {
  readonly windows: JoinWindows;
  /** @internal */
  readonly shape: JoinShape;
}

/** What `joinStore` is given. */
export interface JoinStoreOptions<K, L, R> {
  readonly key: Codec<K>;
  readonly left: Codec<L>;
  readonly right: Codec<R>;
  readonly windows: JoinWindows;
  /** Kept in LevelDB (default); false: in memory, and restored whole from the changelog at every start. */
  readonly persistent?: boolean;
}
