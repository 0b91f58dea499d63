import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import type { SyntheticRecords } from '../without-broker/fetched-records';

export const spreads = ['uniform', 'zipf'] as const;
export type Spread = (typeof spreads)[number];

export const KEYS = 10_000;
/** A tenth of the records lags behind by up to this, less than any grace. */
const LAG_MS = 5_000;
const BEGIN = Date.UTC(2026, 0, 1);

export interface ClicksOptions {
  readonly records: number;
  readonly spread: Spread;
  /** ms of event time from one record to the next. */
  readonly pace: number;
}

/** The same options give the same records. */
export function clicks({ records, spread, pace }: ClicksOptions): SyntheticRecords {
  const random = xoroshiro128plus(42);
  const keys = Array.from({ length: KEYS }, (_, number) => Buffer.from(`user-${String(number).padStart(6, '0')}`));
  const bounds = spread === 'zipf' ? zipf(KEYS) : undefined;
  const fraction = (): number => uniformInt(random, 0, 0x3fff_ffff) / 0x4000_0000;
  return {
    records,
    keyOf: () => keys[bounds === undefined ? uniformInt(random, 0, KEYS - 1) : firstAbove(bounds, fraction())]!,
    timeOf: (number) => BEGIN + pace * (number + LAG_MS - (uniformInt(random, 0, 9) === 0 ? uniformInt(random, 0, LAG_MS) : 0)),
  };
}

/** Key n comes 1/n as often as the first: running sums of shares. */
function zipf(keys: number): Float64Array {
  const bounds = new Float64Array(keys);
  let sum = 0;
  for (let number = 0; number < keys; number++) bounds[number] = sum += 1 / (number + 1);
  return bounds.map((bound) => bound / sum);
}

function firstAbove(bounds: Float64Array, share: number): number {
  let low = 0;
  let high = bounds.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bounds[middle]! > share) high = middle;
    else low = middle + 1;
  }
  return low;
}
