import { WINDOW_GRACE_MS, type ChaosTopics, WINDOW_MS } from '../topics';
import { Gaps } from './gaps';
import { type LoggedRecord, textOf } from './logged-record';
import { addOne, type Expected, expectedOf, missingFrom, windowKey } from './model';
import { compareSequences, compareTimes, exemplify, type Findings, noFindings } from './sequences';

export interface Verdict {
  /** In the inputs' logs. */
  readonly records: number;
  readonly expected: number;
  readonly results: number;
  readonly lost: number;
  readonly doubled: number;
  readonly disordered: number;
  /** Rows of the stores, as their changelogs have them, that are not what the inputs come to. */
  readonly wrongRows: number;
  /** Records that the brokers acknowledged to the writer and do not have. */
  readonly inputLost: number;
  readonly longestGapMs: number;
  readonly longestPartitionGapMs: number;
  readonly examples: readonly string[];
}

/** Takes the logs, inputs first, each in the order of its partitions, and says what of them is right. */
export class Counting {
  readonly #inputs = { events: [] as LoggedRecord[], left: [] as LoggedRecord[], right: [] as LoggedRecord[] };
  readonly #windows = new Map<string, number[]>();
  readonly #letters = new Map<string, number[]>();
  readonly #pairs = new Map<string, number>();
  readonly #windowRows = new Map<string, number | undefined>();
  readonly #letterRows = new Map<string, number | undefined>();
  readonly #gaps = new Gaps();
  #results = 0;

  constructor(private readonly topics: ChaosTopics) {}

  add(record: LoggedRecord): void {
    const { topics } = this;
    switch (record.topic) {
      case topics.events:
        this.#inputs.events.push(record);
        return;
      case topics.left:
        this.#inputs.left.push(record);
        return;
      case topics.right:
        this.#inputs.right.push(record);
        return;
      case topics.windowChangelog:
        // key ‖ i64 start ‖ i32 0
        this.#windowRows.set(windowed(record.key!, 12), int64Of(record.value));
        return;
      case topics.letterChangelog:
        this.#letterRows.set(textOf(record.key), int64Of(record.value));
        return;
      default:
        this.#result(record);
    }
  }

  /** @param written how many records of each input the writer has had acknowledged */
  verdict(written: Readonly<Record<string, number>>): Verdict {
    const { events, left, right } = this.#inputs;
    const expected = expectedOf(this.#inputs);
    const findings = noFindings();
    compareSequences('window', expected.windows, this.#windows, findings);
    compareSequences('letter', expected.letters, this.#letters, findings);
    compareTimes('pair', expected.pairs, this.#pairs, findings);
    const wrongRows = this.#wrongRows(expected, findings);
    const { topics } = this;
    const inputLost =
      missingFrom(events, written[topics.events] ?? 0) +
      missingFrom(left, written[topics.left] ?? 0) +
      missingFrom(right, written[topics.right] ?? 0);
    return {
      records: events.length + left.length + right.length,
      expected: 2 * events.length + total(expected.pairs),
      results: this.#results,
      ...{ lost: findings.lost, doubled: findings.doubled, disordered: findings.disordered, wrongRows, inputLost },
      longestGapMs: this.#gaps.longest,
      longestPartitionGapMs: this.#gaps.longestOfOne,
      examples: findings.examples,
    };
  }

  #result({ topic, partition, timestamp, key, value }: LoggedRecord): void {
    this.#results++;
    switch (topic) {
      case this.topics.windowCounts:
        this.#gaps.add(partition, timestamp);
        append(this.#windows, windowed(key!, 8), int64Of(value));
        return;
      case this.topics.letterCounts:
        append(this.#letters, textOf(key), int64Of(value));
        return;
      case this.topics.pairs:
        addOne(this.#pairs, textOf(value));
        return;
      default:
        throw new Error(`nobody asked for topic ${topic}`);
    }
  }

  #wrongRows(expected: Expected, findings: Findings): number {
    let wrong = 0;
    const check = (what: string, key: string, row: number | undefined, wanted: number | undefined, mayBeGone: boolean): void => {
      if (row === wanted || (row === undefined && mayBeGone)) return;
      wrong++;
      exemplify(findings, `row of ${what} ${key}: ${row}, not ${wanted}`);
    };
    for (const key of new Set([...expected.letters.keys(), ...this.#letterRows.keys()])) {
      check('letter', key, this.#letterRows.get(key), expected.letters.get(key), false);
    }
    for (const key of new Set([...expected.windows.keys(), ...this.#windowRows.keys()])) {
      // Windows that are over leave the store; half of the grace, for how far partitions are apart.
      const start = Number(key.slice(key.lastIndexOf(' ') + 1));
      const mayBeGone = start + WINDOW_MS + WINDOW_GRACE_MS / 2 < expected.lastEventTime;
      check('window', key, this.#windowRows.get(key), expected.windows.get(key), mayBeGone);
    }
    return wrong;
  }
}

function windowed(bytes: Buffer, tail: number): string {
  const end = bytes.length - tail;
  return windowKey(bytes.toString('utf8', 0, end), Number(bytes.readBigInt64BE(end)));
}

function int64Of(bytes: Buffer): number;
function int64Of(bytes: Buffer | null): number | undefined;
function int64Of(bytes: Buffer | null): number | undefined {
  return bytes === null ? undefined : Number(bytes.readBigInt64BE(0));
}

function append(sequences: Map<string, number[]>, key: string, count: number | undefined): void {
  const counts = sequences.get(key);
  // A count is never null; if one is, it belongs to no sequence.
  if (counts === undefined) sequences.set(key, [count ?? NaN]);
  else counts.push(count ?? NaN);
}

function total(counts: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
