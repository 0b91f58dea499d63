import * as t from 'io-ts';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export const Click = t.type({
  id: t.number,
  user: t.string,
  campaign: t.string,
  /** When the user clicked, ms since the epoch. */
  timestamp: t.number,
});
export type Click = t.TypeOf<typeof Click>;

export const Purchase = t.type({
  id: t.number,
  user: t.string,
  cents: t.number,
  /** When the user paid, ms since the epoch. */
  timestamp: t.number,
});
export type Purchase = t.TypeOf<typeof Purchase>;

export interface Events {
  /** In order of arrival. */
  readonly clicks: readonly Click[];
  /** In order of arrival. */
  readonly purchases: readonly Purchase[];
}

const USERS = 3_000;
const BEGIN = Date.UTC(2025, 0, 1);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** How likely it is that somebody buys after a click of a campaign. */
const CAMPAIGNS: Readonly<Record<string, number>> = { newsletter: 0.35, search: 0.25, video: 0.1, banner: 0.05 };

/**
 * The same seed gives the same events. Some buy within the hour, some later, some without any click; events arrive within seconds, one in
 * twenty after up to half an hour, one in a hundred after up to three hours.
 */
export function shopEvents(seed: number, clicks: number): Events {
  const random = xoroshiro128plus(seed);
  const chance = (): number => uniformFloat64(random);
  const between = (least: number, most: number): number => uniformInt(random, least, most);
  const underWay = (): number => {
    const what = chance();
    if (what < 0.94) return between(0, 2 * SECOND);
    return what < 0.99 ? between(MINUTE, 30 * MINUTE) : between(30 * MINUTE, 180 * MINUTE);
  };
  const campaigns = Object.keys(CAMPAIGNS);
  const user = (): string => `user-${between(1, USERS)}`;

  const clicked = Array.from({ length: clicks }, (_, id): Click => {
    const campaign = campaigns[between(0, campaigns.length - 1)]!;
    return { id, user: user(), campaign, timestamp: BEGIN + id * 5 * SECOND + between(0, 5 * SECOND) };
  });
  const bought = clicked.flatMap((click): Omit<Purchase, 'id'>[] => {
    const sum = { cents: between(500, 20_000) };
    if (chance() < CAMPAIGNS[click.campaign]!) return [{ user: click.user, ...sum, timestamp: click.timestamp + between(0, 75 * MINUTE) }];
    return chance() < 0.02 ? [{ user: user(), ...sum, timestamp: click.timestamp }] : [];
  });

  const inOrderOfArrival = <E extends { readonly timestamp: number }>(events: readonly E[]): E[] =>
    events
      .map((event) => ({ event, at: event.timestamp + underWay() }))
      .sort((a, b) => a.at - b.at)
      .map(({ event }) => event);
  return { clicks: inOrderOfArrival(clicked), purchases: inOrderOfArrival(bought.map((purchase, id) => ({ id, ...purchase }))) };
}
