import { reportComparison } from '../comparison';
import type { Outcome } from './run';

const SHOWN = 5;

/** Gives the exit code: 0 only if a plain loop gave the same. */
export function report({ verdict, airports, anomalies }: Outcome, streams: Parameters<typeof reportComparison>[1]): 0 | 1 {
  const { out } = streams;
  out.write(`${verdict.anomalies} of ${verdict.flights} flights to ${verdict.airports} airports are out of the ordinary\n\n`);
  out.write('  airport  flights  mean delay  standard deviation\n');
  for (const { airport, flights, mean, deviation } of airports.slice(0, SHOWN)) {
    out.write(`  ${airport.padEnd(7)}${column(flights, 9, 0)}${column(mean, 8)} min${column(deviation, 16)} min\n`);
  }
  out.write('\n  flight   scheduled          delay  mean then  score\n');
  for (const { flight, before, score } of anomalies.slice(0, SHOWN)) {
    const when = new Date(flight.scheduled).toISOString().slice(0, 16).replace('T', ' ');
    out.write(
      `  ${flight.origin}-${flight.destination}  ${when}${column(flight.delay, 4, 0)} min${column(before.mean, 7)} min${column(score, 7)}\n`,
    );
  }
  out.write('\n');
  return reportComparison(verdict.differences, streams);
}

function column(value: number, width: number, digits = 1): string {
  return value.toFixed(digits).padStart(width);
}
