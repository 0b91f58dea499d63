/**
 * Checks a run with a plain loop over the same flights: the same floating point operations in the same order, so that every mean, standard
 * deviation and score must be the same to the last bit. Nothing of the library, nothing of the topology.
 */
import type { Flight } from '../flight-delays/flights';

interface Average {
  readonly flights: number;
  readonly mean: number;
  readonly deviation: number;
}

interface Anomaly {
  readonly flight: Flight;
  readonly before: Average;
  readonly score: number;
}

export interface Observed {
  /** In the order of writing, which is that of each airport's partition. */
  readonly flights: readonly Flight[];
  readonly threshold: number;
  /** Flights of an airport before the first one is scored. */
  readonly scoredFrom: number;
  /** In the order of each partition: one after each flight. */
  readonly averages: readonly (Average & { readonly airport: string })[];
  /** In the order of each partition. */
  readonly anomalies: readonly (Anomaly & { readonly airport: string })[];
}

export interface Verdict {
  readonly flights: number;
  readonly airports: number;
  readonly anomalies: number;
  /** Empty when everything is as it must be. */
  readonly differences: readonly string[];
}

export function judge({ flights, threshold, scoredFrom, averages, anomalies }: Observed): Verdict {
  const expected = { averages: new Map<string, string[]>(), anomalies: new Map<string, string[]>() };
  const delays = new Map<string, { n: number; mean: number; m2: number }>();
  for (const flight of flights) {
    const { destination: airport, delay } = flight;
    const sums = delays.get(airport) ?? { n: 0, mean: 0, m2: 0 };
    delays.set(airport, sums);

    const before = { flights: sums.n, mean: sums.mean, deviation: sums.n === 0 ? 0 : Math.sqrt(sums.m2 / sums.n) };
    const away = delay - sums.mean;
    sums.n += 1;
    sums.mean += away / sums.n;
    sums.m2 += away * (delay - sums.mean);
    append(expected.averages, airport, shownAverage({ flights: sums.n, mean: sums.mean, deviation: Math.sqrt(sums.m2 / sums.n) }));

    if (before.flights < scoredFrom || before.deviation === 0) continue;
    const score = Math.abs(away) / before.deviation;
    if (score > threshold) append(expected.anomalies, airport, shownAnomaly({ flight, before, score }));
  }

  const found = { averages: new Map<string, string[]>(), anomalies: new Map<string, string[]>() };
  for (const average of averages) append(found.averages, average.airport, shownAverage(average));
  for (const anomaly of anomalies) append(found.anomalies, anomaly.airport, shownAnomaly(anomaly));
  const differences = [
    ...firstDifferences('average', found.averages, expected.averages),
    ...firstDifferences('anomaly', found.anomalies, expected.anomalies),
  ];
  return { flights: flights.length, airports: delays.size, anomalies: anomalies.length, differences };
}

/** One for each airport: everything after a wrong mean is wrong too. */
function firstDifferences(what: string, found: ReadonlyMap<string, string[]>, expected: ReadonlyMap<string, string[]>): string[] {
  const differences: string[] = [];
  for (const airport of new Set([...expected.keys(), ...found.keys()])) {
    const [is, should] = [found.get(airport) ?? [], expected.get(airport) ?? []];
    const length = Math.max(is.length, should.length);
    for (let i = 0; i < length; i++) {
      if (is[i] === should[i]) continue;
      differences.push(`${airport}, ${what} ${i + 1}: ${is[i] ?? 'missing'}, but should be ${should[i] ?? 'none'}`);
      break;
    }
  }
  return differences;
}

function append(lists: Map<string, string[]>, airport: string, line: string): void {
  const list = lists.get(airport);
  if (list === undefined) lists.set(airport, [line]);
  else list.push(line);
}

function shownAverage({ flights, mean, deviation }: Average): string {
  return `${mean} ± ${deviation} min of ${flights} flights`;
}

function shownAnomaly({ flight: { origin, destination, scheduled, delay }, before, score }: Anomaly): string {
  return `${origin}-${destination} ${new Date(scheduled).toISOString()} ${delay} min, score ${score} against ${shownAverage(before)}`;
}
