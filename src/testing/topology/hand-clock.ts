import type { Clock, TimerHandle } from '../../time/clock';
import { manualClock } from '../../time/manual-clock';

interface Waiting {
  readonly due: number;
  readonly callback: () => void;
}

/** A clock that stands still until it is moved, and calls what is due within the call that moves it: nothing waits for a promise. */
export class HandClock implements Clock {
  private readonly chance = manualClock();
  private time = 0;
  /** By due time, then by setting. */
  private readonly timers: Waiting[] = [];
  private immediates: Waiting[] = [];

  /** @param start the wall clock's first reading, ms since the epoch */
  constructor(private readonly start: number) {}

  now(): number {
    return this.start + this.time;
  }

  monotonic(): number {
    return this.time;
  }

  random(): number {
    return this.chance.random();
  }

  setTimer(ms: number, callback: () => void): TimerHandle {
    const timer = { due: this.time + Math.max(0, ms), callback };
    const after = this.timers.findIndex(({ due }) => due > timer.due);
    this.timers.splice(after < 0 ? this.timers.length : after, 0, timer);
    return handleIn(this.timers, timer);
  }

  setImmediate(callback: () => void): TimerHandle {
    const immediate = { due: this.time, callback };
    this.immediates.push(immediate);
    return handleIn(this.immediates, immediate);
  }

  /** Wall clock time of the next timer, Infinity when there is none. */
  get nextDue(): number {
    return this.start + (this.timers[0]?.due ?? Infinity);
  }

  /** @param now wall clock time, not before what it shows */
  moveTo(now: number): void {
    this.time = now - this.start;
    while ((this.timers[0]?.due ?? Infinity) <= this.time) this.timers.shift()?.callback();
  }

  /** False: nothing was waiting. */
  callImmediates(): boolean {
    const { immediates } = this;
    if (immediates.length === 0) return false;
    this.immediates = [];
    for (const { callback } of immediates) callback();
    return true;
  }
}

function handleIn(all: Waiting[], one: Waiting): TimerHandle {
  return {
    cancel: () => {
      const at = all.indexOf(one);
      if (at >= 0) all.splice(at, 1);
    },
  };
}
