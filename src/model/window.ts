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
  /** The windows that hold a timestamp, by ascending start; none: the record is left out. */
  readonly windowsOf: (timestamp: number) => readonly Window[];
  /** The first instant behind the window that starts at `start`: it is complete when event time, less grace, has come there. Grows with `start`. */
  readonly endOf: (start: number) => number;
  readonly grace?: Duration;
}

/** KIP-450: one window for every distinct set of records that lie within `difference` of each other. */
export interface SlidingWindows {
  readonly difference: Duration;
  readonly grace?: Duration;
}

/** Windows of `records` records of a key, a new one every `every` records (default `records`). Their bounds count records, from 0. */
export interface CountWindows {
  readonly records: number;
  readonly every?: number;
}

export type Windows = TimeWindows | SlidingWindows | CountWindows | WindowAssigner;

/** Records of a key at most `gap` apart; late once the session's end < stream time - grace - gap. */
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

/** A record on its way into a session; only a session store can aggregate it. */
export interface InSession<K, V> {
  readonly record: KafkaRecord<K, V>;
  readonly by: SessionWindows;
}
