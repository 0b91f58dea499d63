import { type RunHelpers, TestScheduler } from 'rxjs/testing';

/** Runs diagrams in virtual time; a difference is shown by Jest. */
export function marbles(diagrams: (helpers: RunHelpers) => void): void {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(diagrams);
}
