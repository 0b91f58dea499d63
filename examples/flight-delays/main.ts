import { hours } from 'millrace';
import { chosenCluster } from '../chosen-cluster';
import { reportComparison } from '../comparison';
import { interrupted } from '../interrupt';
import { loadFlights } from './flights';
import { run, type Outcome } from './run';

const GRACE_HOURS = [1, 9];
const AIRPORTS = 5;

async function main(): Promise<void> {
  const { cluster, place } = chosenCluster();
  const signal = interrupted();
  const flights = loadFlights();
  process.stdout.write(`${flights.length} flights in the order they came in, counted by scheduled hour, on ${place}\n`);
  try {
    for (const grace of GRACE_HOURS) {
      const outcome = await run({ cluster, flights, grace: hours(grace), signal });
      if (outcome !== undefined) report(grace, outcome);
    }
  } finally {
    await cluster.close();
  }
  if (signal.aborted) process.exitCode = 130;
}

function report(grace: number, { verdict, airports }: Outcome): void {
  process.stdout.write(`\ngrace ${grace} h: ${verdict.counted} flights counted, ${verdict.late} too late\n`);
  process.stdout.write('  airport  flights  average delay\n');
  for (const { airport, flights, averageDelay } of airports.slice(0, AIRPORTS)) {
    process.stdout.write(`  ${airport.padEnd(7)}${String(flights).padStart(9)}${averageDelay.toFixed(1).padStart(11)} min\n`);
  }
  const exitCode = reportComparison(verdict.differences, { out: process.stdout, err: process.stderr });
  if (exitCode !== 0) process.exitCode = exitCode;
}

main().catch((error: unknown) => {
  process.exitCode = 1;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
});
