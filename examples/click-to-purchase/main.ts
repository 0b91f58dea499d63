import { runExample } from '../run-example';
import { shopEvents } from './events';
import { report } from './report';
import { run } from './run';
import { attributionWindow } from './topology';

const CLICKS = 20_000;

void runExample(async ({ cluster, place, signal }) => {
  const [given = '1'] = process.argv.slice(2);
  const seed = Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`The seed must be an integer, not "${given}".`);
  const events = shopEvents(seed, CLICKS);
  const window = `${attributionWindow.after / 60_000} min`;
  process.stdout.write(
    `${CLICKS} clicks and ${events.purchases.length} purchases, seed ${seed}: who bought within ${window}, on ${place}\n`,
  );
  const outcome = await run({ cluster, events, signal });
  return outcome === undefined ? 0 : report(outcome, { out: process.stdout, err: process.stderr });
});
