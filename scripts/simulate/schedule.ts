import type { Clock, TimerHandle } from '../../src/time/clock';
import type { Chance } from './chance';

interface Entry {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
  cancelled: boolean;
}

const EPOCH = Date.UTC(2026, 0, 1);

/**
 * The time that all share, and who has the next turn: of everybody that has something to do at once, one is drawn; timers come in order of
 * time when nobody has. After each turn all promises that follow from it settle.
 */
export class Schedule {
  /** ms of the run. */
  time = 0;
  /** Called before each turn. */
  beforeTurn: () => void = () => undefined;
  private readonly timers = new TimerHeap();
  /** What each has to do at once, in the order in which it was set. */
  private readonly queues: Entry[][] = [];
  private order = 0;
  private wallOffset = 0;

  constructor(private readonly chance: Chance) {}

  /** Of the wall clock. */
  get now(): number {
    return EPOCH + this.wallOffset + Math.floor(this.time);
  }

  /** A clock whose immediates keep their order among themselves, and take turns with those of others by chance. */
  clock(): Clock {
    const queue: Entry[] = [];
    this.queues.push(queue);
    return {
      now: () => this.now,
      monotonic: () => this.time,
      random: () => this.chance.fraction(),
      setImmediate: (callback) => {
        const entry = this.entry(this.time, callback);
        queue.push(entry);
        return handleOf(entry);
      },
      setTimer: (ms, callback) => {
        const entry = this.entry(this.time + Math.max(0, ms), callback);
        this.timers.push(entry);
        return handleOf(entry);
      },
    };
  }

  /** Moves the wall clock only, as an operator or NTP does. */
  jump(ms: number): void {
    this.wallOffset += ms;
  }

  /** Lets `ms` pass. */
  pass(ms: number): Promise<void> {
    const end = this.time + ms;
    return this.run(() => {
      if (this.hasImmediate() || (this.timers.peek()?.due ?? Infinity) <= end) return false;
      this.time = end;
      return true;
    });
  }

  /** Goes on until the condition is true; false: it has not come true within that time. */
  async until(condition: () => boolean, withinMs: number): Promise<boolean> {
    const end = this.time + withinMs;
    let met = false;
    await this.run(() => (met = condition()) || this.time >= end);
    return met;
  }

  private run(isOver: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const go = (): void => {
        try {
          this.beforeTurn();
          if (isOver()) {
            resolve();
            return;
          }
          this.turn();
          setImmediate(go);
        } catch (cause) {
          reject(cause instanceof Error ? cause : new Error(String(cause)));
        }
      };
      setImmediate(go);
    });
  }

  private turn(): void {
    const next = this.nextImmediate() ?? this.nextTimer();
    if (next === undefined) {
      this.time += 1;
      return;
    }
    next.cancelled = true;
    next.callback();
  }

  private hasImmediate(): boolean {
    return this.waiting().length > 0;
  }

  private nextImmediate(): Entry | undefined {
    const waiting = this.waiting();
    if (waiting.length === 0) return undefined;
    return (waiting.length === 1 ? waiting[0]! : this.chance.oneOf(waiting)).shift();
  }

  private waiting(): Entry[][] {
    const found: Entry[][] = [];
    for (const queue of this.queues) {
      while (queue.length > 0 && queue[0]!.cancelled) queue.shift();
      if (queue.length > 0) found.push(queue);
    }
    return found;
  }

  private nextTimer(): Entry | undefined {
    const next = this.timers.peek();
    if (next === undefined) return undefined;
    this.timers.pop();
    this.time = Math.max(this.time, next.due);
    return next;
  }

  private entry(due: number, callback: () => void): Entry {
    return { due, order: this.order++, callback, cancelled: false };
  }
}

function handleOf(entry: Entry): TimerHandle {
  return { cancel: () => void (entry.cancelled = true) };
}

function before(a: Entry, b: Entry): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

/** In order of due time, then of setting. */
class TimerHeap {
  private readonly heap: Entry[] = [];

  push(entry: Entry): void {
    const { heap } = this;
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
    while (this.heap.length > 0 && this.heap[0]!.cancelled) this.pop();
    return this.heap[0];
  }

  pop(): void {
    const { heap } = this;
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
}
