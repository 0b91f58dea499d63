import { hours } from 'millrace';
import { runExample } from '../run-example';
import { loadQuakes } from './quakes';
import { report } from './report';
import { run, type Outcome } from './run';

const OUT_OF_ORDERNESS_HOURS = [1, 6, 24, 72];

void runExample(async ({ cluster, place, signal }) => {
  const quakes = loadQuakes();
  process.stdout.write(
    `${quakes.length} seismic events in the order in which their entries were final, per region and hour, on ${place}\n\n`,
  );
  const outcomes: Outcome[] = [];
  for (const outOfOrderness of OUT_OF_ORDERNESS_HOURS) {
    const outcome = await run({ cluster, quakes, outOfOrderness: hours(outOfOrderness), signal });
    if (outcome === undefined) return 0;
    outcomes.push(outcome);
  }
  return report(outcomes, { out: process.stdout, err: process.stderr });
});
