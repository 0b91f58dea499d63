import { randomUUID } from 'node:crypto';
import type { Cluster } from 'millrace';
import { record } from 'millrace/testing';
import type { Flight } from '../flight-delays/flights';
import { runUntilCaughtUp } from '../until-caught-up';
import { withoutTrace } from '../without-trace';
import type { Airport } from './airports';
import { judge, type Verdict } from './oracle';
import { flightsAndAirports, type Way } from './topology';

const PARTITIONS = 4;

export interface Outcome {
  readonly way: Way;
  readonly verdict: Verdict;
}

/** Runs the flights through one application and checks what it gave. Undefined when the signal ended it before. */
export function run(options: {
  readonly cluster: Cluster;
  readonly flights: readonly Flight[];
  readonly airports: readonly Airport[];
  readonly way: Way;
  readonly signal: AbortSignal;
}): Promise<Outcome | undefined> {
  const { cluster, flights, airports, way, signal } = options;
  const applicationId = `flights-and-airports-${randomUUID().slice(0, 8)}`;
  const joined = flightsAndAirports(applicationId, way);
  return withoutTrace({ ...joined, cluster, applicationId, partitions: PARTITIONS }, async (stateDirectory) => {
    const rows = airports.map((airport) => record(airport.iata, airport, 0));
    const departures = flights.map((flight) => record(flight.origin, flight, flight.scheduled));
    await cluster.write(joined.airports, rows);
    await cluster.write(joined.flights, departures);
    await runUntilCaughtUp({ applicationId, cluster, stateDirectory, topology: joined.topology, signal });
    if (signal.aborted) return undefined;
    const arrivals = (await cluster.read(joined.arrivals)).map(({ value }) => value);
    const averages = (await cluster.read(joined.averages)).map(({ key, value }) => ({ state: key, ...value }));
    return { way, verdict: judge({ flights, airports, arrivals, averages }) };
  });
}
