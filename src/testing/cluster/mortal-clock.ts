import type { Clock, TimerHandle } from '../../time/clock';

interface SetTimer extends TimerHandle {
  readonly due: number;
  /** Calls it in the next turn. */
  hurry(): void;
}

/** The time of one process: ends with it. */
export class MortalClock implements Clock {
  private readonly set = new Set<SetTimer>();
  private dead = false;

  constructor(
    private readonly clock: Clock,
    /** ms of work within a turn: ahead of the clock everybody shares. */
    private readonly passed: () => number = () => 0,
  ) {}

  readonly now = (): number => this.clock.now();
  readonly monotonic = (): number => this.clock.monotonic() + this.passed();
  readonly random = (): number => this.clock.random();
  readonly setTimer = (ms: number, callback: () => void): TimerHandle =>
    this.add(this.monotonic() + ms, (call) => this.clock.setTimer(ms, call), callback);
  readonly setImmediate = (callback: () => void): TimerHandle => this.add(Infinity, (call) => this.clock.setImmediate(call), callback);

  get waiting(): number {
    return this.set.size;
  }

  /** Time has passed within a turn: what is due is called with the next. */
  hurry(): void {
    for (const timer of this.set) if (timer.due <= this.monotonic()) timer.hurry();
  }

  kill(): void {
    this.dead = true;
    for (const timer of this.set) timer.cancel();
  }

  private add(due: number, set: (call: () => void) => TimerHandle, callback: () => void): TimerHandle {
    if (this.dead) return { cancel: () => undefined };
    const call = (): void => {
      this.set.delete(timer);
      callback();
    };
    let inner = set(call);
    const timer: SetTimer = {
      due,
      hurry: () => {
        inner.cancel();
        inner = this.clock.setImmediate(call);
      },
      cancel: () => {
        this.set.delete(timer);
        inner.cancel();
      },
    };
    this.set.add(timer);
    return timer;
  }
}
