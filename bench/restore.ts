import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Kafka, logLevel } from 'kafkajs';
import { kafkaCluster, string, topic } from '../src';
import { removeTopics, withBroker } from './contest/ground';
import type { Life, Restored } from './restore/instance';
import { type KindName, kinds } from './restore/kinds';
import { rows } from './restore/rows';

const ROOT = resolve(__dirname, '..');
const GOAL = 300_000;
/** Rows that come while an instance is away. */
const DIFFERENCE = 10_000;
/** Rows written to the input at once. */
const CHUNK = 200_000;

interface Command {
  readonly records: number;
  readonly keys: number;
  readonly rounds: number;
  readonly kinds: readonly KindName[];
  readonly nodeOptions: readonly string[];
}

/** Median, least and greatest of the rounds. */
interface Figures {
  readonly kind: KindName;
  readonly fromNothing: readonly Restored[];
  readonly median: Restored;
  readonly difference: Restored;
}

/**
 * How fast a store is restored from its changelog into LevelDB, and what a restart reads of it; a real broker, every row is checked.
 * `--records=3000000 --keys=1000000 --rounds=3 --stores=key-value,window --cpu-prof-dir=DIR`
 */
export async function run(args: readonly string[]): Promise<object> {
  const command = commandOf(args);
  await output(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', join(__dirname, 'restore', 'tsconfig.compile.json')]);
  return withBroker(false, async (brokers) => {
    const stores: Figures[] = [];
    for (const kind of command.kinds) stores.push(await measured(command, brokers, kind));
    const { records, keys, rounds } = command;
    return { records, keys, rounds, goal: GOAL, stores, cpu: cpus()[0]?.model, cores: cpus().length };
  });
}

function commandOf(args: readonly string[]): Command {
  const text = { type: 'string' } as const;
  const options = { records: text, keys: text, rounds: text, stores: text, 'cpu-prof-dir': text };
  const { values } = parseArgs({ args: [...args], options });
  const named = values.stores?.split(',') ?? Object.keys(kinds);
  const unknown = named.find((name) => !Object.hasOwn(kinds, name));
  if (unknown !== undefined) throw new Error(`--stores: there is no ${unknown}; there are ${Object.keys(kinds).join(', ')}`);
  const profile = values['cpu-prof-dir'];
  return {
    records: Number(values.records ?? '3000000'),
    keys: Number(values.keys ?? '1000000'),
    rounds: Number(values.rounds ?? '3'),
    kinds: named as KindName[],
    nodeOptions: profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`],
  };
}

async function measured(command: Command, brokers: readonly string[], kind: KindName): Promise<Figures> {
  const { records, keys, rounds } = command;
  const applicationId = `restore-${kind}-${Date.now()}`;
  const input = `${applicationId}-input`;
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const life = { kind, brokers, applicationId, input, keys, until: 'changelog' as const };
  try {
    console.log(`${kinds[kind].title}: writing ${records} rows of ${keys} keys, and running the application over them`);
    await write(brokers, input, 0, records, keys);
    const original = { ...life, until: 'input' as const, stateDirectory: join(directory, 'original') };
    await live(command, { ...original, rows: records });
    const fromNothing: Restored[] = [];
    const restoredIn = (round: number): string => join(directory, `round-${round}`);
    for (let round = 1; round <= rounds; round++) {
      const restored = await live(command, { ...life, rows: records, stateDirectory: restoredIn(round) }, command.nodeOptions);
      console.log(`${kinds[kind].title}, from nothing, round ${round}: ${describe(restored)}`);
      fromNothing.push(restored);
      if (round < rounds) await rm(restoredIn(round), { recursive: true, force: true });
    }
    await write(brokers, input, records, records + DIFFERENCE, keys);
    await live(command, { ...original, rows: records + DIFFERENCE });
    const difference = await live(command, { ...life, rows: records + DIFFERENCE, stateDirectory: restoredIn(rounds) });
    console.log(`${kinds[kind].title}, a difference of ${DIFFERENCE} rows: ${describe(difference)}`);
    if (difference.records > DIFFERENCE) throw new Error(`${difference.records} records were read, and ${DIFFERENCE} had come`);
    return { kind, fromNothing, median: median(fromNothing), difference };
  } finally {
    await rm(directory, { recursive: true, force: true });
    await removeTopics(new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }), (name) => name.startsWith(applicationId));
  }
}

async function write(brokers: readonly string[], name: string, from: number, until: number, keys: number): Promise<void> {
  const cluster = kafkaCluster({ brokers });
  try {
    await cluster.createTopics([{ name, partitions: 1, configs: { 'retention.ms': '-1' } }]);
    const input = topic(name, { key: string, value: string });
    for (let at = from; at < until; at += CHUNK) await cluster.write(input, rows({ from: at, until: Math.min(until, at + CHUNK), keys }));
  } finally {
    await cluster.close();
  }
}

function median(restored: readonly Restored[]): Restored {
  return [...restored].sort((a, b) => a.recordsPerSecond - b.recordsPerSecond)[restored.length >> 1]!;
}

function describe({ records, ms, recordsPerSecond, cpuMicros, mainThreadMicros, startedAfterMs, peakMiB, rows: held }: Restored): string {
  return (
    `${records} records in ${ms} ms, ${Math.round(recordsPerSecond / 1_000)} thousand/s, CPU ${cpuMicros.toFixed(2)} µs a record, ` +
    `${mainThreadMicros.toFixed(2)} of it on the main thread, task started after ${startedAfterMs} ms, peak ${peakMiB} MiB, ${held} rows right`
  );
}

/** One start of the application, compiled to JavaScript as a user's build does it. */
async function live({ records }: Command, life: Life, nodeOptions: readonly string[] = []): Promise<Restored> {
  const program = join(ROOT, 'bench', 'target', 'bench', 'restore', 'instance.js');
  const said = await output(process.execPath, [...nodeOptions, program, JSON.stringify(life)]);
  const restored = JSON.parse(said) as Restored;
  if (restored.records > records + DIFFERENCE) throw new Error(`${restored.records} records were restored of ${records} rows`);
  return restored;
}

/** What a program has printed. */
function output(program: string, args: readonly string[]): Promise<string> {
  return new Promise((done, failed) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    child.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    child.on('error', failed);
    child.on('exit', (code) => {
      if (code === 0) done(said);
      else failed(new Error(`${program} ${args.join(' ')} ended with ${String(code)}\n${said}`));
    });
  });
}
