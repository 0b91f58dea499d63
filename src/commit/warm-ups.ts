import type { Logger } from '../model/logger';
import type { Clock } from '../time/clock';

export interface WarmUpsOptions {
  readonly acceptableLag: number;
  readonly longestWaitMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly joinAnew: () => void;
}

interface WarmUp {
  /** Monotonic. */
  notBefore: number;
  waitMs: number;
}

/** ms after which the group is asked again for a task that it has not given, doubled each time. */
const FIRST_WAIT_MS = 5_000;

/**
 * Asks the group for tasks that are copied in order to be taken over, once a copy is near the end of its changelogs. Whether that is near
 * enough the leader decides, who measures by what members tell when they join: where it does not agree, it is asked ever more rarely.
 */
export class WarmUps {
  private readonly waiting = new Map<number, WarmUp>();

  constructor(private readonly options: WarmUpsOptions) {}

  /** Of those that were near when the order was given the leader has known; it waits for something else. */
  ordered(tasks: readonly number[], lagOf: (task: number) => number | undefined): void {
    const { clock, logger } = this.options;
    for (const task of [...this.waiting.keys()]) if (!tasks.includes(task)) this.waiting.delete(task);
    for (const task of tasks) {
      if (this.waiting.has(task)) continue;
      const isNear = this.isNear(lagOf(task));
      this.waiting.set(task, { notBefore: isNear ? clock.monotonic() + FIRST_WAIT_MS : -Infinity, waitMs: FIRST_WAIT_MS });
      logger.info({ task, lag: lagOf(task) }, `task ${task} is copied in order to be taken over; it goes on where it is until then`);
    }
  }

  look(lagOf: (task: number) => number | undefined): void {
    const { clock, logger, joinAnew, longestWaitMs } = this.options;
    const now = clock.monotonic();
    let asks = false;
    for (const [task, warmUp] of this.waiting) {
      const lag = lagOf(task);
      if (now < warmUp.notBefore || !this.isNear(lag)) continue;
      warmUp.notBefore = now + warmUp.waitMs;
      warmUp.waitMs = Math.min(2 * warmUp.waitMs, longestWaitMs);
      logger.info({ task, lag }, `the copy of task ${task} is ${lag} offsets behind: the group is asked for the task`);
      asks = true;
    }
    if (asks) joinAnew();
  }

  private isNear(lag: number | undefined): lag is number {
    return lag !== undefined && lag <= this.options.acceptableLag;
  }
}
