import type { DirectedCut } from './cuts';

/** What is to be run. */
export interface Order {
  readonly seed: number;
  /** Cuts besides those of the seed. */
  readonly cuts?: readonly DirectedCut[];
}
