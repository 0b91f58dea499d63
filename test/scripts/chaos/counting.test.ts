import { parseLine, type LoggedRecord } from '../../../scripts/chaos/count/logged-record';
import { Counting, type Verdict } from '../../../scripts/chaos/count/verdict';
import { END_AHEAD_MS, END_VALUE, JOIN_GRACE_MS, JOIN_MS, topicsOf, WINDOW_MS } from '../../../scripts/chaos/topics';

const topics = topicsOf('app');
const T0 = 1_000 * WINDOW_MS;

function record(topic: string, key: string | Buffer, value: string | Buffer | null, timestamp = T0, partition = 0): LoggedRecord {
  return { topic, partition, timestamp, key: Buffer.from(key), value: value === null ? null : Buffer.from(value) };
}

function int64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return bytes;
}

const windowKey = (word: string, start: number): Buffer => Buffer.concat([Buffer.from(word), int64(start)]);
const rowKey = (word: string, start: number): Buffer => Buffer.concat([windowKey(word, start), Buffer.alloc(4)]);
const windowCount = (word: string, start: number, count: number): LoggedRecord =>
  record(topics.windowCounts, windowKey(word, start), int64(count));
const letterCount = (letter: string, count: number): LoggedRecord => record(topics.letterCounts, letter, int64(count));
const pair = (text: string): LoggedRecord => record(topics.pairs, 'k1', text);

const INPUTS: readonly LoggedRecord[] = [
  record(topics.events, 'e0', 'a1 0', T0),
  record(topics.events, 'e1', 'a1 1', T0 + WINDOW_MS - 1),
  record(topics.events, 'e2', 'a1 2', T0 + WINDOW_MS),
  record(topics.events, 'e3', 'b1 3', T0),
  record(topics.left, 'k1', 'L0', T0),
  record(topics.left, 'k2', 'L1', T0),
  record(topics.left, 'k1', END_VALUE, T0 + END_AHEAD_MS),
  record(topics.right, 'k1', 'R0', T0 + JOIN_MS),
  record(topics.right, 'k1', 'R1', T0 - JOIN_MS),
  record(topics.right, 'k2', 'R2', T0 + JOIN_MS + 1),
];
const WRITTEN = { [topics.events]: 4, [topics.left]: 2, [topics.right]: 3 };

const RIGHT_RESULTS: readonly LoggedRecord[] = [
  ...[windowCount('a1', T0, 1), windowCount('b1', T0, 1), windowCount('a1', T0, 2), windowCount('a1', T0 + WINDOW_MS, 1)],
  ...[letterCount('a', 1), letterCount('a', 2), letterCount('a', 3), letterCount('b', 1)],
  ...[pair('L0 & R1'), pair('L0 & R0'), pair('L1 & nobody')],
  ...[
    record(topics.letterChangelog, 'a', int64(2)),
    record(topics.letterChangelog, 'a', int64(3)),
    record(topics.letterChangelog, 'b', int64(1)),
  ],
  ...[record(topics.windowChangelog, rowKey('a1', T0), int64(2)), record(topics.windowChangelog, rowKey('b1', T0), int64(1))],
  record(topics.windowChangelog, rowKey('a1', T0 + WINDOW_MS), int64(1)),
];

function verdictOf(results: readonly LoggedRecord[], inputs = INPUTS, written: Readonly<Record<string, number>> = WRITTEN): Verdict {
  const counting = new Counting(topics);
  for (const each of [...inputs, ...results]) counting.add(each);
  return counting.verdict(written);
}

const WELL = { lost: 0, doubled: 0, disordered: 0, wrongRows: 0, inputLost: 0 };
const without = (at: number): LoggedRecord[] => RIGHT_RESULTS.filter((_, other) => other !== at);
const PAIR = RIGHT_RESULTS.findIndex(({ topic }) => topic === topics.pairs);

