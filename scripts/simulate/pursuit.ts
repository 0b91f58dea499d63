import type { Cut, DirectedCut } from './cuts';
import type { Order } from './order';
import type { SiteTotal } from './totals';

/** What leads to an await that seeds hardly ever come to. */
export interface Lead {
  /** `file` and the beginning of what is written of the await, of both. */
  readonly to: string;
  readonly from: string;
  /** Runs that have come here too. */
  readonly besides?: string;
  readonly cut: Cut;
}

/** Runs for each await in one go, and for each lead. */
const RUNS = 2;
const LED_RUNS = 20;

/**
 * Runs that cut what no run has cut: those that have come to the await, again, with a cut there. An await that none has come to is looked for
 * by its lead.
 */
export class Pursuit {
  private readonly tried = new Set<string>();

  constructor(private readonly leads: readonly Lead[]) {}

  /** Others each time; none: there is nothing left to try. */
  next(totals: readonly SiteTotal[]): Order[] {
    return totals.filter(({ cuts }) => cuts === 0).flatMap((total) => this.ordersFor(total, totals));
  }

  private ordersFor(total: SiteTotal, totals: readonly SiteTotal[]): Order[] {
    const { number, orders } = total;
    if (orders.length > 0) return this.untried(orders, { site: number }, RUNS);
    return this.leads
      .filter(({ to }) => isNamed(total, to))
      .flatMap(({ from, besides, cut }) => {
        const others =
          besides === undefined ? undefined : new Set(totals.filter((each) => isNamed(each, besides)).flatMap((each) => each.orders));
        return totals
          .filter((each) => isNamed(each, from))
          .flatMap(({ number: site, orders: all }) => {
            // What has led nowhere does not lead further.
            const some = all.filter((order) => order.cuts === undefined && others?.has(order) !== false);
            return this.untried(some, { site, cut }, LED_RUNS);
          });
      });
  }

  private untried(orders: readonly Order[], cut: DirectedCut, most: number): Order[] {
    const found: Order[] = [];
    for (const { seed, cuts = [] } of orders) {
      if (found.length === most) break;
      const order = { seed, cuts: [...cuts, cut] };
      const name = JSON.stringify(order);
      if (this.tried.has(name)) continue;
      this.tried.add(name);
      found.push(order);
    }
    return found;
  }
}

function isNamed({ site: { file, what } }: SiteTotal, name: string): boolean {
  return `${file} ${what}`.startsWith(name);
}
