/**
 * Checks a run with a plain loop over the same flights, lateness included: it needs only the order of the flights and each one's
 * partition. Nothing of the library, nothing of the topology.
 */
import { javaPartition } from '../java-partition';
import type { Flight } from './flights';

export interface Observed {
  /** In the order of writing. */
  readonly flights: readonly Flight[];
  readonly partitions: number;
  readonly graceMs: number;
  /** In the order of each partition: the last one of an airport and hour is its result. */
  readonly averages: readonly {
    readonly airport: string;
    readonly hour: number;
    readonly flights: number;
    readonly averageDelay: number;
  }[];
  readonly late: readonly Flight[];
}

export interface Verdict {
  /** What the run counted: one update for each flight. */
  readonly counted: number;
  /** What the run found late. */
  readonly late: number;
  /** Empty when everything is as it must be. */
  readonly differences: readonly string[];
}

const HOUR = 3_600_000;

export function judge({ flights, partitions, graceMs, averages, late }: Observed): Verdict {
  const expected = count(flights, partitions, graceMs);
  const is = new Map(averages.map((average) => [place(average.airport, average.hour), shown(average.flights, average.averageDelay)]));
  const should = new Map([...expected.sums].map(([where, sum]) => [where, shown(sum.flights, sum.minutes / sum.flights)]));

  const differences: string[] = [];
  if (averages.length !== expected.counted) differences.push(`${expected.counted} updates expected, but there are ${averages.length}`);
  for (const where of new Set([...should.keys(), ...is.keys()])) {
    const [a, b] = [is.get(where) ?? 'missing', should.get(where) ?? 'missing'];
    if (a !== b) differences.push(`${where}: ${a}, but should be ${b}`);
  }
  differences.push(...onlyInFirst(expected.late, late).map((flight) => `${flight} was late, but is not among the late ones`));
  differences.push(...onlyInFirst(late, expected.late).map((flight) => `${flight} is among the late ones, but was not late`));
  return { counted: averages.length, late: late.length, differences };
}

interface Sum {
  flights: number;
  minutes: number;
}

/** A flight is late when its hour had ended more than the grace before the latest time its partition had seen, its own included. */
function count(
  flights: readonly Flight[],
  partitions: number,
  graceMs: number,
): { sums: Map<string, Sum>; counted: number; late: Flight[] } {
  const latest = new Array<number>(partitions).fill(-1);
  const sums = new Map<string, Sum>();
  const late: Flight[] = [];
  let counted = 0;
  for (const flight of flights) {
    const partition = javaPartition(flight.destination, partitions);
    const streamTime = Math.max(latest[partition]!, flight.scheduled);
    latest[partition] = streamTime;
    const hour = flight.scheduled - (flight.scheduled % HOUR);
    if (hour + HOUR <= streamTime - graceMs) {
      late.push(flight);
      continue;
    }
    const where = place(flight.destination, hour);
    const sum = sums.get(where) ?? { flights: 0, minutes: 0 };
    sums.set(where, { flights: sum.flights + 1, minutes: sum.minutes + flight.delay });
    counted += 1;
  }
  return { sums, counted, late };
}

function onlyInFirst(first: readonly Flight[], second: readonly Flight[]): string[] {
  const left = new Map<string, number>();
  for (const flight of second) left.set(named(flight), (left.get(named(flight)) ?? 0) + 1);
  return first.map(named).filter((flight) => {
    const times = left.get(flight) ?? 0;
    left.set(flight, times - 1);
    return times <= 0;
  });
}

function named({ origin, destination, scheduled, delay }: Flight): string {
  return `${origin}-${destination} ${new Date(scheduled).toISOString()} ${delay} min`;
}

function place(airport: string, hour: number): string {
  return `${airport} ${new Date(hour).toISOString()}`;
}

function shown(flights: number, averageDelay: number): string {
  return `${flights} flights, ${averageDelay} min on average`;
}
