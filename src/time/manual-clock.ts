import type { Clock, TimerHandle } from './clock';
import { systemClock } from './system-clock';

export interface ManualClockOptions {
  /** The wall clock's first reading, ms since the epoch. Default 2026-01-01T00:00:00Z. */
  readonly start?: number;
  /** Of `random()`. Default 1. */
  readonly seed?: number;
}

/** A clock that stands still until it is told to go on. */
export interface ManualClock extends Clock {
  /**
   * Lets `ms` pass: everything due by then is called, in order of time, then of setting. Immediates come before timers. After each
   * callback all promises that follow from it settle before the next one is called.
   */
  advance(ms: number): Promise<void>;
  /** Calls immediates, also those they set, until none is left. No time passes. */
  settle(): Promise<void>;
  /** Lets promises settle, then calls the next immediate or, when there is none, goes to the next timer. False: nothing is waiting. */
  step(): Promise<boolean>;
  /** Moves the wall clock only, as an operator or NTP does; timers keep to the monotonic clock. */
  jump(ms: number): void;
  /** What is set and neither called nor cancelled. */
  waiting(): { readonly immediates: number; readonly timers: number };
}

interface Entry {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/** Promises settle in microtasks; a turn of the real event loop lets all of them have run. */
function microtasks(): Promise<void> {
  return new Promise((resolve) => {
    systemClock.setImmediate(resolve);
  });
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Timers in order of due time, then of setting: a binary heap. */
class TimerQueue {
  readonly #heap: Entry[] = [];

  push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (before(heap[parent]!, entry)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  /** The earliest that is still wanted. */
  peek(): Entry | undefined {
    while (this.#heap.length > 0 && this.#heap[0]!.cancelled) this.pop();
    return this.#heap[0];
  }

  pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
      if (before(last, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }

  get size(): number {
    return this.#heap.filter((entry) => !entry.cancelled).length;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

class HandDrivenClock implements ManualClock {
  readonly random: () => number;
  readonly #timers = new TimerQueue();
  readonly #immediates: Entry[] = [];
  #wallOffset: number;
  #time = 0;
  #order = 0;

  constructor(options: ManualClockOptions) {
    this.#wallOffset = options.start ?? Date.UTC(2026, 0, 1);
    this.random = seededRandom(options.seed ?? 1);
  }

  now(): number {
    return this.#wallOffset + Math.floor(this.#time);
  }

  monotonic(): number {
    return this.#time;
  }

  setTimer(ms: number, callback: () => void): TimerHandle {
    const entry = this.#entry(this.#time + Math.max(0, ms), callback);
    this.#timers.push(entry);
    return handleOf(entry);
  }

  setImmediate(callback: () => void): TimerHandle {
    const entry = this.#entry(this.#time, callback);
    this.#immediates.push(entry);
    return handleOf(entry);
  }

  async advance(ms: number): Promise<void> {
    const end = this.#time + ms;
    await microtasks();
    while (await this.#callNext(end));
    this.#time = end;
  }

  async settle(): Promise<void> {
    await microtasks();
    while (this.#nextImmediate() !== undefined) await this.#callNext(this.#time);
  }

  async step(): Promise<boolean> {
    await microtasks();
    return this.#callNext(Infinity);
  }

  jump(ms: number): void {
    this.#wallOffset += ms;
  }

  waiting(): { readonly immediates: number; readonly timers: number } {
    return { immediates: this.#immediates.filter((entry) => !entry.cancelled).length, timers: this.#timers.size };
  }

  #entry(due: number, callback: () => void): Entry {
    return { due, order: this.#order++, callback, cancelled: false };
  }

  #nextImmediate(): Entry | undefined {
    while (this.#immediates.length > 0 && this.#immediates[0]!.cancelled) this.#immediates.shift();
    return this.#immediates[0];
  }

  async #callNext(end: number): Promise<boolean> {
    let next = this.#nextImmediate();
    if (next !== undefined) {
      this.#immediates.shift();
    } else {
      next = this.#timers.peek();
      if (next === undefined || next.due > end) return false;
      this.#timers.pop();
      this.#time = Math.max(this.#time, next.due);
    }
    // Called: no longer waiting, and a later cancel() changes nothing.
    next.cancelled = true;
    next.callback();
    await microtasks();
    return true;
  }
}

function handleOf(entry: Entry): TimerHandle {
  return {
    cancel: () => {
      entry.cancelled = true;
    },
  };
}

/**
 * A clock driven by hand, for tests and simulations: the same seed and the same calls give the same run.
 *
 * @example
 * const clock = manualClock({ seed: 7 });
 * clock.setTimer(100, () => console.log(clock.monotonic()));
 * await clock.advance(250); // => 100
 */
export function manualClock(options: ManualClockOptions = {}): ManualClock {
  return new HandDrivenClock(options);
}
