import type { Clock, TimerHandle } from '../time/clock';

/** A pause that can be cut short; one at a time. */
export class WakeablePause {
  private end: (() => void) | undefined;
  private timer: TimerHandle | undefined;

  constructor(private readonly clock: Clock) {}

  for(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.end = () => {
        this.timer?.cancel();
        this.end = undefined;
        resolve();
      };
      this.timer = this.clock.setTimer(ms, this.end);
    });
  }

  wake(): void {
    this.end?.();
  }
}
