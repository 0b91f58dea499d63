import * as t from 'io-ts';
import { json, minutes, seconds, string, topic, type Topology } from 'millrace';
import { lookup, mapValues, to } from 'millrace/operators';
import { Position, type Depot } from './shipments';

const Prediction = t.type({
  shipment: t.string,
  /** Of the position, ms since the epoch. */
  timestamp: t.number,
  /** Null: there is none near. */
  depot: t.union([t.string, t.null]),
  /** How much later than promised the shipment will leave that depot, in whole minutes; null without a depot. */
  delayMinutes: t.union([t.number, t.null]),
});
export type Prediction = t.TypeOf<typeof Prediction>;

/** Gives the depot next to the middle of a cell, such as `52.1,4.9`; undefined when none is near. */
export type NearestDepot = (cell: string, signal: AbortSignal) => Promise<Depot | undefined>;

/**
 * When shipments will leave the next depot, by their positions. `name` begins the topics' names.
 *
 * It is asked for the depot of a cell of a tenth of a degree, so that one answer is good for all trucks that pass there; ten minutes
 * later it is asked again, since depots do change. A task asks for eight cells at a time and gives the results in the order of the
 * positions.
 */
export function shipmentTracking(name: string, nearestDepot: NearestDepot) {
  const positions = topic(`${name}-positions`, { key: string, value: json(Position) });
  const predictions = topic(`${name}-predictions`, { key: string, value: json(Prediction) });

  const topology: Topology = ({ stream }) =>
    stream(positions).pipe(
      lookup(nearestDepot, { id: cellOf, concurrency: 8, cache: { ttl: minutes(10), max: 10_000 }, timeout: seconds(10) }),
      mapValues(([position, depot]) => predicted(position, depot)),
      to(predictions),
    );

  return { topology, positions, predictions, topics: [positions, predictions], stores: [], internalTopics: [] };
}

function cellOf({ latitude, longitude }: Position): string {
  return `${latitude.toFixed(1)},${longitude.toFixed(1)}`;
}

function predicted(position: Position, depot: Depot | undefined): Prediction {
  const { shipment, timestamp, kmPerHour, promised } = position;
  if (depot === undefined) return { shipment, timestamp, depot: null, delayMinutes: null };
  const drivingMinutes = (60 * kmBetween(position, depot)) / kmPerHour;
  const lateMinutes = drivingMinutes + depot.handlingMinutes - (promised - timestamp) / 60_000;
  return { shipment, timestamp, depot: depot.name, delayMinutes: Math.max(0, Math.round(lateMinutes)) };
}

type Place = Pick<Depot, 'latitude' | 'longitude'>;

const EARTH_RADIUS_KM = 6_371;

/** Along a great circle, by the haversine formula. */
function kmBetween(a: Place, b: Place): number {
  const [latitudeA, latitudeB] = [radians(a.latitude), radians(b.latitude)];
  const half = Math.sin((latitudeB - latitudeA) / 2) ** 2;
  const across = Math.sin(radians(b.longitude - a.longitude) / 2) ** 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(half + Math.cos(latitudeA) * Math.cos(latitudeB) * across));
}

function radians(degrees: number): number {
  return (degrees * Math.PI) / 180;
}
