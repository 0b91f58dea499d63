import type { StoreDefinition, StoreShape } from './store-definition';

declare const buffers: unique symbol;

/** Records of a stream that wait for the other side of a join. Property-style members: keys and values are invariant. */
export interface BufferStore<K, V> {
  readonly [buffers]: 'buffer';
  /** Waits from the time of the record being pushed. For tests. */
  readonly put: (key: K, value: V) => void;
}

/** What `bufferStore` gives. */
export interface BufferDefinition<K, V> extends StoreDefinition<BufferStore<K, V>> {
  /** @internal */
  readonly shape: StoreShape;
}
