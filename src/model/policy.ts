import type { Where } from './where';

/** Sends the offending record's raw bytes to a topic, with the reason in its headers. */
export interface DeadLetter {
  readonly deadLetter: string;
}

/** What becomes of a record that failed. */
export type Verdict = 'fail' | 'skip' | DeadLetter;

/** What failed, where: the record, or the emission (a window, a timer) that it was. */
export interface Failure extends Pick<Where, 'operator'> {
  readonly error: Error & { readonly code: string; readonly retryable: boolean };
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** What to do about a record that cannot be decoded or processed: 'fail' (default) stops its task with the offset uncommitted. */
export type Policy = Verdict | ((failure: Failure) => Verdict);

/** The dead letter verdict for `topicName`. */
export function deadLetter(topicName: string): DeadLetter {
  return { deadLetter: topicName };
}
