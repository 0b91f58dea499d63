import type { Clock, TimerHandle } from '../time/clock';
import type { StreamTask } from './stream-task';

/** ms a task may push before the others, heartbeats and everybody else get their turn. */
const SLICE_MS = 10;
/** Pushes between two looks at the clock, at most: a slice begins with a look after one, two, four …, since a push may take long. */
const LOOK_EVERY = 64;
/** ms the others wait for records of a task that has none at hand but is not caught up, and for one that is being opened. */
const PATIENCE_MS = 600;
const OPENING_PATIENCE_MS = 1_000;
/** What a timer of Node takes at most: a longer one would ring at once, and again and again. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;
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
  private readonly expected = new Map<number, number>();
  private readonly starving = new Map<StreamTask, number>();
  private turn = 0;
  private scheduled: TimerHandle | undefined;
  private timer: TimerHandle | undefined;
  private stopped = false;

  constructor(private readonly options: LoopOptions) {}

  /** A task is being opened: the others leave it a moment, so that they do not run ahead of it. */
  expect(task: number): void {
    this.expected.set(task, this.options.clock.monotonic());
  }

  expectNoMore(task: number): void {
    this.expected.delete(task);
    this.wake();
  }

  add(task: StreamTask): void {
    if (!this.tasks.includes(task)) this.tasks.push(task);
    this.expected.delete(task.partition);
    this.wake();
  }

  remove(task: StreamTask): void {
    const at = this.tasks.indexOf(task);
    if (at >= 0) this.tasks.splice(at, 1);
    this.starving.delete(task);
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
    const wait = this.options.fairInEventTime ? this.patience() : 0;
    if (wait > 0) {
      this.sleep(wait);
      return;
    }
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
    let look = 1;
    for (let pushed = 1; task.pushNext(); pushed++) {
      if (pushed < look) continue;
      if (clock.monotonic() >= deadline || task.nextTimestamp > limit) return;
      look += Math.min(look, LOOK_EVERY);
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

  /**
   * ms to wait before the next slice. Records of a task whose next answer is under way may be older than all that is at hand, and what
   * comes behind a repartition too early makes them late. Bounded: a broker that hangs, or a long restore, stops nobody.
   */
  private patience(): number {
    const now = this.options.clock.monotonic();
    let wait = 0;
    for (const since of this.expected.values()) wait = Math.max(wait, since + OPENING_PATIENCE_MS - now);
    for (const task of this.tasks) {
      if (!task.isStarving) this.starving.delete(task);
      else if (!this.starving.has(task)) this.starving.set(task, now);
    }
    for (const since of this.starving.values()) wait = Math.max(wait, since + PATIENCE_MS - now);
    return wait;
  }

  private othersOldest(task: StreamTask): number {
    let least = Infinity;
    for (const other of this.tasks) if (other !== task && other.runnable) least = Math.min(least, other.nextTimestamp);
    return least;
  }

  /** Nothing to push: wait for a wake, or for the earliest timer a topology has set. */
  private sleepUntilTimer(): void {
    let due = Infinity;
    for (const task of this.tasks) if (task.halted === undefined) due = Math.min(due, task.clock.nextDue);
    let wait = due - this.options.clock.now();
    for (const task of this.tasks) {
      if (task.halted === undefined && task.waitsUntil !== Infinity)
        wait = Math.min(wait, task.waitsUntil - this.options.clock.monotonic());
    }
    this.sleep(wait);
  }

  private sleep(ms: number): void {
    this.options.afterSlice();
    this.timer?.cancel();
    if (ms === Infinity) return;
    this.timer = this.options.clock.setTimer(Math.min(Math.max(0, ms), LONGEST_SLEEP_MS), () => {
      this.wake();
    });
  }
}
