import { javaPartition } from '../../examples/java-partition';
import { clicks, GRACE_MS, MINUTE_MS, MINUTES, PARTITIONS, userName, USERS, type ClicksOptions } from './clicks';

/** One result as it was found in an output topic. */
export interface FoundCount {
  readonly user: string;
  /** Start of the minute, ms since the epoch. */
  readonly start: number;
  readonly count: number;
}

/**
 * The right answer by a plain loop over the same clicks. Minutes that have not closed when the input ends are not expected, and may not be
 * found. Shares nothing with the contestants.
 */
export class ExpectedCounts {
  readonly closedMinutes: number;
  private readonly begin: number;
  private readonly counts = new Uint32Array(USERS * MINUTES);
  private readonly userNumbers = new Map<string, number>();
  private readonly partitions = new Uint8Array(USERS);
  private readonly lastTimes = new Float64Array(PARTITIONS);

  constructor(options: ClicksOptions) {
    this.begin = options.begin;
    for (let user = 0; user < USERS; user++) {
      const name = userName(user);
      this.userNumbers.set(name, user);
      this.partitions[user] = javaPartition(name, PARTITIONS);
    }
    for (const { user, at } of clicks(options)) {
      const place = this.placeOf(user, at - (at % MINUTE_MS));
      if (place === undefined) throw new Error(`the generator gave a click of nobody, or at no time: ${user}, ${at}`);
      this.counts[place]!++;
      const partition = this.partitions[Math.floor(place / MINUTES)]!;
      this.lastTimes[partition] = Math.max(this.lastTimes[partition]!, at);
    }
    this.closedMinutes = this.closed().reduce((sum, count) => sum + (count > 0 ? 1 : 0), 0);
  }

  /** What is wrong with what was found, in words; empty when it is right to the last count. */
  differences(found: Iterable<FoundCount>): string[] {
    const expected = this.closed();
    let [unknown, twice, wrong, results] = [0, 0, 0, 0];
    const seen = new Uint8Array(expected.length);
    for (const { user, start, count } of found) {
      results++;
      const place = this.placeOf(user, start);
      if (place === undefined || expected[place] === 0) unknown++;
      else if (seen[place] === 1) twice++;
      else if (expected[place] !== count) wrong++;
      if (place !== undefined) seen[place] = 1;
    }
    const missing = expected.reduce((sum, count, place) => sum + (count > 0 && seen[place] === 0 ? 1 : 0), 0);
    const said = { 'of nobody, no minute or a minute still open': unknown, 'found twice': twice, 'with a wrong count': wrong, missing };
    return Object.entries(said)
      .filter(([, number]) => number > 0)
      .map(([what, number]) => `${number} results ${what} (${results} found, ${this.closedMinutes} expected)`);
  }

  /** The count of each user's minutes that have closed; 0 for the others. */
  private closed(): Uint32Array {
    return this.counts.map((count, place) => {
      const end = this.begin + ((place % MINUTES) + 1) * MINUTE_MS;
      const streamTime = this.lastTimes[this.partitions[Math.floor(place / MINUTES)]!]!;
      return end + GRACE_MS <= streamTime ? count : 0;
    });
  }

  private placeOf(user: string, start: number): number | undefined {
    const number = this.userNumbers.get(user);
    const minute = (start - this.begin) / MINUTE_MS;
    return number === undefined || !Number.isInteger(minute) || minute < 0 || minute >= MINUTES ? undefined : number * MINUTES + minute;
  }
}
