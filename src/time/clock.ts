export interface TimerHandle {
  cancel(): void;
}

/** The port through which time, timers and chance enter. Everything that waits or draws takes one. */
export interface Clock {
  /** Wall clock, ms since the epoch; may jump. */
  now(): number;
  /** ms from an arbitrary start, never backwards: for budgets and backoffs. */
  monotonic(): number;
  /** Calls back once after `ms`. */
  setTimer(ms: number, callback: () => void): TimerHandle;
  /** Calls back once input and output have had their turn. */
  setImmediate(callback: () => void): TimerHandle;
  /** In [0, 1). */
  random(): number;
}

/** Resolves after `ms` on that clock. */
export function delay(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(ms, resolve);
  });
}
