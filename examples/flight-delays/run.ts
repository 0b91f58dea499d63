import { randomUUID } from 'node:crypto';
import { millrace, type Cluster, type Duration } from 'millrace';
import { record } from 'millrace/testing';
import { lastValueFrom } from 'rxjs';
import { withoutTrace } from '../without-trace';
import type { Flight } from './flights';
import { judge, type Verdict } from './oracle';
import { flightDelays } from './topology';

export const PARTITIONS = 4;

export interface AirportDelay {
  readonly airport: string;
  readonly flights: number;
  /** Minutes. */
  readonly averageDelay: number;
}

export interface Outcome {
  readonly verdict: Verdict;
  /** Over all hours, busiest first. */
  readonly airports: readonly AirportDelay[];
}

/** Runs the flights through one application and checks what it gave. Undefined when the signal ended it before. */
export function run(options: {
  readonly cluster: Cluster;
  readonly flights: readonly Flight[];
  readonly grace: Duration;
  readonly signal: AbortSignal;
}): Promise<Outcome | undefined> {
  const { cluster, flights, grace, signal } = options;
  const applicationId = `flight-delays-${randomUUID().slice(0, 8)}`;
  const delays = flightDelays(applicationId, grace);
  return withoutTrace({ ...delays, cluster, applicationId, partitions: PARTITIONS }, async (stateDirectory) => {
    await cluster.write(delays.flights, recordsOf(flights));
    if (signal.aborted) return undefined;
    const app = millrace({ applicationId, cluster, stateDirectory });
    const close = (): void => void app.close();
    signal.addEventListener('abort', close, { once: true });
    try {
      await lastValueFrom(app.run(delays.topology, { until: 'caught-up' }), { defaultValue: undefined });
    } finally {
      signal.removeEventListener('abort', close);
      await app.close();
    }
    if (signal.aborted) return undefined;
    const averages = (await cluster.read(delays.averages)).map(({ key, value }) => ({ airport: key.key, hour: key.start, ...value }));
    const late = (await cluster.read(delays.lateFlights)).map(({ value }) => value);
    return {
      verdict: judge({ flights, partitions: PARTITIONS, graceMs: grace, averages, late }),
      airports: byAirport(averages),
    };
  });
}

function* recordsOf(flights: readonly Flight[]) {
  for (const flight of flights) yield record(flight.destination, flight, flight.scheduled);
}

function byAirport(averages: readonly (AirportDelay & { readonly hour: number })[]): AirportDelay[] {
  const hours = new Map(averages.map((average) => [`${average.airport} ${average.hour}`, average]));
  const sums = new Map<string, { flights: number; minutes: number }>();
  for (const { airport, flights, averageDelay } of hours.values()) {
    const sum = sums.get(airport) ?? { flights: 0, minutes: 0 };
    sums.set(airport, { flights: sum.flights + flights, minutes: sum.minutes + flights * averageDelay });
  }
  return [...sums]
    .map(([airport, { flights, minutes }]) => ({ airport, flights, averageDelay: minutes / flights }))
    .sort((a, b) => b.flights - a.flights);
}
