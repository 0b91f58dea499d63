import { CUTS, noCounts, type SiteCount } from './cuts';
import type { AwaitSite } from './instrument';
import type { Order } from './order';
import type { SeedReport } from './seeds';

/** Awaits that no run can come by, by the function they stand in, each with its reason. */
export interface OutOfReach {
  readonly file: string;
  readonly within?: string;
  readonly because: string;
}

/** An await in reach, and what came of it. */
export interface SiteTotal {
  readonly number: number;
  readonly site: AwaitSite;
  readonly reached: number;
  readonly cuts: number;
  /** Runs that have come to it, by their seeds. */
  readonly orders: readonly Order[];
}

/** How often each await was reached and cut, over all seeds. */
export class Totals {
  seeds = 0;
  requests = 0;
  time = 0;
  repeated = 0;
  private readonly counts: SiteCount[];
  private readonly orders: Order[][];
  private readonly gaveUp = new Map<string, number>();
  private readonly events = new Map<string, number>();

  constructor(
    private readonly sites: readonly AwaitSite[],
    private readonly outOfReach: readonly OutOfReach[],
  ) {
    this.counts = sites.map(noCounts);
    this.orders = sites.map(() => []);
  }

  add({ order, requests, time, again, sites, gaveUp, events }: SeedReport): void {
    this.seeds++;
    this.requests += requests;
    this.time += time;
    if (again !== undefined) this.repeated++;
    for (const reason of gaveUp) this.gaveUp.set(reason, (this.gaveUp.get(reason) ?? 0) + 1);
    for (const [event, count] of Object.entries(events)) this.events.set(event, (this.events.get(event) ?? 0) + count);
    for (const [site, { reached, cuts }] of sites) {
      const total = this.counts[site]!;
      this.orders[site]!.push(order);
      total.reached += reached;
      for (const cut of CUTS) total.cuts[cut] += cuts[cut];
    }
  }

  /** A line for each await, and what was never reached, or never cut. */
  table(): string {
    const rows = this.sites.map(({ file, line, what }, at) => {
      const { reached, cuts } = this.counts[at]!;
      return [...CUTS.map((cut) => cuts[cut]), reached].map((each) => String(each).padStart(7)).join('') + `  ${file}:${line} ${what}`;
    });
    return [[...CUTS, 'reached'].map((each) => each.padStart(7)).join(''), ...rows].join('\n');
  }

  /** Those that a run can come by. */
  get inReach(): readonly SiteTotal[] {
    return this.sites
      .map((site, number) => {
        const { reached, cuts } = this.counts[number]!;
        const orders = [...this.orders[number]!].sort((a, b) => a.seed - b.seed || (a.cuts?.length ?? 0) - (b.cuts?.length ?? 0));
        return { number, site, reached, cuts: CUTS.reduce((sum, cut) => sum + cuts[cut], 0), orders };
      })
      .filter(({ site }) => this.whyNot(site) === undefined);
  }

  summary(): string {
    const within = this.inReach;
    const unreached = within.filter(({ reached }) => reached === 0);
    const uncut = within.filter(({ reached, cuts }) => reached > 0 && cuts === 0);
    const name = ({ site: { file, line, what } }: SiteTotal): string => `  ${file}:${line} ${what}`;
    const byKind = CUTS.map((cut) => `${cut} ${this.counts.reduce((sum, { cuts }) => sum + cuts[cut], 0)}`).join(', ');
    return [
      `${this.requests} requests, ${Math.round(this.time / 60_000)} minutes of virtual time; ${this.repeated} seeds were run twice, with the same trace`,
      `cuts: ${byKind}`,
      `besides: ${[...this.events]
        .sort()
        .map(([event, count]) => `${event} ${count}`)
        .join(', ')}`,
      ...[...this.gaveUp].sort((a, b) => b[1] - a[1]).map(([reason, count]) => `gave up, ${count} times: ${reason}`),
      `${within.length} awaits in reach, ${unreached.length} of them never reached, ${uncut.length} reached and never cut; ${this.sites.length - within.length} out of reach`,
      ...unreached.map((each) => `never reached:${name(each)}`),
      ...uncut.map((each) => `never cut:    ${name(each)}`),
      ...this.reachedAfterAll.map(({ file, within: part = '' }) => `listed as out of reach, and reached: ${file} ${part}`),
    ].join('\n');
  }

  /** Entries of the list that say of an await that was reached that it cannot be. */
  get reachedAfterAll(): readonly OutOfReach[] {
    return this.outOfReach.filter((entry) => this.sites.some((site, at) => this.counts[at]!.reached > 0 && isOf(site, entry)));
  }

  private whyNot(site: AwaitSite): string | undefined {
    return this.outOfReach.find((entry) => isOf(site, entry))?.because;
  }
}

function isOf({ file, what }: AwaitSite, entry: OutOfReach): boolean {
  return entry.file === file && (entry.within === undefined || what.startsWith(entry.within));
}
