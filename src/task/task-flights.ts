import type { Departure, FlightControl, InFlight } from '../state/in-flight';
import type { Clock, TimerHandle } from '../time/clock';
import type { TaskScope } from './scope';

/** The calls that operators of a task have out: what keeps a commit from falling, and records from being taken. */
export class TaskFlights implements FlightControl {
  /** Calls that have left a push and not landed. */
  count = 0;
  private readonly operators = new Set<OperatorFlights>();
  private readonly arrivals = new Set<OperatorFlights>();
  private readonly kept: unknown[] = [];
  private asked = 0;

  constructor(
    private readonly scope: TaskScope,
    private readonly clock: Clock,
    private readonly wake: () => void,
  ) {}

  get failed(): boolean {
    return this.scope.failed;
  }

  get monotonic(): number {
    return this.clock.monotonic();
  }

  setTimer(ms: number, callback: () => void): TimerHandle {
    return this.clock.setTimer(ms, callback);
  }

  keep<T>(make: () => T): T {
    const at = this.asked++;
    if (at === this.kept.length) this.kept.push(make());
    return this.kept[at] as T;
  }

  open(land: () => boolean): InFlight {
    const operator = new OperatorFlights(this, this.scope, land);
    this.operators.add(operator);
    return operator;
  }

  /** An operator has as many out as it may. */
  get isFull(): boolean {
    for (const { isFull } of this.operators) if (isFull) return true;
    return false;
  }

  get hasArrivals(): boolean {
    return this.arrivals.size > 0;
  }

  arrived(operator: OperatorFlights): void {
    // Of an assembly that is gone nothing lands.
    if (!this.operators.has(operator)) return;
    this.arrivals.add(operator);
    this.wake();
  }

  /** In a push of its own. */
  landNext(): void {
    for (const operator of this.arrivals) {
      // First: what it lets go may arrive at once.
      this.arrivals.delete(operator);
      if (!operator.landNext()) this.arrivals.add(operator);
      return;
    }
  }

  /** The assembly is gone, and what it waited for. */
  reset(): void {
    this.operators.clear();
    this.arrivals.clear();
    this.count = 0;
    this.asked = 0;
  }
}

class OperatorFlights implements InFlight {
  isFull = false;

  constructor(
    private readonly all: TaskFlights,
    private readonly scope: TaskScope,
    /** True: no other has arrived. */
    readonly landNext: () => boolean,
  ) {}

  depart(): Departure {
    this.scope.hold();
    this.all.count++;
    const { scope } = this;
    // Blamed for what follows from its calls as for what follows at once: a replay leaves it out whole.
    return { origin: scope.origin, timestamp: scope.timestamp, emission: scope.innermost() };
  }

  arrived(): void {
    this.all.arrived(this);
  }

  land(departure: Departure): void {
    this.scope.resume(departure);
  }

  landed(): void {
    this.scope.leave();
    this.scope.letGo();
    this.all.count--;
  }
}
