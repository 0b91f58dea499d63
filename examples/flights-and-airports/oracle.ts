/** Checks a run with a plain loop over the same flights and airports. Nothing of the library, nothing of the topology. */
import type { Flight } from '../flight-delays/flights';
import { onlyInFirst } from '../only-in-first';
import type { Airport } from './airports';

interface Arrival extends Flight {
  readonly airport: string;
  readonly city: string;
  readonly state: string;
}

export interface StateDelay {
  readonly state: string;
  readonly flights: number;
  /** Minutes. */
  readonly averageDelay: number;
}

export interface Observed {
  readonly flights: readonly Flight[];
  readonly airports: readonly Airport[];
  readonly arrivals: readonly Arrival[];
  /** One for each arrival, in the order of each partition: the last one of a state is its result. */
  readonly averages: readonly StateDelay[];
}

export interface Verdict {
  /** Flights that found their airport. */
  readonly arrivals: number;
  /** Flights to airports that nobody knows: an inner join has none for them. */
  readonly unknown: number;
  /** Most flights first. */
  readonly states: readonly StateDelay[];
  /** Empty when everything is as it must be. */
  readonly differences: readonly string[];
}

export function judge({ flights, airports, arrivals, averages }: Observed): Verdict {
  const places = new Map(airports.map((airport) => [airport.iata, airport]));
  const expected: Arrival[] = [];
  const sums = new Map<string, { flights: number; minutes: number }>();
  for (const flight of flights) {
    const place = places.get(flight.destination);
    if (place === undefined) continue;
    const { name, city, state } = place;
    expected.push({ ...flight, airport: name, city, state });
    const sum = sums.get(state) ?? { flights: 0, minutes: 0 };
    sums.set(state, { flights: sum.flights + 1, minutes: sum.minutes + flight.delay });
  }

  const states = [...new Map(averages.map((average) => [average.state, average])).values()];
  const shouldBe = [...sums].map(([state, sum]) => ({ state, flights: sum.flights, averageDelay: sum.minutes / sum.flights }));
  const differences = [
    ...onlyInFirst(expected.map(shown), arrivals.map(shown)).map((arrival) => `${arrival}: missing`),
    ...onlyInFirst(arrivals.map(shown), expected.map(shown)).map((arrival) => `${arrival}: should not be`),
    ...onlyInFirst(shouldBe.map(named), states.map(named)).map((state) => `${state}: missing`),
    ...onlyInFirst(states.map(named), shouldBe.map(named)).map((state) => `${state}: should not be`),
  ];
  if (averages.length !== expected.length) differences.push(`${expected.length} updates expected, but there are ${averages.length}`);
  const unknown = flights.length - expected.length;
  return { arrivals: arrivals.length, unknown, states: states.sort((a, b) => b.flights - a.flights), differences };
}

function shown({ origin, destination, scheduled, delay, airport, city, state }: Arrival): string {
  return `${origin}-${destination} ${new Date(scheduled).toISOString()} ${delay} min, to ${airport} in ${city}, ${state}`;
}

function named({ state, flights, averageDelay }: StateDelay): string {
  return `${state}, ${flights} flights, ${averageDelay} min on average`;
}
