import * as t from 'io-ts';
import { internalTopic, json, keyValueStore, string, topic, type Topology } from 'millrace';
import { aggregateWithStore, joinGlobalTable, joinTable, mapValues, to } from 'millrace/operators';
import { merge, share } from 'rxjs';
import { Flight } from '../flight-delays/flights';
import { Airport } from './airports';

/** A flight and where it went. */
const Arrival = t.intersection([Flight, t.type({ airport: t.string, city: t.string, state: t.string })]);
export type Arrival = t.TypeOf<typeof Arrival>;

const Delays = t.type({ flights: t.number, minutes: t.number });
const Average = t.type({ flights: t.number, averageDelay: t.number });

/** How flights find their airports. */
export type Way = 'table' | 'globalTable';

/**
 * Flights with the airport they went to, and the average delay of each state. `name` begins the topics' names.
 *
 * 'table': each task has the airports of its partition, so a flight has to go where its airport lies: through a repartition. Airports are
 * older than flights, and what meets in a join is pushed in order of time: each flight finds its airport. 'globalTable': every instance has
 * all airports, loaded before the first flight is read; a flight is joined where it is.
 */
export function flightsAndAirports(name: string, way: Way) {
  const delaysPerState = keyValueStore('delays-per-state', { key: string, value: json(Delays) });
  const flights = topic(`${name}-flights`, { key: string, value: json(Flight) });
  const airports = topic(`${name}-airports`, { key: string, value: json(Airport) });
  const arrivals = topic(`${name}-arrivals`, { key: string, value: json(Arrival) });
  const averages = topic(`${name}-averages`, { key: string, value: json(Average) });
  const flightsByAirport = internalTopic('flights-by-airport', { key: string, value: json(Flight) });
  const arrivalsByState = internalTopic('arrivals-by-state', arrivals);

  const topology: Topology = ({ stream, store, table, globalTable, repartition }) => {
    const joined =
      way === 'table'
        ? stream(flights).pipe(
            repartition(flightsByAirport, (flight) => flight.destination),
            joinTable(table(airports), arrival),
          )
        : stream(flights).pipe(joinGlobalTable(globalTable(airports), (flight) => flight.destination, arrival));
    const arrived = joined.pipe(share());
    return merge(
      arrived.pipe(to(arrivals)),
      arrived.pipe(
        repartition(arrivalsByState, ({ state }) => state),
        aggregateWithStore(store(delaysPerState), {
          initial: () => ({ flights: 0, minutes: 0 }),
          add: (sum, { delay }) => ({ flights: sum.flights + 1, minutes: sum.minutes + delay }),
        }),
        mapValues((sum) => ({ flights: sum.flights, averageDelay: sum.minutes / sum.flights })),
        to(averages),
      ),
    );
  };

  return {
    topology,
    flights,
    airports,
    arrivals,
    averages,
    topics: [flights, airports, arrivals, averages],
    tables: [airports],
    stores: [delaysPerState],
    internalTopics: way === 'table' ? [flightsByAirport, arrivalsByState] : [arrivalsByState],
  };
}

function arrival(flight: Flight, { name, city, state }: Airport): Arrival {
  return { ...flight, airport: name, city, state };
}
