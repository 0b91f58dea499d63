import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** One input record: the key is the user, the value all of it as JSON, about 130 bytes. */
export interface Click {
  readonly id: number;
  readonly user: string;
  readonly page: string;
  readonly referrer: string;
  readonly kind: string;
  /** Event time, ms since the epoch. */
  readonly at: number;
  readonly amount: number;
}

export interface ClicksOptions {
  readonly records: number;
  /** Event time of the first, on a minute, ms since the epoch. */
  readonly begin: number;
  readonly seed?: number;
}

export const USERS = 100_000;
export const PARTITIONS = 4;
export const MINUTE_MS = 60_000;
export const GRACE_MS = 10_000;
/** Minutes of event time, however many records there are. */
export const MINUTES = 20;

const KINDS = ['view', 'view', 'view', 'click', 'scroll', 'buy'];
const PAGES = 1_000;
const SEARCHES = 10_000;

export function userName(user: number): string {
  return `user-${String(user).padStart(6, '0')}`;
}

/** The same options give the same clicks, in the order of their event time. */
export function* clicks({ records, begin, seed = 42 }: ClicksOptions): Generator<Click> {
  const random = xoroshiro128plus(seed);
  for (let id = 0; id < records; id++) {
    yield {
      id,
      user: userName(uniformInt(random, 0, USERS - 1)),
      page: `/page/${uniformInt(random, 1, PAGES)}`,
      referrer: `/search/${uniformInt(random, 1, SEARCHES)}`,
      kind: KINDS[uniformInt(random, 0, KINDS.length - 1)]!,
      at: begin + Math.floor((id * MINUTES * MINUTE_MS) / records),
      amount: uniformInt(random, 0, 9_999) / 100,
    };
  }
}
