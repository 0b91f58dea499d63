import type { SiteCount } from './cuts';
import type { Order } from './order';

/** What came of one seed. */
export interface SeedResult {
  readonly order: Order;
  readonly program: string;
  /** What is not as it must be; empty: it is. */
  readonly violations: readonly string[];
  readonly hash: string;
  readonly requests: number;
  /** ms of virtual time. */
  readonly time: number;
  readonly sites: readonly (readonly [site: number, count: SiteCount])[];
  /** How often what went wrong, besides what happened at awaits. */
  readonly events: Readonly<Record<string, number>>;
  /** What happened, in order. */
  readonly story: readonly string[];
  /** Codes of what instances gave up for. */
  readonly gaveUp: readonly string[];
}
