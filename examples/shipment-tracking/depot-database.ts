import { Pool } from 'pg';
import type { PostgresAddress } from './postgres-server';
import type { Depot } from './shipments';
import type { NearestDepot } from './topology';

export interface DepotDatabase {
  readonly nearestDepot: NearestDepot;
  close(): Promise<void>;
}

const CONNECTIONS = 8;
/** ms after which the server itself gives a query up: less than the lookup waits for it. */
const QUERY_TIMEOUT_MS = 5_000;

const SCHEMA = `
  CREATE EXTENSION cube;
  CREATE EXTENSION earthdistance;
  CREATE TABLE depots (
    id               integer PRIMARY KEY,
    name             text NOT NULL,
    latitude         double precision NOT NULL,
    longitude        double precision NOT NULL,
    handling_minutes integer NOT NULL
  );
  CREATE INDEX ON depots USING gist (ll_to_earth(latitude, longitude));
`;

/** The one with the least distance comes out of the index first. */
const NEAREST = `
  SELECT id, name, latitude, longitude, handling_minutes AS "handlingMinutes"
  FROM (SELECT * FROM depots ORDER BY ll_to_earth(latitude, longitude) <-> ll_to_earth($1, $2) LIMIT 1) AS nearest
  WHERE sec_to_gc(ll_to_earth(latitude, longitude) <-> ll_to_earth($1, $2)) / earth() * 6371 <= $3
`;

/** Fills an empty database with depots, and finds those at most `nearKm` away. */
export async function depotDatabase(address: PostgresAddress, depots: readonly Depot[], nearKm: number): Promise<DepotDatabase> {
  const pool = new Pool({ ...address, max: CONNECTIONS, statement_timeout: QUERY_TIMEOUT_MS });
  // An idle connection that ends, when the server does: the next query says so.
  pool.on('error', () => undefined);
  try {
    await pool.query(SCHEMA);
    await pool.query(
      `INSERT INTO depots
       SELECT id, name, latitude, longitude, "handlingMinutes"
       FROM json_to_recordset($1) AS given (id integer, name text, latitude float8, longitude float8, "handlingMinutes" integer)`,
      [JSON.stringify(depots)],
    );
  } catch (cause) {
    await pool.end();
    throw cause;
  }
  return {
    nearestDepot: async (cell, signal) => {
      signal.throwIfAborted();
      const [latitude, longitude] = cell.split(',').map(Number);
      const { rows } = await pool.query<Depot>({ name: 'nearest-depot', text: NEAREST, values: [latitude, longitude, nearKm] });
      return rows[0];
    },
    close: () => pool.end(),
  };
}
