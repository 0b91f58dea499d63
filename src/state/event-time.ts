import type { Cell } from './cell';

/**
 * How far event time has come for one operator: its stream time (the greatest timestamp it has seen, late records included), or the
 * watermark of the inputs that reach it. Never goes back; survives restarts.
 */
export interface EventTime {
  /** ms since the epoch; -1 at first. */
  readonly value: number;
  /** A record of this timestamp has reached the operator, late or not. */
  observe(timestamp: number): void;
  /**
   * The operator may yet emit records that are older than `value`: none is older than `least()`, apart from what steps under way emit.
   * What follows the operator, in this task and behind a repartition, goes by no more than that. Say so at subscription.
   */
  holdBack(least: () => number): void;
}

/** Kafka Streams' rule: the greatest timestamp seen. */
export class StreamTime implements EventTime {
  constructor(
    private readonly cell: Cell<number>,
    private readonly heldBack: (least: () => number) => void = nobodyFollows,
  ) {}

  get value(): number {
    return this.cell.value;
  }

  observe(timestamp: number): void {
    if (timestamp > this.cell.value) this.cell.value = timestamp;
  }

  holdBack(least: () => number): void {
    this.heldBack(least);
  }
}

/** Stream time is each operator's own: nobody else goes by it. */
function nobodyFollows(): void {
  // nobody to tell
}
