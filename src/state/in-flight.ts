import type { Origin } from '../model/origin';
import type { Clock } from '../time/clock';

/** The emission that a push was in when a call left it, for a later push to go on with. */
export interface Departure {
  readonly origin: Origin;
  readonly timestamp: number;
  readonly emission: EmissionUnderWay;
}

/** Who is blamed for what fails in a push. */
export interface EmissionUnderWay {
  /** Stable across replays. */
  readonly id: string;
  /** undefined: it is the record itself. */
  readonly store: string | undefined;
}

/** The calls that one operator has out while its task goes on with other records. */
export interface InFlight {
  /** The task takes no further record while it is. */
  isFull: boolean;
  /** A call leaves the push under way: no commit falls, and event time by watermarks stands still, before it has landed. */
  depart(): Departure;
  /** Outside any push: the next in order may land. It is asked to in a push of its own, and again until it says that no other may. */
  arrived(): void;
  /** In that push: it goes on in the name of the emission that the call left. After what follows from it, call `landed`. */
  land(departure: Departure): void;
  landed(): void;
}

/** What operators need that wait for somebody else than the task. It lives as long as the task, an `InFlight` as long as the assembly. */
export interface FlightControl {
  /** True once something threw in this push: everything is about to be undone. */
  readonly failed: boolean;
  /** Monotonic, ms. */
  readonly monotonic: number;
  /** Calls back outside any push. */
  readonly setTimer: Clock['setTimer'];
  /** What outlives an assembly although no commit knows of it: the n-th call in each assembly gives the same. */
  keep<T>(make: () => T): T;
  /** `land` lets one land; it gives false if another may. Ask at subscription. */
  open(land: () => boolean): InFlight;
}

let atHand: FlightControl | undefined;

/** What is made or subscribed inside `assemble` works in the task of `control`. Synchronous. */
export function assembleIn<R>(control: FlightControl, assemble: () => R): R {
  const before = atHand;
  atHand = control;
  try {
    return assemble();
  } finally {
    atHand = before;
  }
}

/** Of the task that is being assembled; undefined: none is. */
export function controlAtHand(): FlightControl | undefined {
  return atHand;
}
