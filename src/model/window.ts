import type { Duration } from './duration';
import type { KafkaRecord } from './record';

/** A stretch of event time in ms; `end` is exclusive for tumbling and hopping windows, inclusive for sliding ones and sessions. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

export interface Windowed<K> extends Window {
  readonly key: K;
}

/** Fixed windows of `size`, one every `advance` (default `size`), aligned to the epoch; late once `end <= stream time - grace`. */
export interface TimeWindows {
  readonly size: Duration;
  readonly advance?: Duration;
  readonly grace?: Duration;
}

/** Windows of one's own: calendar days, say. Pure. */
export interface WindowAssigner {
  readonly windowsOf: (timestamp: number) => readonly Window[];
  readonly endOf: (start: number) => number;
  readonly grace?: Duration;
}

/** KIP-450: one window for every distinct set of records that lie within `difference` of each other. */
export interface SlidingWindows {
  readonly difference: Duration;
  readonly grace?: Duration;
}

export interface CountWindows {
  readonly records: number;
  readonly every?: number;
}

export type Windows = TimeWindows | SlidingWindows | CountWindows | WindowAssigner;

export interface SessionWindows {
  readonly gap: Duration;
  readonly grace?: Duration;
}

/** A record with its windows, in ascending order of start; only a window store can aggregate it. Carries the specification it was made by. */
export interface InWindows<K, V> {
  readonly record: KafkaRecord<K, V>;
  readonly windows: readonly Window[];
  readonly by: Windows;
}
