import type { InputStep, Row } from './format';

/** A job put together from exported operators, ready to be given the steps of a case. */
export interface RunningJob {
  /** Everything that follows from the step. Throws when the job has failed. */
  step(step: InputStep): readonly Row[];
  /** The final value of `dropped-records-total`. */
  droppedRecords(): number;
  /** What a reader of the store still sees, by key, then window; undefined when the job has no store to show. */
  store(): Promise<readonly Row[] | undefined>;
}

/** A job that nobody can put together yet: the case fails with this message. */
export class NotBuilt extends Error {}
