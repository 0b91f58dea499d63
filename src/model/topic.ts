import type { Codec, Codecs } from './codec';
import type { Duration } from './duration';
import type { Policy } from './policy';

declare const kind: unique symbol;

export interface TopicOptions<V> {
  /** Where a new group starts; a position that is gone follows the same policy, visibly. Default 'earliest'. */
  readonly from?: 'earliest' | 'latest' | Date;
  /** Event time in ms since the epoch, read from the value; default the record's own timestamp. */
  readonly timestamp?: (value: V) => number;
  readonly watermark?: { readonly outOfOrderness: Duration; readonly idleAfter?: Duration };
  readonly onDecodeError?: Policy;
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
