import { MillraceError } from '../errors/millrace-error';
import { delay, type Clock } from '../time/clock';
import { describeCode } from './describe-code';

/** How long to wait before the `attempt`-th repetition (0 is the first), ms. */
export type Backoff = (attempt: number, clock: Clock) => number;

/** 1, 2, 4 … 100 ms: for what is over within milliseconds, such as completing a transaction. */
export const doubling: Backoff = (attempt) => Math.min(100, 2 ** attempt);

/** 50 to 100 ms: for what takes seconds, such as electing leaders. */
export const steady: Backoff = (_attempt, clock) => 50 + 50 * clock.random();

/** The time by which something must have been done. It can be brought forward, never put off. */
export class Deadline {
  readonly budgetMs: number;
  readonly #clock: Clock;
  readonly #onCut = new Set<() => void>();
  #at: number;
  #cause: unknown;

  constructor(clock: Clock, budgetMs: number) {
    this.budgetMs = budgetMs;
    this.#clock = clock;
    this.#at = clock.monotonic() + budgetMs;
  }

  /** ms, never negative. */
  left(): number {
    return Math.max(0, this.#at - this.#clock.monotonic());
  }

  get passed(): boolean {
    return this.#clock.monotonic() >= this.#at;
  }

  /** Why it was brought forward; undefined while it was not. */
  get cause(): unknown {
    return this.#cause;
  }

  /** Now: whoever waits under it gives up at its next step. */
  cut(cause: unknown): void {
    this.#cause ??= cause;
    this.#at = Math.min(this.#at, this.#clock.monotonic());
    for (const called of this.#onCut) called();
  }

  /** Calls back when it is brought forward; returns how to stop that. */
  onCut(callback: () => void): () => void {
    this.#onCut.add(callback);
    return () => this.#onCut.delete(callback);
  }
}

/** What became of one attempt: its value, or why there must be another (a Kafka error code, or the port's error). */
export type Attempt<T> = { readonly done: true; readonly value: T } | { readonly done: false; readonly because: unknown };

export function done<T>(value: T): Attempt<T> {
  return { done: true, value };
}

export function again(because: unknown): Attempt<never> {
  return { done: false, because };
}

/** True for what the port rejects with when it cannot tell whether the request took effect. */
export function isUnread(error: unknown): error is MillraceError {
  return error instanceof MillraceError && error.retryable;
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly deadline: Deadline;
  readonly backoff: Backoff;
  /** Finishes the sentence "gave up waiting for …". */
  readonly waitingFor: string;
}

/**
 * Repeats `attempt` until it is done or the deadline has passed. An answer that was never read counts as "again".
 *
 * @throws BROKERS_UNREACHABLE or BROKER_ERROR, saying what it waited for and what the last answer was
 */
export async function retrying<T>(options: RetryOptions, attempt: () => Promise<Attempt<T>>): Promise<T> {
  const { clock, deadline, backoff } = options;
  for (let attempts = 0; ; attempts++) {
    if (deadline.cause !== undefined) throw gaveUp(options.waitingFor, deadline, deadline.cause);
    const outcome = await attempt().catch((error: unknown) => {
      if (isUnread(error)) return again(error);
      throw error;
    });
    if (outcome.done) return outcome.value;
    if (deadline.passed) throw gaveUp(options.waitingFor, deadline, outcome.because);
    await delay(clock, Math.min(backoff(attempts, clock), deadline.left()));
  }
}

/** The error of a wait that was longer than its budget. */
export function gaveUp(waitingFor: string, deadline: Deadline, because: unknown): MillraceError {
  const last = typeof because === 'number' ? describeCode(because) : messageOf(because);
  const cut = deadline.cause;
  const end = cut === undefined ? `after ${deadline.budgetMs} ms` : `because of: ${messageOf(cut)}`;
  return new MillraceError(
    because instanceof MillraceError ? 'BROKERS_UNREACHABLE' : 'BROKER_ERROR',
    `Gave up waiting for ${waitingFor} ${end}. The last answer was: ${last}`,
    { cause: because instanceof Error ? because : cut, retryable: true },
  );
}

/** Settles as `promise` does, or with undefined when the deadline comes first. */
export function within<T>(clock: Clock, deadline: Deadline, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const settled = (): void => {
      timer.cancel();
      stop();
    };
    const giveUp = (): void => {
      settled();
      resolve(undefined);
    };
    const timer = clock.setTimer(deadline.left(), giveUp);
    const stop = deadline.onCut(giveUp);
    promise.finally(settled).then(resolve, reject);
  });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
