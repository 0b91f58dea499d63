import { runExample } from '../run-example';
import { clickStream } from './clicks';
import { report } from './report';
import { run } from './run';
import { visit } from './topology';

const CLICKS = 20_000;

void runExample(async ({ cluster, place, signal }) => {
  const [given = '1'] = process.argv.slice(2);
  const seed = Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`The seed must be an integer, not "${given}".`);
  process.stdout.write(
    `${CLICKS} clicks, seed ${seed}: visits of each user, at most ${visit.gap / 60_000} min between two clicks, on ${place}\n`,
  );
  const outcome = await run({ cluster, clicks: clickStream(seed, CLICKS), signal });
  return outcome === undefined ? 0 : report(outcome, { out: process.stdout, err: process.stderr });
});
