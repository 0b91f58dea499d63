/** How a worker thread has ended: 'failed': its instance, with an error; else its thread, which no error of ours foresaw. */
export type WorkerEnd = 'failed' | 'uncaught' | 'exit' | 'out-of-memory';

/** A worker thread has ended that should not. */
export interface WorkerFailure {
  /** Number of the thread, from 0. */
  readonly thread: number;
  readonly how: WorkerEnd;
  readonly error: Error & { readonly code: string; readonly retryable: boolean };
  /** Failures of all threads of this process within the last five minutes, this one included. */
  readonly failures: number;
}

/**
 * 'replace': another thread takes its place and its number; what the dead one left open is fenced, its tasks are given to whoever is there.
 * 'stop-instance': the run of this process ends with the failure's error, its tasks go to the other instances.
 * 'stop-application': so does every instance of the group.
 */
export type WorkerFailureVerdict = 'replace' | 'stop-instance' | 'stop-application';

/** What to do about a worker thread that has ended; a function is asked in the main thread. */
export type WorkerFailurePolicy = WorkerFailureVerdict | ((failure: WorkerFailure) => WorkerFailureVerdict);
