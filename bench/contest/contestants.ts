import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { findJava, findMaven } from '../../scripts/kafka/requirements';

/** What a contestant is told: its arguments, in this order. */
export interface Job {
  readonly brokers: readonly string[];
  readonly applicationId: string;
  readonly input: string;
  readonly output: string;
  readonly stateDirectory: string;
  /** Other topics that the program reads. */
  readonly others: readonly string[];
}

/** Where the programs of a contest are. */
export interface Programs {
  /** Folder under bench/ with `contestant.ts` and `tsconfig.compile.json`. */
  readonly folder: string;
  /** Main class in bench/kafka-streams. */
  readonly javaClass: string;
}

export interface Contestant {
  readonly name: string;
  /** The program, built; the arguments of a job follow. */
  readonly command: readonly string[];
  /** Variables of its environment, besides ours. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningContestant {
  readonly pid: number;
  /** Time of day of its first record, ms; rejects when the program ends before. */
  readonly first: Promise<number>;
  /** Rejects when the program ends without having been asked to. */
  readonly ended: Promise<never>;
  /** Lets it close; kills it when that takes more than 40 s. */
  stop(): Promise<void>;
}

const ROOT = resolve(__dirname, '..', '..');
const JAVA_MODULE = join(ROOT, 'bench', 'kafka-streams');
const CLOSE_WITHIN_MS = 40_000;

/** Ours, compiled to JavaScript as a user's build does it. `nodeOptions`: more options of Node, to profile with. */
export async function millrace({ folder }: Programs, nodeOptions: readonly string[]): Promise<Contestant> {
  const source = join(ROOT, 'bench', folder);
  await build(join(ROOT, 'node_modules', '.bin', 'tsc'), ['-p', join(source, 'tsconfig.compile.json')]);
  const program = join(ROOT, 'bench', 'target', 'bench', folder, 'contestant.js');
  return { name: 'millrace', command: [process.execPath, ...nodeOptions, program] };
}

export async function kafkaStreams({ javaClass }: Programs): Promise<Contestant> {
  const java = await findJava();
  await build(await findMaven(), ['-B', '-q', '-f', join(JAVA_MODULE, 'pom.xml'), 'process-classes']);
  const target = join(JAVA_MODULE, 'target');
  const classPath = `${join(target, 'classes')}:${join(target, 'lib', '*')}`;
  const log = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error';
  return { name: 'kafka-streams', command: [java, log, '-cp', classPath, `millrace.bench.${javaClass}`] };
}

/** The same program, told to work in so many threads. */
export function inThreads(contestant: Contestant, threads: number): Contestant {
  return { ...contestant, name: `${contestant.name}-${threads}`, env: { MILLRACE_BENCH_THREADS: String(threads) } };
}

/** Starts the program; it ends with its standard input, and so with this process, however that ends. */
export function start({ name, command, env }: Contestant, job: Job, before: readonly string[]): RunningContestant {
  const { brokers, applicationId, input, output, stateDirectory, others } = job;
  const line = [...before, ...command, brokers.join(','), applicationId, input, output, stateDirectory, ...others];
  const child = spawn(line[0]!, line.slice(1), { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, ...env } });
  let stopping = false;
  const exited = once(child, 'exit');
  const ended = exited.then(([code, signal]): Promise<never> => {
    if (stopping) return new Promise<never>(() => undefined);
    throw new Error(`${name} ended by itself (${String(code ?? signal)})`);
  });
  const first = new Promise<number>((found, failed) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const at = /^first (\d+)$/.exec(line)?.[1];
      if (at === undefined) console.log(`${name}: ${line}`);
      else found(Number(at));
    });
    ended.catch(failed);
  });
  const stop = async (): Promise<void> => {
    stopping = true;
    child.stdin.end();
    const kill = setTimeout(() => child.kill('SIGKILL'), CLOSE_WITHIN_MS);
    const [code, signal] = (await exited) as [number | null, string | null];
    clearTimeout(kill);
    if (code !== 0) throw new Error(`${name} did not close as it should (${String(code ?? signal)})`);
  };
  return { pid: child.pid!, first, ended, stop };
}

async function build(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} failed`);
}
