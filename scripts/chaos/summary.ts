import type { Verdict } from './count/verdict';
import type { Story } from './story';

/** The line that is printed. */
export interface Summary extends Omit<Verdict, 'examples'> {
  readonly seed: number;
  readonly seconds: number;
  /** Until the faults had stopped. */
  readonly tookSeconds: number;
  readonly standbyReplicas: number;
  readonly threads: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly rebalances: number;
  /** Instances that ended by themselves and were started again, by error code. */
  readonly failures: Readonly<Record<string, number>>;
  readonly atRest: boolean;
  readonly restMs: number;
}

export interface Outcome {
  readonly seed: number;
  readonly seconds: number;
  readonly tookSeconds: number;
  readonly standbyReplicas: number;
  readonly threads: number;
  readonly story: Story;
  readonly verdict: Verdict;
  /** What was in the way of rest or of a clean end, in words; empty: nothing. */
  readonly unrest: readonly string[];
  /** ms from the last fault until all was at rest. */
  readonly restMs: number;
}

export function summaryOf({ seed, seconds, tookSeconds, standbyReplicas, threads, story, verdict, unrest, restMs }: Outcome): Summary {
  const { faults, rebalances, failures } = story;
  const { examples: _, ...judged } = verdict;
  return {
    ...{ seed, seconds, tookSeconds, standbyReplicas, threads, faults },
    ...judged,
    ...{ rebalances, failures, atRest: unrest.length === 0, restMs: Math.round(restMs) },
  };
}

/** What makes the run fail, in words. */
export function troubleOf({ verdict, unrest }: Outcome): string[] {
  const { records, lost, doubled, disordered, wrongRows, inputLost } = verdict;
  const counts = {
    lost,
    doubled,
    'out of order': disordered,
    'wrong rows': wrongRows,
    'acknowledged input that the brokers lost': inputLost,
  };
  const trouble = Object.entries(counts).flatMap(([what, count]) => (count > 0 ? `${what}: ${count}` : []));
  return [...trouble, ...(records === 0 ? ['nothing was written'] : []), ...unrest];
}
