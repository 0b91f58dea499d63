import type { Clock, TimerHandle } from '../../src/time/clock';

/** Somebody who may stand still, or be dead. */
export interface Turns {
  turn(work: () => void): void;
}

/** The time of one process: what is due while it stands still is called when it goes on; when it has died, never. */
export class HeldClock implements Clock {
  constructor(
    private readonly clock: Clock,
    private readonly process: Turns,
  ) {}

  readonly now = (): number => this.clock.now();
  readonly monotonic = (): number => this.clock.monotonic();
  readonly random = (): number => this.clock.random();

  readonly setTimer = (ms: number, callback: () => void): TimerHandle => this.held(callback, (call) => this.clock.setTimer(ms, call));

  readonly setImmediate = (callback: () => void): TimerHandle => this.held(callback, (call) => this.clock.setImmediate(call));

  private held(callback: () => void, set: (call: () => void) => TimerHandle): TimerHandle {
    let cancelled = false;
    const timer = set(() => {
      this.process.turn(() => {
        if (!cancelled) callback();
      });
    });
    return {
      cancel: () => {
        cancelled = true;
        timer.cancel();
      },
    };
  }
}
