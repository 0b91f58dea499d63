import * as t from 'io-ts';
import { hours, json, string, topic, windowStore, type Duration, type Topology } from 'millrace';
import { aggregateWithStore, mapValues, to, windowTumbling, type LateRecord } from 'millrace/operators';
import { map, merge, Subject } from 'rxjs';
import { Flight } from './flights';

const Delays = t.type({ flights: t.number, minutes: t.number });
const Average = t.type({ flights: t.number, averageDelay: t.number });

/** Flights and their average delay per airport and scheduled hour. `name` begins the topics' names. */
export function flightDelays(name: string, grace: Duration) {
  const perHour = { size: hours(1), grace };
  const delaysPerAirport = windowStore('delays-per-airport', { key: string, value: json(Delays), windows: perHour });
  const flights = topic(`${name}-flights`, { key: string, value: json(Flight), timestamp: (flight) => flight.scheduled });
  const averages = topic(`${name}-averages`, { key: delaysPerAirport.output.key, value: json(Average) });
  const lateFlights = topic(`${name}-late-flights`, { key: string, value: json(Flight) });

  const topology: Topology = ({ stream, store }) => {
    const late = new Subject<LateRecord<string, Flight>>();
    return merge(
      stream(flights).pipe(
        windowTumbling(perHour),
        aggregateWithStore(store(delaysPerAirport), {
          initial: () => ({ flights: 0, minutes: 0 }),
          add: (sum, flight) => ({ flights: sum.flights + 1, minutes: sum.minutes + flight.delay }),
          late,
        }),
        mapValues((sum) => ({ flights: sum.flights, averageDelay: sum.minutes / sum.flights })),
        to(averages),
      ),
      late.pipe(
        map(({ record }) => record),
        to(lateFlights),
      ),
    );
  };

  return {
    topology,
    flights,
    averages,
    lateFlights,
    topics: [flights, averages, lateFlights],
    stores: [delaysPerAirport],
    internalTopics: [],
  };
}
