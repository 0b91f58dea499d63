import * as t from 'io-ts';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

export const Click = t.type({
  user: t.string,
  page: t.string,
  /** When the user clicked, ms since the epoch. */
  timestamp: t.number,
});
export type Click = t.TypeOf<typeof Click>;

const USERS = 200;
const PAGES = 40;
const BEGIN = Date.UTC(2025, 0, 1);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * The same seed gives the same clicks, in order of arrival. A user clicks for a while, pauses, leaves and returns; one click in ten comes
 * from a device that had no network, up to an hour and a half after it was made.
 */
export function clickStream(seed: number, clicks: number): Click[] {
  const random = xoroshiro128plus(seed);
  const chance = (): number => uniformFloat64(random);
  const between = (least: number, most: number): number => uniformInt(random, least, most);
  const sinceLast = (): number => {
    const what = chance();
    if (what < 0.8) return between(5 * SECOND, 2 * MINUTE);
    return what < 0.95 ? between(3 * MINUTE, 9 * MINUTE) : between(12 * MINUTE, 180 * MINUTE);
  };
  const underWay = (): number => {
    const what = chance();
    if (what < 0.9) return between(0, 2 * SECOND);
    return what < 0.99 ? between(MINUTE, 30 * MINUTE) : between(30 * MINUTE, 90 * MINUTE);
  };

  const lastOf = Array.from({ length: USERS }, () => BEGIN + between(0, 60 * MINUTE));
  const arrivals = Array.from({ length: clicks }, (_, i) => {
    const user = i % USERS;
    const timestamp = (lastOf[user]! += sinceLast());
    return { click: { user: `user-${user + 1}`, page: `/pages/${between(1, PAGES)}`, timestamp }, at: timestamp + underWay() };
  });
  return arrivals.sort((a, b) => a.at - b.at).map(({ click }) => click);
}
