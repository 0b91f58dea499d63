/** What must come of the inputs, in plain loops over their logs. */
import { END_VALUE, JOIN_GRACE_MS, JOIN_MS, letterOf, pairOf, WINDOW_MS, wordOf } from '../topics';
import { type LoggedRecord, textOf } from './logged-record';

export interface Expected {
  /** By `word start`: how many events. */
  readonly windows: Map<string, number>;
  readonly letters: Map<string, number>;
  readonly pairs: Map<string, number>;
  /** The greatest time of the events. */
  readonly lastEventTime: number;
}

export const windowKey = (word: string, start: number): string => `${word} ${start}`;

export function addOne(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

export interface Inputs {
  readonly events: readonly LoggedRecord[];
  readonly left: readonly LoggedRecord[];
  readonly right: readonly LoggedRecord[];
}

export function expectedOf({ events, left, right }: Inputs): Expected {
  const windows = new Map<string, number>();
  const letters = new Map<string, number>();
  let lastEventTime = 0;
  for (const { value, timestamp } of events) {
    const text = textOf(value);
    addOne(windows, windowKey(wordOf(text), Math.floor(timestamp / WINDOW_MS) * WINDOW_MS));
    addOne(letters, letterOf(text));
    lastEventTime = Math.max(lastEventTime, timestamp);
  }
  return { windows, letters, pairs: pairsOf(left, right), lastEventTime };
}

function pairsOf(left: readonly LoggedRecord[], right: readonly LoggedRecord[]): Map<string, number> {
  const pairs = new Map<string, number>();
  const partners = new Map<string, LoggedRecord[]>();
  // Time on a partition is that of both sides.
  const streamTime = new Map<number, number>();
  for (const each of [...left, ...right]) streamTime.set(each.partition, Math.max(streamTime.get(each.partition) ?? 0, each.timestamp));
  for (const each of right) {
    const key = textOf(each.key);
    const others = partners.get(key);
    if (others === undefined) partners.set(key, [each]);
    else others.push(each);
  }
  for (const { key, value, timestamp, partition } of left) {
    let met = 0;
    for (const other of partners.get(textOf(key)) ?? []) {
      if (Math.abs(other.timestamp - timestamp) > JOIN_MS) continue;
      met++;
      addOne(pairs, pairOf(textOf(value), textOf(other.value)));
    }
    if (met === 0 && timestamp + JOIN_MS + JOIN_GRACE_MS < streamTime.get(partition)!) addOne(pairs, pairOf(textOf(value), undefined));
  }
  return pairs;
}

/** How many of the records that were acknowledged are nowhere in the log: their values hold the numbers from 0. */
export function missingFrom(records: readonly LoggedRecord[], written: number): number {
  const found = new Set<number>();
  for (const { value } of records) {
    const text = textOf(value);
    if (text !== END_VALUE) found.add(Number(/\d+$/.exec(text)?.[0] ?? -1));
  }
  let missing = 0;
  for (let number = 0; number < written; number++) if (!found.has(number)) missing++;
  return missing;
}
