import { VirtualTimeScheduler, type SchedulerAction, type Subscription } from 'rxjs';
import type { Clock } from '../time/clock';

/**
 * The scheduler a topology gives to RxJS's time operators: wall clock, but what is due waits for the loop, so that it runs
 * inside a push and what it emits is in a transaction.
 */
export class TaskClock extends VirtualTimeScheduler {
  private readonly wakes = new Map<() => void, Subscription>();

  constructor(
    private readonly wall: Clock,
    private readonly scheduled: () => void,
  ) {
    super(undefined, 0);
    this.frame = wall.now();
    this.now = () => this.wall.now();
  }

  override schedule<T>(work: (this: SchedulerAction<T>, state?: T) => void, delay = 0, state?: T): Subscription {
    // Where the wall clock was set back, what is asked for now counts from now: counted from the latest time that ever was, it would wait for that.
    this.frame = this.wall.now();
    const subscription = super.schedule(work, delay, state);
    this.scheduled();
    return subscription;
  }

  /** Calls `wake` when the wall clock has come to `time` (Infinity: never), and no longer when it was asked to before. */
  wakeAt(time: number, wake: () => void): void {
    this.wakes.get(wake)?.unsubscribe();
    this.wakes.delete(wake);
    if (time === Infinity) return;
    const from = this.wall.now();
    const work = (): void => {
      this.wakes.delete(wake);
      wake();
    };
    this.wakes.set(wake, this.schedule(work, Math.max(0, time - from)));
  }

  /** Forgets what `wakeAt` was asked for. */
  sleep(): void {
    for (const scheduled of this.wakes.values()) scheduled.unsubscribe();
    this.wakes.clear();
  }

  /** Wall time of the earliest action, Infinity when there is none. */
  get nextDue(): number {
    return this.actions[0]?.delay ?? Infinity;
  }

  get isDue(): boolean {
    const due = this.nextDue;
    return due !== Infinity && due <= this.wall.now();
  }

  /** Runs what is due; inside a push. */
  runDue(): void {
    this.maxFrames = this.wall.now();
    this.flush();
  }
}
