import type { Worker } from 'node:worker_threads';
import { MillraceError } from '../errors/millrace-error';
import { Deadline, within } from '../kafka/retrying';
import type { WorkerEnd } from '../model/worker-failure';
import type { Clock, TimerHandle } from '../time/clock';
import type { FromWorker, ToWorker } from './messages';
import { fromPlainError } from './plain-error';
import type { AskableThread, Question } from './work-of-threads';

/** How a thread has ended; 'closed': as it was told to. */
export type ThreadEnd = { readonly how: 'closed' } | { readonly how: WorkerEnd; readonly error: MillraceError };

/** ms for a thread whose instance has ended to end by itself; what may keep it alive is the user's. */
const EXIT_WITHIN_MS = 1_000;
/** ms beyond the budget for one that is closing: a transaction under way ends, or is aborted, and what is committed goes to disk. */
const BEYOND_BUDGET_MS = 16_000;

/** One worker thread, as the main thread sees it. */
export class Thread implements AskableThread {
  /** Settles with its start; rejects with how it ended before. */
  readonly started: Promise<void>;
  /** Settles when the thread is gone: with its sockets, and its locks on folders. Never rejects. */
  readonly ended: Promise<ThreadEnd>;
  hasStarted = false;
  hasEnded = false;
  /** In the group; empty: it has not joined. */
  memberId = '';
  private hasHeard = false;
  private uncaught: (Error & { readonly code?: unknown }) | undefined;
  private said: { readonly error: MillraceError | undefined } | undefined;
  private asked = 0;
  private readonly answers = new Map<number, (answer: unknown) => void>();
  private timer: TimerHandle | undefined;

  constructor(
    readonly number: number,
    private readonly worker: Worker,
    private readonly clock: Clock,
    private readonly hear: (message: FromWorker) => void,
  ) {
    let starts: () => void = () => undefined;
    const started = new Promise<void>((resolve) => {
      starts = resolve;
    });
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'started') {
        this.hasStarted = true;
        starts();
      }
      this.heard(message);
    });
    worker.on('error', (error: Error) => {
      this.uncaught = error;
    });
    this.ended = new Promise((resolve) => {
      worker.once('exit', (code) => {
        this.hasEnded = true;
        this.timer?.cancel();
        for (const answer of this.answers.values()) answer(undefined);
        this.answers.clear();
        resolve(this.endWith(code));
      });
    });
    this.started = Promise.race([
      started,
      this.ended.then((end) => {
        if (end.how !== 'closed') throw end.error;
      }),
    ]);
    this.started.catch(() => undefined);
  }

  tell(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  ask(question: Question): Promise<unknown> {
    if (this.hasEnded) return Promise.resolve(undefined);
    const id = this.asked++;
    return new Promise((resolve) => {
      this.answers.set(id, resolve);
      this.tell({ type: 'ask', id, question });
    });
  }

  /**
   * Settles when it has drained, committed, left and ended. A thread that does not even hear it within that time, since a function of the
   * topology does not return, is ended then.
   * @returns false if it was given up
   */
  async close(withinMs: number, leaveGroup: boolean): Promise<boolean> {
    // It is no member of the group yet, and has nothing to commit.
    if (!this.hasStarted) return this.terminate();
    this.tell({ type: 'close', within: withinMs, leaveGroup });
    if (await this.endsWithin(withinMs)) return true;
    if (this.hasHeard && (await this.endsWithin(BEYOND_BUDGET_MS))) return true;
    await this.terminate();
    return false;
  }

  /** At once: as if it had been killed. */
  async terminate(): Promise<boolean> {
    await this.worker.terminate();
    await this.ended;
    return true;
  }

  private async endsWithin(ms: number): Promise<boolean> {
    return (await within(this.clock, new Deadline(this.clock, ms), this.ended)) !== undefined;
  }

  private heard(message: FromWorker): void {
    switch (message.type) {
      case 'member':
        this.memberId = message.memberId;
        break;
      case 'answer':
        this.answers.get(message.id)?.(message.answer);
        this.answers.delete(message.id);
        break;
      case 'closing':
        this.hasHeard = true;
        break;
      case 'ended':
        this.said = { error: message.error && fromPlainError(message.error) };
        this.timer = this.clock.setTimer(EXIT_WITHIN_MS, () => void this.worker.terminate());
        break;
      default:
        this.hear(message);
    }
  }

  private endWith(code: number): ThreadEnd {
    const { said, uncaught, number } = this;
    if (said !== undefined) return said.error === undefined ? { how: 'closed' } : { how: 'failed', error: said.error };
    const thread = `worker thread ${String(number)}`;
    if (uncaught?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
      const advice = 'give the process a larger heap (node --max-old-space-size, MiB, holds for each thread), or a smaller cacheBytes';
      return { how: 'out-of-memory', error: died(`${thread} has no memory left: ${advice}`, uncaught) };
    }
    if (uncaught !== undefined) return { how: 'uncaught', error: died(`${thread} has died of ${String(uncaught)}`, uncaught) };
    return { how: 'exit', error: died(`${thread} has exited with code ${String(code)}: something in it calls process.exit()`) };
  }
}

function died(message: string, cause?: unknown): MillraceError {
  return new MillraceError('WORKER_FAILED', message, { cause, retryable: true });
}
