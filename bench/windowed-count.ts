import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { startKafka } from '../scripts/kafka-server';
import { kafkaCluster } from '../src';
import { PARTITIONS, type ClicksOptions } from './windowed-count/clicks';
import { kafkaStreams, millrace, start, type Contestant } from './windowed-count/contestants';
import { ExpectedCounts } from './windowed-count/expected-counts';
import { describe, ratios, summarise } from './windowed-count/figures';
import { load } from './windowed-count/load';
import { measure, type Measured } from './windowed-count/meter';
import { onContestantCore, pinned, requireTwoCores } from './windowed-count/pinning';
import { readCounts } from './windowed-count/read-counts';

const HOUR_MS = 3_600_000;
const INPUT = 'windowed-count-clicks';

interface Command {
  readonly against: boolean;
  readonly pin: boolean;
  readonly records: number;
  readonly rounds: number;
  readonly nodeOptions: readonly string[];
}

/** What all runs of one benchmark share. */
interface Ground {
  readonly brokers: readonly string[];
  readonly brokerPid: number | undefined;
  readonly kafka: Kafka;
  readonly pin: boolean;
  readonly input: string;
  readonly expected: ExpectedCounts;
}

/** Clicks per user and minute, exactly once, on a real broker: ours, and with `--against kafka-streams` Kafka Streams in turn. */
export async function run(args: readonly string[]): Promise<object> {
  const command = commandOf(args);
  if (command.pin) requireTwoCores();
  const contestants = [await millrace(command.nodeOptions), ...(command.against ? [await kafkaStreams()] : [])];
  return withBroker(command, async (brokers, brokerPid) => {
    const kafka = new Kafka({ clientId: 'windowed-count-meter', brokers: [...brokers], logLevel: logLevel.NOTHING });
    const options = { records: command.records, begin: Math.floor(Date.now() / HOUR_MS - 1) * HOUR_MS };
    const input = `${INPUT}-${Date.now()}`;
    try {
      const expected = await fill(brokers, input, options);
      const rounds = await measureRounds({ brokers, brokerPid, kafka, pin: command.pin, input, expected }, contestants, command.rounds);
      return figures(command, rounds);
    } finally {
      await removeTopics(kafka, (topic) => topic === input);
    }
  });
}

async function fill(brokers: readonly string[], input: string, options: ClicksOptions): Promise<ExpectedCounts> {
  console.log(`writing ${options.records} records, working out what must come of them`);
  await load(brokers, input, options);
  return new ExpectedCounts(options);
}

/** In turn, so that what the machine does beside it meets both. */
async function measureRounds(ground: Ground, contestants: readonly Contestant[], rounds: number): Promise<Measured[][]> {
  const measured: Measured[][] = contestants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [at, contestant] of contestants.entries()) {
      const result = await measureRun(ground, contestant);
      measured[at]!.push(result);
      console.log(`round ${round + 1}  ${describe(contestant.name, result)}`);
    }
  }
  return measured;
}

/** One run from nothing, timed, then checked: a wrong result ends the benchmark. */
async function measureRun(ground: Ground, contestant: Contestant): Promise<Measured> {
  const { kafka, brokers, input, expected } = ground;
  const applicationId = `windowed-count-${contestant.name}-${Date.now()}`;
  const output = `${applicationId}-output`;
  const stateDirectory = await mkdtemp(join(tmpdir(), `${applicationId}-`));
  try {
    await createOutput(brokers, output);
    const result = await timed(ground, contestant, { brokers, applicationId, input, output, stateDirectory });
    const differences = expected.differences(await readCounts(kafka, output));
    if (differences.length > 0) throw new Error(`${contestant.name} gave wrong results: ${differences.join('; ')}`);
    return result;
  } finally {
    await rm(stateDirectory, { recursive: true, force: true });
    await removeTopics(kafka, (topic) => topic.startsWith(applicationId));
  }
}

async function timed(ground: Ground, contestant: Contestant, job: Parameters<typeof start>[1]): Promise<Measured> {
  const { kafka, brokerPid, pin, input } = ground;
  const admin = kafka.admin();
  await admin.connect();
  const body = async (): Promise<Measured> => {
    const running = start(contestant, job, pin ? onContestantCore : []);
    try {
      return await measure({ admin, group: job.applicationId, input, contestant: running, brokerPid });
    } finally {
      await running.stop();
    }
  };
  try {
    return await (pin && brokerPid !== undefined ? pinned(brokerPid, body) : body());
  } finally {
    await admin.disconnect();
  }
}

async function createOutput(brokers: readonly string[], name: string): Promise<void> {
  const cluster = kafkaCluster({ brokers });
  await cluster.createTopics([{ name, partitions: PARTITIONS, configs: { 'retention.ms': '-1' } }]).finally(cluster.close);
}

async function removeTopics(kafka: Kafka, isOurs: (topic: string) => boolean): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: (await admin.listTopics()).filter(isOurs) });
  await admin.disconnect();
}

async function withBroker<T>(
  { pin }: Command,
  body: (brokers: readonly string[], brokerPid: number | undefined) => Promise<T>,
): Promise<T> {
  const given = process.env['KAFKA_BROKERS'] ?? '';
  if (given !== '') {
    if (pin) throw new Error('--pin puts a broker of its own on a core: run it without KAFKA_BROKERS');
    return body(given.split(','), undefined);
  }
  const kafka = await startKafka({ log: console.log });
  try {
    return await body(kafka.brokers, kafka.pid);
  } finally {
    await kafka.stop();
  }
}

function figures({ pin, records, rounds }: Command, [ours, theirs]: readonly Measured[][]): object {
  const setting = { pinned: pin, records, rounds, cpu: cpus()[0]?.model, cores: cpus().length };
  if (theirs === undefined) return { ...setting, millrace: summarise(ours!) };
  return { ...setting, millrace: summarise(ours!), kafkaStreams: summarise(theirs), ratio: ratios(ours!, theirs) };
}

function commandOf(args: readonly string[]): Command {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: { against: text, pin: { type: 'boolean' }, records: text, rounds: text, 'cpu-prof-dir': text },
  });
  if (values.against !== undefined && values.against !== 'kafka-streams') {
    throw new Error(`--against takes kafka-streams, not ${values.against}`);
  }
  const profiles = values['cpu-prof-dir'];
  return {
    against: values.against !== undefined,
    pin: values.pin ?? false,
    records: wholeNumber('records', values.records ?? '2000000'),
    rounds: wholeNumber('rounds', values.rounds ?? '3'),
    nodeOptions: profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`],
  };
}

function wholeNumber(name: string, given: string): number {
  const value = Number(given);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new Error(`--${name} takes a whole number ≥ 1, not ${given}`);
}
