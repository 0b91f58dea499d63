import type { Brokers } from '../brokers';
import type { Instance } from '../instance';
import type { FaultKind } from '../schedule';
import type { Story } from '../story';

/** What faults are done to. */
export interface Chaos {
  readonly application: string;
  readonly instances: readonly Instance[];
  readonly brokers: Brokers;
  readonly story: Story;
  /** An instance more, which is not there at the end; the same number has the same disk. */
  readonly extra: (number: number) => Instance;
  /** Time is up: nothing new begins, and what lasts comes to its end. */
  readonly over: AbortSignal;
}

/** The instance that is meant, or one after it that is at work: whoever is not has nothing to lose. */
export function atWork({ instances }: Chaos, number: number): Instance {
  const inTurn = [...instances.slice(number), ...instances.slice(0, number)];
  return inTurn.find(({ state }) => state === 'running') ?? inTurn[0]!;
}

/** Does what it is for, waits for the end of it, and gives what has taken place: a fault that met nobody does not count. */
export type Done = FaultKind | undefined;
