import { randomUUID } from 'node:crypto';
import type { Cluster } from 'millrace';
import { record } from 'millrace/testing';
import type { Flight } from '../flight-delays/flights';
import { runUntilCaughtUp } from '../until-caught-up';
import { withoutTrace } from '../without-trace';
import { judge, type Verdict } from './oracle';
import { rollingAverages, SCORED_FROM, type Anomaly, type Average } from './topology';

export const PARTITIONS = 4;

export interface Outcome {
  readonly verdict: Verdict;
  /** After the last flight of each, most flights first. */
  readonly airports: readonly (Average & { readonly airport: string })[];
  /** Highest score first. */
  readonly anomalies: readonly Anomaly[];
}

/** Runs the flights through one application and checks what it gave. Undefined when the signal ended it before. */
export function run(options: {
  readonly cluster: Cluster;
  readonly flights: readonly Flight[];
  /** Standard deviations. */
  readonly threshold: number;
  readonly signal: AbortSignal;
}): Promise<Outcome | undefined> {
  const { cluster, flights, threshold, signal } = options;
  const applicationId = `rolling-averages-${randomUUID().slice(0, 8)}`;
  const rolling = rollingAverages(applicationId, threshold);
  return withoutTrace({ ...rolling, cluster, applicationId, partitions: PARTITIONS }, async (stateDirectory) => {
    await cluster.write(rolling.flights, recordsOf(flights));
    await runUntilCaughtUp({ applicationId, cluster, stateDirectory, topology: rolling.topology, signal });
    if (signal.aborted) return undefined;
    const averages = (await cluster.read(rolling.averages)).map(({ key, value }) => ({ airport: key, ...value }));
    const anomalies = (await cluster.read(rolling.anomalies)).map(({ key, value }) => ({ airport: key, ...value }));
    const last = new Map(averages.map((average) => [average.airport, average]));
    return {
      verdict: judge({ flights, threshold, scoredFrom: SCORED_FROM, averages, anomalies }),
      airports: [...last.values()].sort((a, b) => b.flights - a.flights),
      anomalies: [...anomalies].sort((a, b) => b.score - a.score),
    };
  });
}

function* recordsOf(flights: readonly Flight[]) {
  for (const flight of flights) yield record(flight.destination, flight, flight.scheduled);
}
