import * as t from 'io-ts';
import { json, keyValueStore, string, topic, type Topology } from 'millrace';
import { filterValues, mapValues, mapWithStore, to } from 'millrace/operators';
import { merge, share } from 'rxjs';
import { Flight } from '../flight-delays/flights';

/** Of the delays of one airport so far, by Welford's method: one pass, and no sum of squares that would cancel. Minutes. */
const Spread = t.type({
  flights: t.number,
  mean: t.number,
  /** Sum of the squared differences from the mean. */
  squares: t.number,
});
type Spread = t.TypeOf<typeof Spread>;

const Average = t.type({ flights: t.number, mean: t.number, deviation: t.number });
export type Average = t.TypeOf<typeof Average>;
const Anomaly = t.type({ flight: Flight, before: Average, score: t.number });
export type Anomaly = t.TypeOf<typeof Anomaly>;

/** Flights of an airport before the first one is scored. */
export const SCORED_FROM = 30;

/** The mean delay of each airport after each of its flights; and the flights more than `threshold` standard deviations off the mean before them. */
export function rollingAverages(name: string, threshold: number) {
  const spreads = keyValueStore('spreads', { key: string, value: json(Spread) });
  const flights = topic(`${name}-flights`, { key: string, value: json(Flight) });
  const averages = topic(`${name}-averages`, { key: string, value: json(Average) });
  const anomalies = topic(`${name}-anomalies`, { key: string, value: json(Anomaly) });

  const topology: Topology = ({ stream, store }) => {
    const scored = stream(flights).pipe(
      mapWithStore(store(spreads), {
        initial: () => ({ flights: 0, mean: 0, squares: 0 }),
        step: (spread, flight) => {
          const before = averageOf(spread);
          const next = withDelay(spread, flight.delay);
          return [next, { flight, before, after: averageOf(next), score: scoreOf(before, flight.delay) }];
        },
      }),
      share(),
    );
    return merge(
      scored.pipe(
        mapValues(({ after }) => after),
        to(averages),
      ),
      scored.pipe(
        filterValues(({ score }) => score > threshold),
        mapValues(({ flight, before, score }) => ({ flight, before, score })),
        to(anomalies),
      ),
    );
  };

  return { topology, flights, averages, anomalies, topics: [flights, averages, anomalies], stores: [spreads], internalTopics: [] };
}

function withDelay({ flights, mean, squares }: Spread, delay: number): Spread {
  const next = mean + (delay - mean) / (flights + 1);
  return { flights: flights + 1, mean: next, squares: squares + (delay - mean) * (delay - next) };
}

function averageOf({ flights, mean, squares }: Spread): Average {
  return { flights, mean, deviation: flights === 0 ? 0 : Math.sqrt(squares / flights) };
}

/** In standard deviations; 0 as long as there is nothing to compare with. */
function scoreOf({ flights, mean, deviation }: Average, delay: number): number {
  return flights < SCORED_FROM || deviation === 0 ? 0 : Math.abs(delay - mean) / deviation;
}
