import type { Origin } from './origin';
import type { Topic } from './topic';

/** A record on its way to a topic: what a topology emits, and what a test asserts on. Nominal: a KafkaRecord is none. */
export class Outgoing<out K = unknown, out V = unknown> {
  /** The topic's name. */
  readonly topic: string;
  readonly key: K;
  readonly value: V;
  /** ms since the epoch. */
  readonly timestamp: number;
  // Hidden from whoever compares: what a test expects was declared elsewhere, and came from no broker.
  readonly #destination: Topic<unknown, unknown>;
  readonly #origin: Origin;
  declare private readonly outgoing: true;

  private constructor(destination: Topic<unknown, unknown>, key: K, value: V, timestamp: number, origin: Origin) {
    this.topic = destination.name;
    this.key = key;
    this.value = value;
    this.timestamp = timestamp;
    this.#destination = destination;
    this.#origin = origin;
  }

  /** @internal */
  get destination(): Topic<unknown, unknown> {
    return this.#destination;
  }

  /** @internal */
  get origin(): Origin {
    return this.#origin;
  }

  /** Those of the record it was made from. */
  get headers(): ReadonlyMap<string, Uint8Array> {
    return this.#origin.headers;
  }

  /** @internal */
  static of<K, V>(destination: Topic<K, V>, key: K, value: V, timestamp: number, origin: Origin): Outgoing<K, V> {
    return new Outgoing<K, V>(destination as unknown as Topic<unknown, unknown>, key, value, timestamp, origin);
  }
}
