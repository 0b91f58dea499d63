import type { Codec, Codecs } from './codec';
import type { Duration } from './duration';
import type { Policy } from './policy';

declare const kind: unique symbol;

/** Of `topic`. */
export interface TopicOptions<V> {
  /** Where a new group starts; a position that is gone follows the same policy, visibly. Default 'earliest'. */
  readonly from?: 'earliest' | 'latest' | Date;
  /**
   * Event time in ms since the epoch, read from the value; default the record's own timestamp (on a LogAppendTime topic the broker's). For a
   * value of null the record's own.
   */
  readonly timestamp?: (value: V) => number;
  /** Watermark mode for all operators that the topic reaches, behind repartitions too. Default: stream time, as in Kafka Streams. */
  readonly watermark?: WatermarkOptions;
  /**
   * ms that a timestamp may lie ahead of the wall clock, ≥ 0: one beyond is an error INVALID_TIMESTAMP of its record, under
   * `onDecodeError`. Default: no limit, and then a single absurd timestamp makes all that follows it late.
   */
  readonly maxFuture?: Duration;
  /** What to do with a record whose key, value or timestamp cannot be read (DECODE, NULL_KEY, NULL_VALUE, INVALID_TIMESTAMP); default 'fail'. */
  readonly onDecodeError?: Policy;
}

/** How event time follows from the records of a topic, partition by partition. */
export interface WatermarkOptions {
  /** ms that a record may lie behind the greatest timestamp before it in its partition without being late, ≥ 0. */
  readonly outOfOrderness: Duration;
  /**
   * ms of wall clock after which a partition that is read up to its last stable offset, and silent, holds the others back no longer, ≥ 0.
   * Its next record counts again, and is late if the others have passed it by then. Default: never.
   */
  readonly idleAfter?: Duration;
}

/** A topic of the user's: read with `task.stream` or `task.table`, written with `to`. Nominal. */
export interface Topic<K, V> extends Codecs<K, V> {
  readonly [kind]: 'topic';
  readonly name: string;
  /** @internal */
  readonly options: TopicOptions<V>;
  /** @internal True when the topic was declared without a key codec: its records' keys are null. */
  readonly keyless: boolean;
}

/** Created, purged and named `<app>-<name>-repartition` by the application; only `repartition` accepts it. */
export interface InternalTopic<K, V> extends Codecs<K, V> {
  readonly [kind]: 'internal';
  readonly name: string;
  /** @internal Partitions asked for; default the largest count among what flows into it. */
  readonly partitions: number | undefined;
}

/** A key codec for topics declared without one: never called, because the key of their records is null. */
export type KeylessCodec = Codec<null>;
