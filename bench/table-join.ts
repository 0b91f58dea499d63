import { json, kafkaCluster, KafkaRecord, string, topic } from '../src';
import { noOrigin } from '../src/model/origin';
import { type Contest, runContest } from './contest/contest';
import { readResults } from './contest/read-results';
import { ExpectedJoins, type FoundJoin } from './table-join/expected-joins';
import { type Enriched, Profile, profiles } from './table-join/profiles';
import { PARTITIONS } from './windowed-count/clicks';
import { load } from './windowed-count/load';

const HOUR_MS = 3_600_000;

const contest: Contest = {
  name: 'table-join',
  folder: 'table-join',
  javaClass: 'TableJoin',
  partitions: PARTITIONS,
  fill: async (brokers, prefix, records) => {
    const [input, users] = [`${prefix}-clicks`, `${prefix}-users`];
    const options = { records, begin: Math.floor(Date.now() / HOUR_MS - 1) * HOUR_MS };
    await loadProfiles(brokers, users, options.begin - 1);
    await load(brokers, input, options);
    const expected = new ExpectedJoins(options);
    return {
      input,
      others: [users],
      differences: async (kafka, output) => expected.differences(await readResults(kafka, output, PARTITIONS, joinOf)),
    };
  },
};

/** Clicks joined with a table of 100,000 profiles, exactly once, on a real broker: ours, and `--against kafka-streams` in turn. */
export function run(args: readonly string[]): Promise<object> {
  return runContest(contest, args);
}

async function loadProfiles(brokers: readonly string[], name: string, timestamp: number): Promise<void> {
  const cluster = kafkaCluster({ brokers });
  try {
    await cluster.createTopics([{ name, partitions: PARTITIONS, configs: { 'cleanup.policy': 'compact' } }]);
    await cluster.write(topic(name, { key: string, value: json(Profile) }), rows(timestamp));
  } finally {
    await cluster.close();
  }
}

function* rows(timestamp: number): Iterable<KafkaRecord<string, Profile>> {
  for (const profile of profiles()) yield KafkaRecord.of<string, Profile>(profile.user, profile, timestamp, noOrigin);
}

function joinOf(key: Buffer, value: Buffer): FoundJoin {
  return { key: key.toString(), value: JSON.parse(value.toString()) as Enriched };
}
