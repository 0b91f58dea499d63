import type { EventTime } from '../state/event-time';
import type { Cell, Step } from '../state/scope';
import { CombinedWatermark } from './combined-watermark';
import type { Upstream } from './input-watermarks';

interface RegisteredClock {
  readonly cell: Cell<number>;
  readonly advanced: () => void;
}

/** The operator of a store: its event time, and what it lets those behind it know. */
export class OperatorWatermark implements Upstream {
  time = -1;
  idle = false;
  /** What has become due is not through yet, here or above: nothing that follows may move. */
  pending = false;
  clocks: RegisteredClock[] = [];
  holds: (() => number)[] = [];
  private reached = -1;
  private readonly combined: CombinedWatermark;

  constructor(
    readonly byWatermark: boolean,
    feeds: readonly Upstream[],
    private readonly above: readonly OperatorWatermark[],
  ) {
    this.combined = new CombinedWatermark(feeds);
  }

  advance(steps: readonly Step[]): void {
    this.pending = this.isPendingAbove();
    if (this.pending) return;
    const { combined } = this;
    combined.combine();
    if (combined.time > this.reached) this.reached = combined.time;
    const before = steps.length;
    for (const { cell, advanced } of this.clocks) {
      if (cell.value >= this.reached) continue;
      cell.value = this.reached;
      advanced();
    }
    this.pending = steps.length > before;
    if (this.pending) return;
    this.idle = combined.idle;
    this.time = this.leastYet();
  }

  reset(): void {
    this.time = this.reached = -1;
    this.idle = this.pending = false;
  }

  /** The clocks of an assembly that is gone. */
  forget(): void {
    this.clocks = [];
    this.holds = [];
  }

  private isPendingAbove(): boolean {
    for (const { pending } of this.above) if (pending) return true;
    return false;
  }

  private leastYet(): number {
    let least = this.reached;
    for (const hold of this.holds) least = Math.min(least, hold());
    return least;
  }
}

/** What such an operator goes by. */
export class WatermarkClock implements EventTime {
  constructor(
    private readonly cell: Cell<number>,
    private readonly operator: OperatorWatermark,
  ) {}

  get value(): number {
    return this.cell.value;
  }

  observe(): void {
    // A record moves its input's watermark, before it is pushed.
  }

  holdBack(least: () => number): void {
    this.operator.holds.push(least);
  }
}
