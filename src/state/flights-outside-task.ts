import { of, timer, timestamp } from 'rxjs';
import { noOrigin } from '../model/origin';
import type { TimerHandle } from '../time/clock';
import type { Departure, FlightControl, InFlight } from './in-flight';

const noEmission: Departure = { origin: noOrigin, timestamp: 0, emission: { id: '', store: undefined } };

/**
 * For operators that belong to no task, in tests of their own or in a plain pipe: who arrives lands at once. Time is that of RxJS, so that
 * a TestScheduler drives it.
 */
export class FlightsOutsideTask implements FlightControl {
  readonly failed = false;

  get monotonic(): number {
    let now = 0;
    of(undefined)
      .pipe(timestamp())
      .subscribe((stamped) => {
        now = stamped.timestamp;
      });
    return now;
  }

  setTimer(ms: number, callback: () => void): TimerHandle {
    const waiting = timer(ms).subscribe(callback);
    return {
      cancel: () => {
        waiting.unsubscribe();
      },
    };
  }

  keep<T>(make: () => T): T {
    return make();
  }

  open(land: () => boolean): InFlight {
    return new LandingAtOnce(land);
  }
}

class LandingAtOnce implements InFlight {
  isFull = false;
  private isLanding = false;

  constructor(private readonly next: () => boolean) {}

  depart(): Departure {
    return noEmission;
  }

  arrived(): void {
    // From within a landing: the one that is under way goes on with it.
    if (this.isLanding) return;
    this.isLanding = true;
    try {
      while (!this.next());
    } finally {
      this.isLanding = false;
    }
  }

  land(): void {
    // nobody asks whose it is
  }

  landed(): void {
    // nothing waits for it
  }
}
