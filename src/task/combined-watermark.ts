import type { Upstream } from './input-watermarks';

/** The least of those that count; the greatest when none does. */
export class CombinedWatermark {
  time = -1;
  idle = false;

  constructor(private readonly feeds: readonly Upstream[]) {}

  combine(): void {
    let least = Infinity;
    let greatest = -1;
    for (const { time, idle } of this.feeds) {
      if (time > greatest) greatest = time;
      if (!idle && time < least) least = time;
    }
    this.idle = least === Infinity;
    this.time = this.idle ? greatest : least;
  }
}
