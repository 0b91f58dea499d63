import { reportComparison } from '../comparison';
import type { Outcome } from './run';

const SHOWN = 5;
const HOUR = 3_600_000;

/** Gives the exit code: 0 only if plain loops gave the same, for each out-of-orderness. */
export function report(outcomes: readonly Outcome[], streams: Parameters<typeof reportComparison>[1]): 0 | 1 {
  const { out } = streams;
  out.write('  out of order by up to  counted  too late  in hours not over\n');
  for (const { outOfOrderness, verdict } of outcomes) {
    const { counted, late, open } = verdict;
    out.write(`${column(`${outOfOrderness / HOUR} h`, 23)}${column(counted, 9)}${column(late, 10)}${column(open, 19)}\n`);
  }
  for (const { outOfOrderness, regions } of outcomes.slice(-1)) {
    out.write(`\n  region (${outOfOrderness / HOUR} h)  quakes  greatest magnitude\n`);
    for (const { region, quakes, strongest } of regions.slice(0, SHOWN)) {
      out.write(`  ${region.padEnd(13)}${column(quakes, 8)}${column(strongest.toFixed(1), 20)}\n`);
    }
  }
  out.write('\n');
  return reportComparison(
    outcomes.flatMap(({ outOfOrderness, verdict }) => verdict.differences.map((difference) => `${outOfOrderness / HOUR} h: ${difference}`)),
    streams,
  );
}

function column(value: number | string, width: number): string {
  return String(value).padStart(width);
}
