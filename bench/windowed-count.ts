import { type Contest, runContest } from './contest/contest';
import { readResults } from './contest/read-results';
import { PARTITIONS } from './windowed-count/clicks';
import { ExpectedCounts, type FoundCount } from './windowed-count/expected-counts';
import { load } from './windowed-count/load';

const HOUR_MS = 3_600_000;

const contest: Contest = {
  name: 'windowed-count',
  folder: 'windowed-count',
  javaClass: 'WindowedCount',
  partitions: PARTITIONS,
  takesThreads: true,
  fill: async (brokers, prefix, records) => {
    const input = `${prefix}-clicks`;
    const options = { records, begin: Math.floor(Date.now() / HOUR_MS - 1) * HOUR_MS };
    await load(brokers, input, options);
    const expected = new ExpectedCounts(options);
    return {
      input,
      others: [],
      differences: async (kafka, output) => expected.differences(await readResults(kafka, output, PARTITIONS, countOf)),
    };
  },
};

/** Clicks per user and minute, exactly once, on a real broker: ours, and with `--against kafka-streams` Kafka Streams in turn. */
export function run(args: readonly string[]): Promise<object> {
  return runContest(contest, args);
}

/** As Kafka Streams writes them: the user and the start of the window as int64; the count as int64. */
function countOf(key: Buffer, value: Buffer): FoundCount {
  const at = key.length - 8;
  return { user: key.toString('utf8', 0, at), start: Number(key.readBigInt64BE(at)), count: Number(value.readBigInt64BE()) };
}
