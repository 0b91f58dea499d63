import { reportComparison } from '../comparison';
import type { Outcome } from './run';

const SHOWN = 5;

/** Gives the exit code: 0 only if a plain loop gave the same. */
export function report({ verdict, predictions, asked }: Outcome, streams: Parameters<typeof reportComparison>[1]): 0 | 1 {
  const { out } = streams;
  out.write(`${verdict.predictions} positions, ${asked} questions asked for them, the other answers were known\n`);
  out.write(`${verdict.delayed} of them with a delay to come, ${verdict.withoutDepot} with no depot near\n\n`);
  const depots = new Map<string, { positions: number; minutes: number }>();
  for (const { depot, delayMinutes } of predictions) {
    if (depot === null) continue;
    const sum = depots.get(depot) ?? { positions: 0, minutes: 0 };
    depots.set(depot, { positions: sum.positions + 1, minutes: sum.minutes + (delayMinutes ?? 0) });
  }
  out.write('  busiest      positions  average delay\n');
  for (const [depot, { positions, minutes }] of [...depots].sort(([, a], [, b]) => b.positions - a.positions).slice(0, SHOWN)) {
    out.write(`  ${depot.padEnd(11)}${String(positions).padStart(11)}${(minutes / positions).toFixed(1).padStart(11)} min\n`);
  }
  out.write('\n');
  return reportComparison(verdict.differences, streams);
}
