import { runExample } from '../run-example';
import { depotDatabase } from './depot-database';
import { findPostgres, installPostgres } from './postgres-programs';
import { startPostgres } from './postgres-server';
import { report } from './report';
import { run } from './run';
import { traffic } from './shipments';

const SHIPMENTS = 300;
const NEAR_KM = 60;

void runExample(async ({ cluster, place, signal }) => {
  const [given = '1'] = process.argv.slice(2);
  const seed = Number(given);
  if (!Number.isSafeInteger(seed)) throw new Error(`The seed must be an integer, not "${given}".`);
  const seen = traffic(seed, SHIPMENTS);
  const programs = (await findPostgres()) ?? (await installPostgres());
  const server = await startPostgres(programs);
  try {
    const depots = await depotDatabase(server.address, seen.depots, NEAR_KM);
    try {
      process.stdout.write(
        `${seen.positions.length} positions of ${SHIPMENTS} shipments, seed ${seed}: the next depot of each and how late\n`,
      );
      process.stdout.write(`it will leave there, by ${seen.depots.length} depots in PostgreSQL, on ${place}\n\n`);
      const outcome = await run({ cluster, traffic: seen, nearKm: NEAR_KM, nearestDepot: depots.nearestDepot, signal });
      return outcome === undefined ? 0 : report(outcome, { out: process.stdout, err: process.stderr });
    } finally {
      await depots.close();
    }
  } finally {
    await server.stop();
  }
});
