import { xorshift128plus } from 'pure-rand/generator/xorshift128plus';
import { uniformInt } from 'pure-rand/distribution/uniformInt';

export interface Chance {
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
}

/** Draws that depend on the seed alone. */
export function pureRandom(seed: number): Chance {
  const generator = xorshift128plus(seed);
  return { below: (limit) => uniformInt(generator, 0, limit - 1) };
}
