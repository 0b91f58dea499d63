/** What the job, its writer and the program that counts agree about. Nothing of ours is imported here: the count stands on it. */

/** Of every topic. */
export const PARTITIONS = 6;
/** Tumbling windows by word. */
export const WINDOW_MS = 10_000;
/** A left record meets right ones that are at most so far away, before or after. */
export const JOIN_MS = 2_000;
/**
 * Wider than one task can be behind another, whose owners may have died one after the other all the time: what is written behind a
 * repartition by the one that is behind would be late.
 */
export const WINDOW_GRACE_MS = 2_400_000;
/**
 * Both sides of the join are read by one task, so that this is wider than one input can be behind the other: a broker is away for 40 s at
 * most, and some time goes by until its partitions have another leader. Short enough for records to come out alone in the middle of a run.
 */
export const JOIN_GRACE_MS = 300_000;
/** The last records of an input are so far ahead that every left record without a partner is let out. Kafka takes up to an hour. */
export const END_AHEAD_MS = JOIN_MS + JOIN_GRACE_MS + 600_000;

export const END_VALUE = 'end';
const LETTERS = 'abcdefghijkl';

export const wordOf = (value: string): string => value.split(' ')[0] ?? '';
export const letterOf = (value: string): string => value.slice(0, 1);
export const wordAt = (index: number): string => `${LETTERS[index % LETTERS.length] ?? ''}${index}`;

/** How a result of the join is written. */
export const pairOf = (left: string, right: string | undefined): string => `${left} & ${right ?? 'nobody'}`;

export const storeNames = { perWindow: 'per-window', perLetter: 'per-letter', meetings: 'meetings' } as const;
export const repartitionNames = { byWord: 'by-word', byLetter: 'by-letter' } as const;

export interface ChaosTopics {
  /** Key: any; value: `word number`. */
  readonly events: string;
  /** Both sides of the join. Key: one of the partition it lies on; value: a number of its own. */
  readonly left: string;
  readonly right: string;
  /** Counts of words by window, of events by letter, and the pairs of the join. */
  readonly windowCounts: string;
  readonly letterCounts: string;
  readonly pairs: string;
  readonly repartitions: readonly string[];
  readonly windowChangelog: string;
  readonly letterChangelog: string;
}

export function topicsOf(application: string): ChaosTopics {
  return {
    events: `${application}-events`,
    left: `${application}-left`,
    right: `${application}-right`,
    windowCounts: `${application}-window-counts`,
    letterCounts: `${application}-letter-counts`,
    pairs: `${application}-pairs`,
    repartitions: Object.values(repartitionNames).map((name) => `${application}-${name}-repartition`),
    windowChangelog: `${application}-${storeNames.perWindow}-changelog`,
    letterChangelog: `${application}-${storeNames.perLetter}-changelog`,
  };
}
