import { runExample } from '../run-example';
import { orderDay } from './orders';
import { report } from './report';
import { run } from './run';

const ORDERS = 20_000;

void runExample(async ({ cluster, place, signal }) => {
  const [given = '1'] = process.argv.slice(2);
  const seed = Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`The seed must be an integer, not "${given}".`);
  process.stdout.write(`${ORDERS} orders of a day, seed ${seed}: each with its customer's profile and its product, on ${place}\n`);
  const outcome = await run({ cluster, day: orderDay(seed, ORDERS), signal });
  return outcome === undefined ? 0 : report(outcome, { out: process.stdout, err: process.stderr });
});
