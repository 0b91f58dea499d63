import { clicks, type Click, type ClicksOptions } from '../windowed-count/clicks';
import { type Enriched, profileOf } from './profiles';

/** One result as it was found in an output topic. */
export interface FoundJoin {
  readonly key: string;
  readonly value: Enriched;
}

/** The right answer by a plain loop over the same clicks. Shares nothing with the contestants. */
export class ExpectedJoins {
  private readonly clicks: Pick<Click, 'user' | 'kind' | 'page'>[] = [];

  constructor(options: ClicksOptions) {
    for (const { user, kind, page } of clicks(options)) this.clicks.push({ user, kind, page });
  }

  /** What is wrong with what was found, in words; empty when every click is there once with its user's row. */
  differences(found: Iterable<FoundJoin>): string[] {
    const seen = new Uint8Array(this.clicks.length);
    let [unknown, twice, wrong, results] = [0, 0, 0, 0];
    for (const { key, value } of found) {
      results++;
      const click = this.clicks[value.id];
      if (click === undefined) unknown++;
      else if (seen[value.id] === 1) twice++;
      else if (!this.isRight(click, key, value)) wrong++;
      if (click !== undefined) seen[value.id] = 1;
    }
    const missing = seen.reduce((sum, one) => sum + (one === 0 ? 1 : 0), 0);
    const said = { 'of no click': unknown, 'found twice': twice, 'that are wrong': wrong, missing };
    return Object.entries(said)
      .filter(([, number]) => number > 0)
      .map(([what, number]) => `${number} results ${what} (${results} found, ${this.clicks.length} expected)`);
  }

  private isRight({ user, kind, page }: Pick<Click, 'user' | 'kind' | 'page'>, key: string, found: Enriched): boolean {
    const { name, country, tier } = profileOf(Number(user.slice('user-'.length)));
    return (
      key === user &&
      found.user === user &&
      found.kind === kind &&
      found.page === page &&
      found.name === name &&
      found.country === country &&
      found.tier === tier
    );
  }
}
