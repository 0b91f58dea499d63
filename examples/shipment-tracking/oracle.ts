/**
 * Checks a run with a plain loop over the same positions and depots: for each position the distances to all depots. Nothing of the library,
 * nothing of the topology, nothing of the database.
 */
import { onlyInFirst } from '../only-in-first';
import type { Depot, Position, Traffic } from './shipments';

interface Prediction {
  readonly shipment: string;
  readonly timestamp: number;
  readonly depot: string | null;
  readonly delayMinutes: number | null;
}

export interface Observed extends Traffic {
  /** What lies further away is not near. */
  readonly nearKm: number;
  /** In the order of each partition. */
  readonly predictions: readonly Prediction[];
}

export interface Verdict {
  readonly predictions: number;
  /** Positions with no depot near them. */
  readonly withoutDepot: number;
  /** Predictions of more than no delay. */
  readonly delayed: number;
  /** Empty when everything is as it must be. */
  readonly differences: readonly string[];
}

export function judge(observed: Observed): Verdict {
  const { predictions } = observed;
  const expected = observed.positions.map((position) => predict(position, observed));
  const differences = [
    ...onlyInFirst(expected.map(shown), predictions.map(shown)).map((prediction) => `${prediction}: missing`),
    ...onlyInFirst(predictions.map(shown), expected.map(shown)).map((prediction) => `${prediction}: should not be`),
    ...outOfOrder(predictions).map((prediction) => `${shown(prediction)}: behind a later position of the same shipment`),
  ];
  return {
    predictions: predictions.length,
    withoutDepot: predictions.filter(({ depot }) => depot === null).length,
    delayed: predictions.filter(({ delayMinutes }) => (delayMinutes ?? 0) > 0).length,
    differences,
  };
}

/** The depot is asked for by the position rounded to a tenth of a degree; how far it is goes by the position itself. */
function predict(position: Position, { depots, nearKm }: Observed): Prediction {
  const { shipment, timestamp, kmPerHour, promised } = position;
  const middle = { latitude: Number(position.latitude.toFixed(1)), longitude: Number(position.longitude.toFixed(1)) };
  let [nearest, least]: [Depot | undefined, number] = [undefined, nearKm];
  for (const depot of depots) {
    const km = kmApart(middle, depot);
    if (km <= least) [nearest, least] = [depot, km];
  }
  if (nearest === undefined) return { shipment, timestamp, depot: null, delayMinutes: null };
  const leaves = timestamp + (kmApart(position, nearest) / kmPerHour) * 3_600_000 + nearest.handlingMinutes * 60_000;
  return { shipment, timestamp, depot: nearest.name, delayMinutes: Math.max(0, Math.round((leaves - promised) / 60_000)) };
}

interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** The angle between two directions from the middle of the earth, as vectors, times its radius. */
function kmApart(a: Place, b: Place): number {
  const [x, y] = [direction(a), direction(b)];
  const straight = Math.hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]);
  return 2 * 6_371 * Math.asin(straight / 2);
}

function direction({ latitude, longitude }: Place): readonly [number, number, number] {
  const [up, around] = [(latitude * Math.PI) / 180, (longitude * Math.PI) / 180];
  return [Math.cos(up) * Math.cos(around), Math.cos(up) * Math.sin(around), Math.sin(up)];
}

function outOfOrder(predictions: readonly Prediction[]): Prediction[] {
  const latest = new Map<string, number>();
  return predictions.filter(({ shipment, timestamp }) => {
    const isBehind = timestamp < (latest.get(shipment) ?? -1);
    if (!isBehind) latest.set(shipment, timestamp);
    return isBehind;
  });
}

function shown({ shipment, timestamp, depot, delayMinutes }: Prediction): string {
  const where = `${shipment} at ${new Date(timestamp).toISOString()}`;
  return depot === null ? `${where}: no depot` : `${where}: ${depot}, ${delayMinutes} min late`;
}
