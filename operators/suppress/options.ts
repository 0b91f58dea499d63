import type { Duration } from '../../src/model/duration';

/** Bounds of what is held back; none by default. */
export interface SuppressBounds {
  /** Keys held, >= 0. */
  readonly maxRecords?: number;
  /** Bytes held, >= 0: of each result key, value and headers as they are stored, and 8 for its timestamp. */
  readonly maxBytes?: number;
}

/** Each window once, when it has closed. What does not fit fails: a result before its window has closed would not be final. */
export interface UntilWindowCloses extends SuppressBounds {
  readonly until: 'windowCloses';
  readonly whenFull?: 'fail';
}

/** At most one result of a key in `limit` ms of event time, >= 0. */
export interface UntilTimeLimit extends SuppressBounds {
  readonly until: { readonly limit: Duration };
  /** What happens when more is held than the bounds allow: the oldest result is emitted early (default), or `SUPPRESS_FULL`. */
  readonly whenFull?: 'emit' | 'fail';
}

export type Suppression = UntilWindowCloses | UntilTimeLimit;