describe('counting of lost and doubled results', () => {
  it('finds nothing where nothing is', () => {
    expect(verdictOf(RIGHT_RESULTS)).toMatchObject({ ...WELL, records: 10, expected: 11, results: 11, examples: [] });
  });

  it('finds each result that is missing', () => {
    for (let at = 0; at < 11; at++) expect(verdictOf(without(at))).toMatchObject({ ...WELL, lost: 1 });
  });

  it('finds each result that came twice', () => {
    for (let at = 0; at < 11; at++) {
      const twice = RIGHT_RESULTS.flatMap((each, other) => (other === at ? [each, each] : [each]));
      expect(verdictOf(twice)).toMatchObject({ ...WELL, doubled: 1 });
    }
  });

  it('finds a record that was counted twice', () => {
    const { doubled, examples } = verdictOf([...RIGHT_RESULTS, letterCount('b', 2)]);
    expect(doubled).toBe(1);
    expect(examples).toEqual(['letter b: 1 expected, lost 0, doubled 1, out of order 0; ended with 2']);
  });

  it('finds results of keys that nobody wrote', () => {
    expect(verdictOf([...RIGHT_RESULTS, letterCount('z', 1), windowCount('a1', T0 - WINDOW_MS, 1)])).toMatchObject({ ...WELL, doubled: 2 });
  });

  it('finds counts that come out of their order', () => {
    const exchanged = RIGHT_RESULTS.map((each, at) => (at === 4 ? RIGHT_RESULTS[5]! : at === 5 ? RIGHT_RESULTS[4]! : each));
    expect(verdictOf(exchanged)).toMatchObject({ ...WELL, disordered: 1 });
  });

  it('finds a record that came out alone although it had met somebody', () => {
    expect(verdictOf([...without(PAIR), pair('L0 & nobody')])).toMatchObject({ ...WELL, lost: 1, doubled: 1 });
  });

  it('expects nobody alone who may still meet somebody', () => {
    const early = INPUTS.map((each) =>
      each.value?.toString() === END_VALUE ? { ...each, timestamp: T0 + JOIN_MS + JOIN_GRACE_MS } : each,
    );
    expect(verdictOf(RIGHT_RESULTS, early)).toMatchObject({ ...WELL, doubled: 1 });
  });

  it('finds rows that are not what the inputs come to', () => {
    const rows = [record(topics.letterChangelog, 'a', int64(4)), record(topics.windowChangelog, rowKey('b1', T0), null)];
    expect(verdictOf([...RIGHT_RESULTS, ...rows])).toMatchObject({ ...WELL, wrongRows: 2 });
  });

  it('takes an input that was written twice as two records', () => {
    const inputs = [...INPUTS, record(topics.events, 'e3', 'b1 3', T0)];
    expect(verdictOf(RIGHT_RESULTS, inputs)).toMatchObject({ lost: 2, doubled: 0, inputLost: 0 });
  });

  it('finds acknowledged input that the brokers do not have', () => {
    expect(verdictOf(RIGHT_RESULTS, INPUTS, { ...WRITTEN, [topics.right]: 5 }).inputLost).toBe(2);
  });

  it('gives the longest time without results, of all and of one partition', () => {
    const taken = (partition: number, timestamp: number, count: number): LoggedRecord => ({
      ...windowCount('c1', T0, count),
      partition,
      timestamp,
    });
    const counting = new Counting(topics);
    for (const each of [taken(0, 100, 1), taken(1, 150, 2), taken(0, 400, 3), taken(1, 500, 4)]) counting.add(each);
    expect(counting.verdict({})).toMatchObject({ longestGapMs: 250, longestPartitionGapMs: 350 });
  });
});

describe('a line of the reader', () => {
  it('is a record again, nulls and empty texts too', () => {
    const line = ['topic', '3', '17', Buffer.from('key\t').toString('base64'), '-'].join('\t');
    expect(parseLine(line)).toEqual({ topic: 'topic', partition: 3, timestamp: 17, key: Buffer.from('key\t'), value: null });
    expect(parseLine('topic\t3\t17\t\t')).toMatchObject({ key: Buffer.alloc(0), value: Buffer.alloc(0) });
  });

  it('that is none is refused', () => {
    expect(() => parseLine('Exception in thread "main"')).toThrow('this is no record');
  });
});
