import { type FaultKind, scheduleOf } from '../schedule';
import type { Chaos } from './chaos';
import { performLane } from './perform';

/** In a run of ten minutes each kind of fault happens five times, however slow the machine is: then it takes longer, … */
const SECONDS_A_FAULT = 120;
/** … but no more than so many times as long. */
const MOST_TIMES_AS_LONG = 2;
const LOOK_EVERY_MS = 500;

export interface AllLanes {
  readonly seconds: number;
  readonly seed: number;
  readonly chaos: Omit<Chaos, 'over'>;
  readonly elapsedMs: () => number;
  readonly signal: AbortSignal;
}

/** All lanes of the schedule side by side, until time is up. */
export async function performAll({ seconds, seed, chaos, elapsedMs, signal }: AllLanes): Promise<void> {
  const spanMs = seconds * 1_000;
  const least = Math.floor(seconds / SECONDS_A_FAULT);
  const lanes = scheduleOf(seed, least === 0 ? seconds : seconds * MOST_TIMES_AS_LONG);
  const kinds = new Set(lanes.flatMap(({ faults }) => faults.map(({ fault }) => fault.kind)));
  const isWanted = (kind: FaultKind): boolean => elapsedMs() < spanMs || chaos.story.timesOf(kind) < least;

  const over = new AbortController();
  const looking = setInterval(() => {
    const isUp = signal.aborted || elapsedMs() >= spanMs * MOST_TIMES_AS_LONG || ![...kinds].some(isWanted);
    if (isUp) over.abort();
  }, LOOK_EVERY_MS);
  try {
    await Promise.all(lanes.map((lane) => performLane({ ...chaos, over: over.signal }, lane, elapsedMs, isWanted)));
  } finally {
    clearInterval(looking);
  }
}
