import type { Chance } from './chance';

/** What happens to a process at an await. */
export type Cut =
  /** It dies; its disk survives. */
  | 'crash'
  /** It stands still, for longer than the group waits for it, and goes on as if nothing had been. */
  | 'freeze'
  /** It stands still for a moment. */
  | 'stall'
  /** What it asked takes effect, and it never hears of it. */
  | 'lost'
  /** As lost, and it stands still before it hears that the connection broke: others have taken over by then. */
  | 'asleep'
  /** The connection breaks, yet the bytes are executed later: after it has asked again. */
  | 'late'
  | 'slow'
  /** The connection breaks before anything has taken effect. */
  | 'broken'
  /** The broker answers with an error, and has done nothing. */
  | 'refused'
  /** Its next write to disk fails. */
  | 'disk'
  /** Its next reading of a range from disk fails. */
  | 'unread'
  /** Its disk is full for a while. */
  | 'full';

export const CUTS: readonly Cut[] = [
  'crash',
  'freeze',
  'stall',
  'lost',
  'asleep',
  'late',
  'slow',
  'broken',
  'refused',
  'disk',
  'unread',
  'full',
];

/** Those that may also happen when no faults come any more: it only takes longer then. */
export const AT_ANY_TIME: ReadonlySet<Cut> = new Set(['crash', 'freeze', 'stall']);

/** How often each may happen in one run: so that it comes through, and that what follows from a cut is seen before the next. */
const MOST: Readonly<Record<Cut, number>> = {
  crash: 5,
  freeze: 3,
  stall: 6,
  lost: 6,
  asleep: 2,
  late: 6,
  slow: 4,
  broken: 6,
  refused: 8,
  disk: 3,
  unread: 2,
  full: 1,
};
/** What is waited for there is the disk, above all. */
const DISK = 'src/state/';
const DISK_SHARE: readonly Cut[] = [
  'crash',
  'crash',
  'crash',
  'freeze',
  'stall',
  'disk',
  'disk',
  'unread',
  'unread',
  'full',
  'lost',
  'broken',
];
const SHARE: readonly Cut[] = [
  'crash',
  'crash',
  'freeze',
  'stall',
  'lost',
  'lost',
  'asleep',
  'late',
  'late',
  'slow',
  'broken',
  'refused',
  'refused',
  'disk',
];

/** ms from which on a site that was not reached before counts as one of the rare ones: what every start comes by is behind. */
const COMMON_UNTIL = 2_500;
/** How readily a site is cut the first time. */
const RARE = 0.3;
const COMMON = 0.008;
/** Of the rare sites a run wants one in so many, and cuts them more readily, its budget used up or not. */
const ONE_WANTED_IN = 2;
const WANTED = 0.8;
const MOST_WANTED = 8;

export interface SiteCount {
  reached: number;
  readonly cuts: Record<Cut, number>;
}

export function noCounts(): SiteCount {
  return {
    reached: 0,
    cuts: { crash: 0, freeze: 0, stall: 0, lost: 0, asleep: 0, late: 0, slow: 0, broken: 0, refused: 0, disk: 0, unread: 0, full: 0 },
  };
}

/** A cut that is asked for, the first time its site is reached when all before it in its list have been made. */
export interface DirectedCut {
  readonly site: number;
  /** Undefined: by chance. */
  readonly cut?: Cut;
}

export interface CutPlanOptions {
  readonly chance: Chance;
  /** ms of the run. */
  readonly now: () => number;
  /** Of the whole run: some have few cuts, so that what one alone leads to is seen. */
  readonly eagerness: number;
  /** The file of each site. */
  readonly files: readonly string[];
  readonly directed: readonly DirectedCut[];
}

/**
 * Which await is cut, and how, in one run. A seed has some sites that it favours; ones that are reached late, and so seldom, are cut more
 * readily than those of every start; one that was cut is cut less readily again.
 */
export class CutPlan {
  readonly sites = new Map<number, SiteCount>();
  isOver = false;
  private readonly made = new Map<Cut, number>();
  private readonly weights = new Map<number, number>();
  private readonly rare = new Set<number>();
  private readonly wanted = new Set<number>();
  private wantedCuts = 0;
  private readonly directed: DirectedCut[];

  constructor(private readonly options: CutPlanOptions) {
    this.directed = [...options.directed];
  }

  /** Called at every await. */
  at(site: number): Cut | undefined {
    const known = this.sites.get(site);
    const count = known ?? noCounts();
    if (known === undefined) this.first(site, count);
    count.reached++;
    const byChance = this.isOver ? undefined : this.wanted.has(site) ? this.cutWanted(site, count) : this.cutAny(site, count);
    const cut = this.asDirected(site) ?? byChance;
    if (cut !== undefined) count.cuts[cut]++;
    return cut;
  }

  /** Until the first of them the run is the same as without. */
  private asDirected(site: number): Cut | undefined {
    const [next] = this.directed;
    if (next?.site !== site || (this.isOver && next.cut !== undefined && !AT_ANY_TIME.has(next.cut))) return undefined;
    this.directed.shift();
    return next.cut ?? this.options.chance.oneOf(this.isOver ? [...AT_ANY_TIME] : this.kindsAt(site));
  }

  private kindsAt(site: number): readonly Cut[] {
    return this.options.files[site]!.startsWith(DISK) ? DISK_SHARE : SHARE;
  }

  private first(site: number, count: SiteCount): void {
    const { chance, now } = this.options;
    this.sites.set(site, count);
    const isRare = now() > COMMON_UNTIL;
    if (isRare) this.rare.add(site);
    if (isRare && chance.below(ONE_WANTED_IN) === 0) this.wanted.add(site);
    const favoured = chance.below(8) === 0 ? 6 : 1;
    this.weights.set(site, favoured * (isRare ? RARE : COMMON));
  }

  private cutWanted(site: number, { reached }: SiteCount): Cut | undefined {
    const { chance } = this.options;
    if (!chance.happens(WANTED / reached)) return undefined;
    this.wanted.delete(site);
    if (this.wantedCuts >= MOST_WANTED) return undefined;
    this.wantedCuts++;
    return chance.oneOf(this.kindsAt(site));
  }

  private cutAny(site: number, { reached }: SiteCount): Cut | undefined {
    const { chance, eagerness } = this.options;
    const weight = this.weights.get(site)!;
    if (!chance.happens((weight * eagerness) / (1 + reached * 0.1))) return undefined;
    const cut = chance.oneOf(this.kindsAt(site));
    const made = this.made.get(cut) ?? 0;
    // Some are left for those that are seldom reached.
    if (made >= (!this.rare.has(site) ? Math.ceil(MOST[cut] / 2) : MOST[cut])) return undefined;
    this.made.set(cut, made + 1);
    this.weights.set(site, weight / 3);
    return cut;
  }
}
