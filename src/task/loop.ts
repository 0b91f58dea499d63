import type { Clock, TimerHandle } from '../time/clock';
import type { StreamTask } from './stream-task';

/** ms a task may push before the others, heartbeats and everybody else get their turn. */
const SLICE_MS = 10;
/** Records between two looks at the clock. */
const LOOK_EVERY = 64;
/** ms of event time a task may run ahead of the others that feed the same repartition, within one slice. */
const MAX_SKEW_MS = 1_000;

export interface LoopOptions {
  readonly clock: Clock;
  /** Tasks feed a common repartition: they take turns by event time, or most of what arrives behind it is late. */
  readonly fairInEventTime: boolean;
  /** After each slice, outside any push: where commits are begun. */
  readonly afterSlice: () => void;
}

/** The hot path: which task next, for how long, and when everybody else has a turn. One a thread. */
export class Loop {
  private readonly tasks: StreamTask[] = [];
  private turn = 0;
  private scheduled: TimerHandle | undefined;
  private timer: TimerHandle | undefined;
  private stopped = false;

  constructor(private readonly options: LoopOptions) {}

  add(task: StreamTask): void {
    this.tasks.push(task);
    this.wake();
  }

  remove(task: StreamTask): void {
    const at = this.tasks.indexOf(task);
    if (at >= 0) this.tasks.splice(at, 1);
  }

  /** Something may be runnable; cheap and safe at any time. */
  wake(): void {
    if (this.stopped || this.scheduled !== undefined) return;
    this.scheduled = this.options.clock.setImmediate(() => {
      this.scheduled = undefined;
      this.slice();
    });
  }

  stop(): void {
    this.stopped = true;
    this.scheduled?.cancel();
    this.timer?.cancel();
  }

  private slice(): void {
    const task = this.options.fairInEventTime ? this.oldest() : this.nextInTurn();
    if (task === undefined) {
      this.sleepUntilTimer();
      return;
    }
    this.push(task);
    this.options.afterSlice();
    this.wake();
  }

  private push(task: StreamTask): void {
    const { clock } = this.options;
    const deadline = clock.monotonic() + SLICE_MS;
    const limit = this.options.fairInEventTime ? this.othersOldest(task) + MAX_SKEW_MS : Infinity;
    for (let pushed = 1; task.pushNext(); pushed++) {
      if (pushed % LOOK_EVERY === 0 && (clock.monotonic() >= deadline || task.nextTimestamp > limit)) return;
    }
  }

  private nextInTurn(): StreamTask | undefined {
    for (let tried = 0; tried < this.tasks.length; tried++) {
      const task = this.tasks[this.turn++ % this.tasks.length];
      if (task?.runnable === true) return task;
    }
    return undefined;
  }

  private oldest(): StreamTask | undefined {
    let oldest: StreamTask | undefined;
    let least = Infinity;
    for (let tried = 0; tried < this.tasks.length; tried++) {
      const task = this.tasks[(this.turn + tried) % this.tasks.length];
      if (task?.runnable !== true) continue;
      const next = task.nextTimestamp;
      if (oldest !== undefined && next >= least) continue;
      oldest = task;
      least = next;
    }
    this.turn++;
    return oldest;
  }

  private othersOldest(task: StreamTask): number {
    let least = Infinity;
    for (const other of this.tasks) if (other !== task && other.runnable) least = Math.min(least, other.nextTimestamp);
    return least;
  }

  /** Nothing to push: wait for a wake, or for the earliest timer a topology has set. */
  private sleepUntilTimer(): void {
    this.options.afterSlice();
    this.timer?.cancel();
    let due = Infinity;
    for (const task of this.tasks) if (task.halted === undefined) due = Math.min(due, task.clock.nextDue);
    if (due === Infinity) return;
    this.timer = this.options.clock.setTimer(Math.max(0, due - this.options.clock.now()), () => {
      this.wake();
    });
  }
}
