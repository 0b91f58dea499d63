import type { PageViews } from './topology';

export interface Ranking {
  /** Its start, ms since the epoch. */
  readonly minute: number;
  readonly top: readonly PageViews[];
}

/** What a run has committed so far, as far as a viewer cares. */
export class Scoreboard {
  /** Page views that were counted, or found late. */
  views = 0;
  /** The two newest minutes, ascending. */
  private rankings: readonly Ranking[] = [];

  /** @param total page views to come; undefined: no end */
  constructor(readonly total: number | undefined) {}

  viewed(views: number): void {
    this.views += views;
  }

  ranked(ranking: Ranking): void {
    const others = this.rankings.filter(({ minute }) => minute !== ranking.minute);
    this.rankings = [...others, ranking].sort((a, b) => a.minute - b.minute).slice(-2);
  }

  get newest(): Ranking | undefined {
    return this.rankings.at(-1);
  }

  /** The minute before the newest: the partitions close a minute one after the other, so the newest one's pages are still coming in. */
  get settled(): Ranking | undefined {
    return this.rankings.at(-2);
  }
}
