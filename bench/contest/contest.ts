import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { type Command, commandOf } from './command';
import { inThreads, kafkaStreams, millrace, start, type Contestant, type Programs } from './contestants';
import { describe, ratios, summarise } from './figures';
import { createOutput, removeTopics, withBroker } from './ground';
import { measure, type Measured } from './meter';
import { onContestantCore, pinned, requireTwoCores } from './pinning';

/** What was written for the contestants to read, and how what they make of it is checked. */
export interface Filled {
  /** The topic whose committed end is waited for. */
  readonly input: string;
  /** Others that they read. */
  readonly others: readonly string[];
  /** What is wrong with an output topic, in words; empty when it is right. */
  readonly differences: (kafka: Kafka, output: string) => Promise<string[]>;
}

/** One job, on a real broker, by ours and by Kafka Streams in turn. */
export interface Contest extends Programs {
  /** Begins the names of its topics and groups. */
  readonly name: string;
  readonly partitions: number;
  /** Ours reads MILLRACE_BENCH_THREADS. */
  readonly takesThreads?: boolean;
  /** Writes the topics, named with `prefix`. */
  readonly fill: (brokers: readonly string[], prefix: string, records: number) => Promise<Filled>;
}

/** What all runs of one contest share. */
interface Ground {
  readonly contest: Contest;
  readonly brokers: readonly string[];
  readonly brokerPid: number | undefined;
  readonly kafka: Kafka;
  readonly pin: boolean;
  readonly filled: Filled;
}

export async function runContest(contest: Contest, args: readonly string[]): Promise<object> {
  const command = commandOf(args);
  if (command.pin) requireTwoCores();
  const ours = await millrace(contest, command.nodeOptions);
  const contestants = [
    ours,
    ...(command.threads === undefined ? [] : [inThreads(ours, threadsOf(contest, command.threads))]),
    ...(command.against ? [await kafkaStreams(contest)] : []),
  ];
  return withBroker(command.pin, async (brokers, brokerPid) => {
    const kafka = new Kafka({ clientId: `${contest.name}-meter`, brokers: [...brokers], logLevel: logLevel.NOTHING });
    const prefix = `${contest.name}-${Date.now()}`;
    try {
      console.log(`writing ${command.records} records, working out what must come of them`);
      const filled = await contest.fill(brokers, prefix, command.records);
      const rounds = await measureRounds({ contest, brokers, brokerPid, kafka, pin: command.pin, filled }, contestants, command.rounds);
      return figures(command, rounds);
    } finally {
      await removeTopics(kafka, (topic) => topic.startsWith(prefix));
    }
  });
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
  const { contest, kafka, brokers, filled } = ground;
  const applicationId = `${contest.name}-${contestant.name}-${Date.now()}`;
  const output = `${applicationId}-output`;
  const stateDirectory = await mkdtemp(join(tmpdir(), `${applicationId}-`));
  try {
    await createOutput(brokers, output, contest.partitions);
    const { input, others } = filled;
    const result = await timed(ground, contestant, { brokers, applicationId, input, output, stateDirectory, others });
    const differences = await filled.differences(kafka, output);
    if (differences.length > 0) throw new Error(`${contestant.name} gave wrong results: ${differences.join('; ')}`);
    return result;
  } finally {
    await rm(stateDirectory, { recursive: true, force: true });
    await removeTopics(kafka, (topic) => topic.startsWith(applicationId));
  }
}

async function timed(ground: Ground, contestant: Contestant, job: Parameters<typeof start>[1]): Promise<Measured> {
  const { kafka, brokerPid, pin } = ground;
  const admin = kafka.admin();
  await admin.connect();
  const body = async (): Promise<Measured> => {
    const running = start(contestant, job, pin ? onContestantCore : []);
    try {
      return await measure({ admin, group: job.applicationId, input: job.input, contestant: running, brokerPid });
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

function threadsOf({ name, takesThreads }: Contest, threads: number): number {
  if (takesThreads === true) return threads;
  throw new Error(`${name} takes no --threads`);
}

function figures({ pin, records, rounds, threads, against }: Command, measured: readonly Measured[][]): object {
  const setting = { pinned: pin, records, rounds, cpu: cpus()[0]?.model, cores: cpus().length };
  const [ours, ...others] = measured;
  const threaded = threads === undefined ? undefined : others.shift();
  const theirs = against ? others.shift() : undefined;
  return {
    ...setting,
    millrace: summarise(ours!),
    ...(threaded === undefined ? {} : { threads, millraceInThreads: summarise(threaded), threadsAgainstOne: ratios(threaded, ours!) }),
    ...(theirs === undefined ? {} : { kafkaStreams: summarise(theirs), ratio: ratios(ours!, theirs) }),
  };
}
