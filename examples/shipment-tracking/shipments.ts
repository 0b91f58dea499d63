import * as t from 'io-ts';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

interface Place {
  /** Degrees. */
  readonly latitude: number;
  /** Degrees. */
  readonly longitude: number;
}

export interface Depot extends Place {
  readonly id: number;
  readonly name: string;
  /** How long a parcel stays there at present. */
  readonly handlingMinutes: number;
}

/** Where a truck was with a shipment. */
export const Position = t.type({
  shipment: t.string,
  latitude: t.number,
  longitude: t.number,
  kmPerHour: t.number,
  /** When the shipment should have left the next depot, ms since the epoch. */
  promised: t.number,
  /** ms since the epoch. */
  timestamp: t.number,
});
export type Position = t.TypeOf<typeof Position>;

export interface Traffic {
  readonly depots: readonly Depot[];
  /** In the order of their times. */
  readonly positions: readonly Position[];
}

const DEPOTS = 300;
const ROUTES = 30;
const POSITIONS_PER_SHIPMENT = 20;
const BEGIN = Date.UTC(2025, 0, 1);
const MINUTE = 60_000;

/**
 * The same seed gives the same traffic. Shipments go along a few routes, so that many trucks are seen in the same places; some stretches
 * have no depot near them.
 */
export function traffic(seed: number, shipments: number): Traffic {
  const random = xoroshiro128plus(seed);
  const between = (least: number, most: number): number => least + uniformFloat64(random) * (most - least);
  const whole = (least: number, most: number): number => uniformInt(random, least, most);
  const place = (): Place => ({ latitude: between(45, 55), longitude: between(0, 20) });

  const depots = Array.from({ length: DEPOTS }, (_, id): Depot => {
    return { id, name: `depot ${id}`, ...place(), handlingMinutes: whole(10, 90) };
  });
  const routes = Array.from({ length: ROUTES }, () => [place(), place()] as const);
  const travel = (_: unknown, i: number): Position[] => {
    const [from, to] = routes[whole(0, ROUTES - 1)]!;
    const begin = BEGIN + whole(0, 24 * 60) * MINUTE;
    return Array.from({ length: POSITIONS_PER_SHIPMENT }, (_, leg) => {
      const way = leg / (POSITIONS_PER_SHIPMENT - 1);
      const timestamp = begin + leg * 30 * MINUTE + whole(0, MINUTE);
      return {
        shipment: `shipment-${i}`,
        latitude: from.latitude + way * (to.latitude - from.latitude) + between(-0.01, 0.01),
        longitude: from.longitude + way * (to.longitude - from.longitude) + between(-0.01, 0.01),
        kmPerHour: whole(30, 90),
        promised: timestamp + whole(30, 180) * MINUTE,
        timestamp,
      };
    });
  };
  const positions = Array.from({ length: shipments }, travel).flat();
  return { depots, positions: positions.sort((a, b) => a.timestamp - b.timestamp) };
}
