import { reportComparison } from '../comparison';
import type { Outcome } from './run';

const SHOWN = 5;

/** Gives the exit code: 0 only if a plain loop gave the same, for each way to join. */
export function report(outcomes: readonly Outcome[], streams: Parameters<typeof reportComparison>[1]): 0 | 1 {
  const { out } = streams;
  for (const { way, verdict } of outcomes) {
    out.write(`joined with a ${way}: ${verdict.arrivals} flights found their airport, ${verdict.unknown} have none\n`);
  }
  for (const { verdict } of outcomes.slice(-1)) {
    out.write('\n  state  flights  average delay\n');
    for (const { state, flights, averageDelay } of verdict.states.slice(0, SHOWN)) {
      out.write(`  ${state.padEnd(5)}${String(flights).padStart(9)}${averageDelay.toFixed(1).padStart(11)} min\n`);
    }
  }
  out.write('\n');
  return reportComparison(
    outcomes.flatMap(({ way, verdict }) => verdict.differences.map((difference) => `${way}: ${difference}`)),
    streams,
  );
}
