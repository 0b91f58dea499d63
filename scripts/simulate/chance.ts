import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xorshift128plus } from 'pure-rand/generator/xorshift128plus';

/** Draws that depend on the seed alone. */
export class Chance {
  readonly #generator;

  constructor(seed: number) {
    this.#generator = xorshift128plus(seed);
    // The first draws of seeds that lie near each other lie near each other.
    for (let at = 0; at < 8; at++) this.below(2);
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    return uniformInt(this.#generator, 0, limit - 1);
  }

  /** In [0, 1). */
  fraction(): number {
    return this.below(0x40000000) / 0x40000000;
  }

  happens(probability: number): boolean {
    return this.fraction() < probability;
  }

  oneOf<T>(some: readonly T[]): T {
    return some[this.below(some.length)]!;
  }
}
