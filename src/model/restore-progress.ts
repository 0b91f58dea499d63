import type { Duration } from './duration';

/** How far restoring has come. */
export interface RestoredSoFar {
  /** Changelog records applied since this restore began. */
  readonly records: number;
  /** Offsets still to read; there may be fewer records. */
  readonly left: number;
  /** Records a second since this restore began. */
  readonly rate: number;
  /** About how long it takes yet, ms, at the rate so far; Infinity before there is one. */
  readonly remaining: Duration;
  /** Everything is read, and on disk. */
  readonly done: boolean;
}

/** How far the restore of one store has come, or the loading of one global table. Plain data: it can be sent to another thread. */
export interface RestoreProgress extends RestoredSoFar {
  /** Partition number of the task; a global table is no task's. */
  readonly task?: number;
  /** Name of the store; of a global table that of its topic. */
  readonly store: string;
  /** What it is read from. */
  readonly topic: string;
  /** All stores of the task together; what was up to date when it began is not counted. */
  readonly ofTask: RestoredSoFar;
}
