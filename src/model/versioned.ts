import type { Duration } from './duration';
import type { StoreDefinition, StoreShape } from './store-definition';

declare const versions: unique symbol;

/** Each key's values with the times from which they were valid. Property-style members: keys and values are invariant. */
export interface VersionedStore<K, V> {
  readonly [versions]: 'versioned';
  /** The latest value, or the one that was valid at `asOf`, ms since the epoch: undefined beyond the history, unless it is the latest. */
  readonly get: (key: K, asOf?: number) => V | undefined;
  /**
   * Valid from `from` on, ms since the epoch, in the place of a version of that very time; null: from then on there is none. Default: the
   * time of the record being pushed. Before the history it does nothing.
   */
  readonly put: (key: K, value: V | null, from?: number) => void;
}

/** What the runtime needs of a definition of versions. */
export interface VersionedShape extends StoreShape {
  readonly kind: 'versioned';
  /** ms */
  readonly history: Duration;
}

/** What `versionedStore` gives. */
export interface VersionedDefinition<K, V> extends StoreDefinition<VersionedStore<K, V>> {
  readonly history: Duration;
  /** @internal */
  readonly shape: VersionedShape;
}
