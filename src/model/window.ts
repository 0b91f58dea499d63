import type { Duration } from './duration';
import type { KafkaRecord } from './record';

/** A stretch of event time in ms; `end` is exclusive for tumbling and hopping windows, inclusive for sliding ones and sessions. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/** What a result in windows has for its key: the key of its records, and the window. */
export interface Windowed<K> extends Window {
  readonly key: K;
}

/**
 * Fixed windows of `size`, one every `advance` (default `size`), aligned to the epoch; late once `end <= stream time - grace` (default 0).
 * All in ms. The size Infinity: one window, from 0 on, that never ends.
 */
export interface TimeWindows {
  readonly size: Duration;
  readonly advance?: Duration;
  readonly grace?: Duration;
}

/**
 * Windows of one's own: calendar days, say. Both functions are pure, and what they give is never changed. Bounds are whole ms since the
 * epoch, starts 0 or greater; an end may be Infinity.
 */
export interface WindowAssigner {
  /** The windows that hold a timestamp (start <= timestamp < end), by ascending start; none: the record is left out, and is not late. */
  readonly windowsOf: (timestamp: number) => readonly Window[];
  /**
   * The first instant behind the window that starts at `start`: it closes when event time, less grace, has come there. Never falls as
   * `start` grows.
   */
  readonly endOf: (start: number) => number;
  /** ms that a window waits for late records after its end, default 0. */
  readonly grace?: Duration;
}

/**
 * KIP-450: one window for every distinct set of records that lie within `difference` ms of each other; late once
 * end < stream time - grace (ms, default 0).
 */
export interface SlidingWindows {
  readonly difference: Duration;
  readonly grace?: Duration;
}

/** Windows of `records` records of a key, a new one every `every` records (default `records`). Their bounds count records, from 0. */
export interface CountWindows {
  readonly records: number;
  readonly every?: number;
}

/** What `windowStore` is declared for. */
export type Windows = TimeWindows | SlidingWindows | CountWindows | WindowAssigner;

/** Records of a key at most `gap` ms apart; late once the session's end < stream time - grace - gap (`grace` in ms, default 0). */
export interface SessionWindows {
  readonly gap: Duration;
  readonly grace?: Duration;
}

/** Of which windows results are, and when `suppress` may take them for final. */
export interface ResultWindows {
  readonly windows: Windows | SessionWindows;
  /**
   * Windows whose end belongs to them (sliding ones, sessions) are released when event time, less what they wait, has come to their end,
   * as Kafka Streams does, and not when it is past it.
   */
  readonly releasedAtEnd: boolean;
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
