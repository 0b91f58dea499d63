import type { Clock } from '../time/clock';

/** ms; longer than it takes a group to join, heartbeats of slow members included. */
const AGE_MS = 5_000;

interface Sample {
  /** Monotonic. */
  readonly at: number;
  readonly position: number;
}

/**
 * Where tasks stood a few seconds ago. Members tell their positions when they join, one after the other: by then an owner has gone on while
 * a copy that is in step with it said where it was a heartbeat before, and would never be near enough.
 */
export class RecentPositions {
  private readonly samples = new Map<number, Sample[]>();

  constructor(private readonly clock: Clock) {}

  /** To be told about once a second; of tasks that are not among them nothing is kept. */
  note(positions: ReadonlyMap<number, number>): void {
    const at = this.clock.monotonic();
    for (const task of this.samples.keys()) if (!positions.has(task)) this.samples.delete(task);
    for (const [task, position] of positions) {
      const kept = (this.samples.get(task) ?? []).filter((_, index, all) => (all[index + 1]?.at ?? at) > at - AGE_MS);
      kept.push({ at, position });
      this.samples.set(task, kept);
    }
  }

  /** @param now its position at this moment, if nothing was noted before */
  of(task: number, now: number): number {
    return Math.min(now, this.samples.get(task)?.[0]?.position ?? now);
  }
}
