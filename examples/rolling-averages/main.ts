import { loadFlights } from '../flight-delays/flights';
import { runExample } from '../run-example';
import { report } from './report';
import { run } from './run';

const THRESHOLD = 3;

void runExample(async ({ cluster, place, signal }) => {
  const flights = loadFlights();
  process.stdout.write(
    `${flights.length} flights: delays more than ${THRESHOLD} standard deviations off their airport's mean so far, on ${place}\n`,
  );
  const outcome = await run({ cluster, flights, threshold: THRESHOLD, signal });
  return outcome === undefined ? 0 : report(outcome, { out: process.stdout, err: process.stderr });
});
