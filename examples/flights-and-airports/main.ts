import { loadFlights } from '../flight-delays/flights';
import { runExample } from '../run-example';
import { loadAirports } from './airports';
import { report } from './report';
import { run, type Outcome } from './run';

const WAYS = ['table', 'globalTable'] as const;

void runExample(async ({ cluster, place, signal }) => {
  const flights = loadFlights();
  const airports = loadAirports();
  process.stdout.write(`${flights.length} flights and the ${airports.length} airports they may go to, joined in two ways, on ${place}\n\n`);
  const outcomes: Outcome[] = [];
  for (const way of WAYS) {
    const outcome = await run({ cluster, flights, airports, way, signal });
    if (outcome === undefined) return 0;
    outcomes.push(outcome);
  }
  return report(outcomes, { out: process.stdout, err: process.stderr });
});
