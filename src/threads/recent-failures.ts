import type { Clock } from '../time/clock';

const WITHIN_MS = 300_000;
/** A machine that only starts threads does nothing else; one failure of each thread may have one reason. */
const MOST = 10;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/** Failures of the threads of a process: what keeps replacing them from going on for ever. */
export class RecentFailures {
  private times: number[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly threads: number,
  ) {}

  /** Counts one more. */
  add(): void {
    const now = this.clock.monotonic();
    this.times = [...this.times.filter((at) => now - at < WITHIN_MS), now];
  }

  /** Within the last five minutes. */
  get count(): number {
    return this.times.length;
  }

  get areTooMany(): boolean {
    return this.count > Math.max(MOST, 2 * this.threads);
  }

  /** ms until a thread is replaced: 100, 200, 400 … 10,000. */
  get pauseMs(): number {
    return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.count - 1));
  }
}
