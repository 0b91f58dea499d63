import { inspect } from 'node:util';
import { MillraceError } from '../../src/errors/millrace-error';
import type { FlightControl } from '../../src/state/in-flight';
import type { TimerHandle } from '../../src/time/clock';
import type { Answer } from './answers';
import type { LookupFetch } from './options';

/** One question that is out: answered, failed, or too late; once. */
export class Call<I, R> {
  isSettled = false;
  answer: Answer<R> | undefined;
  private failure: { readonly cause: unknown } | undefined;
  private readonly controller = new AbortController();
  private timer: TimerHandle | undefined;

  constructor(
    readonly id: I,
    /** What it came from is not asked again. */
    private readonly settled: (call: Call<I, R>) => void,
  ) {}

  ask(fetch: LookupFetch<I, R>, control: FlightControl, timeout: number): void {
    this.timer = control.setTimer(timeout, () => {
      const late = new MillraceError('LOOKUP_TIMEOUT', `no answer for the id ${inspect(this.id)} within ${timeout} ms`, {
        retryable: true,
      });
      this.settle(undefined, { cause: late });
      this.controller.abort(late);
    });
    try {
      const answer = fetch(this.id, this.controller.signal);
      if (typeof (answer as Partial<Promise<R>> | undefined)?.then !== 'function') {
        throw new TypeError(`the function gave ${inspect(answer)} for the id ${inspect(this.id)}; it must give a promise`);
      }
      answer.then(
        (value) => {
          this.settle({ value }, undefined);
        },
        (cause: unknown) => {
          this.settle(undefined, { cause });
        },
      );
    } catch (cause) {
      this.settle(undefined, { cause });
    }
  }

  /** @throws what it failed with */
  get value(): R {
    if (this.failure !== undefined) throw this.failure.cause;
    return this.answer!.value;
  }

  /** Nobody waits for it any more. */
  abandon(): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.timer?.cancel();
    this.controller.abort();
  }

  private settle(answer: Answer<R> | undefined, failure: { readonly cause: unknown } | undefined): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.timer?.cancel();
    this.answer = answer;
    this.failure = failure;
    this.settled(this);
  }
}
