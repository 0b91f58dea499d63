import type { Origin } from './origin';

/** Whether the key still decides the partition this record is in. `withKey` moves a record; `repartition` places it. */
export type Placement = 'placed' | 'moved';

declare const placement: unique symbol;
/** The type of the phantom property that carries the placement. */
export type PlacementTag = typeof placement;

/**
 * One Kafka record with its key and value decoded. Immutable: the `with…` methods give a new record with the same origin and headers.
 * Times are milliseconds since the epoch.
 */
export class KafkaRecord<out K, out V, out P extends Placement = 'placed'> {
  readonly key: K;
  readonly value: V;
  readonly timestamp: number;
  /** Hidden from whoever compares records: two are equal if key, value and timestamp are, wherever they came from. */
  readonly #origin: Origin;
  /** A phantom: exists in types only. */
  declare readonly [placement]: P;

  private constructor(key: K, value: V, timestamp: number, origin: Origin) {
    this.key = key;
    this.value = value;
    this.timestamp = timestamp;
    this.#origin = origin;
  }

  /** @internal */
  static of<K, V, P extends Placement = 'placed'>(key: K, value: V, timestamp: number, origin: Origin): KafkaRecord<K, V, P> {
    return new KafkaRecord<K, V, P>(key, value, timestamp, origin);
  }

  /** @internal */
  get origin(): Origin {
    return this.#origin;
  }

  get headers(): ReadonlyMap<string, Uint8Array> {
    return this.#origin.headers;
  }

  withKey<K2>(key: K2): KafkaRecord<K2, V, 'moved'> {
    return new KafkaRecord<K2, V, 'moved'>(key, this.value, this.timestamp, this.#origin);
  }

  withValue<V2>(value: V2): KafkaRecord<K, V2, P> {
    return new KafkaRecord<K, V2, P>(this.key, value, this.timestamp, this.#origin);
  }

  withTimestamp(timestamp: number): KafkaRecord<K, V, P> {
    return new KafkaRecord<K, V, P>(this.key, this.value, timestamp, this.#origin);
  }

  /** For a key that provably hashes alike, or a store that need not be co-partitioned. Checked at run time on a sample. */
  assumePlaced(): KafkaRecord<K, V> {
    return this as unknown as KafkaRecord<K, V>;
  }
}
