import type { EventTime } from '../../src/state/event-time';
import type { Scheduled, StoreRuntime, TimerRuntime } from '../../src/state/handle';

/** A timer whose turn it is, and whose it is. */
export interface DueTimer {
  /** The name that the operator was given its store under. */
  readonly store: string;
  readonly timers: TimerRuntime<unknown>;
  readonly timer: Scheduled<unknown, number>;
}

interface NamedTimers {
  readonly name: string;
  readonly timers: TimerRuntime<unknown>;
  readonly eventTime: EventTime;
}

/** The timers of one operator over all its timer stores: event clock first, then wall clock. */
export class DueTimers {
  private readonly onEvents: readonly NamedTimers[];
  private readonly onWall: readonly NamedTimers[];
  /** What the wall clock said when it last woke the operator: it stands still until it does so again. */
  private wallTime = -Infinity;
  /** When it is to do so. */
  private wakesAt = Infinity;

  constructor(
    runtimes: ReadonlyMap<string, StoreRuntime>,
    advanced: () => void,
    private readonly wake: () => void,
  ) {
    const all = [...runtimes].flatMap(([name, store]): NamedTimers[] => {
      if (store.shape.kind !== 'timer') return [];
      const timers = store as TimerRuntime<unknown>;
      return [{ name, timers, eventTime: store.scope.eventTime(store.shape.name, advanced) }];
    });
    this.onEvents = all.filter(({ timers }) => timers.shape.clock === 'event');
    this.onWall = all.filter(({ timers }) => timers.shape.clock === 'wall');
  }

  observe(timestamp: number): void {
    for (const { eventTime } of this.onEvents) eventTime.observe(timestamp);
    for (const { eventTime } of this.onWall) eventTime.observe(timestamp);
  }

  /** The greatest timestamp seen, for what happens by the wall clock. */
  get seen(): number {
    return Math.max(0, ...this.onWall.map(({ eventTime }) => eventTime.value));
  }

  /** A new round: what timers have set for times gone by comes up. */
  release(): void {
    for (const { timers } of this.onEvents) timers.release();
    for (const { timers } of this.onWall) {
      timers.release();
      // Set back since: what is set for a time after now is not due because that time had been before.
      if (timers.scope.wallTime < this.wallTime) this.wallTime = timers.scope.wallTime;
    }
  }

  /** The wall clock has come to `now`. */
  woken(now: number): void {
    this.wallTime = now;
    this.wakesAt = Infinity;
  }

  /** Asked for every record: no disk. May be wrong where a timer has been moved or cancelled. */
  get isDue(): boolean {
    for (const { timers, eventTime } of this.onEvents) if (timers.earliest <= eventTime.value) return true;
    for (const { timers } of this.onWall) if (timers.earliest <= this.wallTime) return true;
    return false;
  }

  next(): DueTimer | undefined {
    return first(this.onEvents, ({ eventTime }) => eventTime.value) ?? first(this.onWall, () => this.wallTime);
  }

  /** The round is over. Asks to be woken for the first of the wall clock's timers. */
  sleep(): void {
    for (const { timers } of this.onWall) {
      timers.release();
      if (timers.earliest >= this.wakesAt) continue;
      this.wakesAt = timers.earliest;
      timers.scope.wakeAt(this.wakesAt, this.wake);
    }
  }
}

function first(stores: readonly NamedTimers[], until: (timers: NamedTimers) => number): DueTimer | undefined {
  let found: DueTimer | undefined;
  for (const named of stores) {
    const { name, timers } = named;
    const timer = timers.next(until(named));
    if (timer !== undefined && (found === undefined || precedes(timers, timer, found))) found = { store: name, timers, timer };
  }
  return found;
}

/** Of one time and key the store that was given first is. */
function precedes(timers: TimerRuntime<unknown>, timer: Scheduled<unknown, number>, found: DueTimer): boolean {
  if (timer.time !== found.timer.time) return timer.time < found.timer.time;
  return Buffer.compare(timers.keyBytes(timer.identity), found.timers.keyBytes(found.timer.identity)) < 0;
}
