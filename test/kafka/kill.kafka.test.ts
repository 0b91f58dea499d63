import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { kafkaCluster } from '../../src/millrace';
import type { Cluster } from '../../src/model/cluster';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import { kafkaBrokers } from './brokers';
import { killJob, type KillJob } from './kill/job';
import { readCommittedByJvm } from './kill/jvm-reader';
import type { Life } from './kill/worker';

/** Steps at which a life ends by its own hand, each as often as `TARGETED`; the other lives are ended at a random moment. */
const STEPS = [
  'pushing',
  'adding partitions',
  'producing',
  'between offsets and EndTxn',
  'ending',
  'between EndTxn and LevelDB',
  'writing LevelDB',
] as const;
const TARGETED = 3;
const RANDOM = 20;
const PARTITIONS = 3;
const WORDS = 40;
const RECORDS_A_ROUND = 100;
const SEED = Number(process.env['MILLRACE_SEED'] ?? 1);

/** Mulberry32: the same seed, the same kills. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-kill-'));
const children = new Set<ChildProcess>();

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface LivingWorker {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  /** Settles at the nth committed transaction. */
  committed(times: number): Promise<void>;
  readonly dropped: () => number;
  step(): string;
}

function live(life: Omit<Life, 'stepFile'>, name = 'a'): LivingWorker {
  const stepFile = path.join(folder, `step-${name}`);
  writeFileSync(stepFile, '');
  const worker = path.join(__dirname, 'kill', 'worker.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', worker, JSON.stringify({ ...life, stepFile })], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.add(child);
  let commits = 0;
  let dropped = 0;
  let told = (): void => undefined;
  child.on('message', (message) => {
    if (message === 'committed') commits++;
    if (message === 'dropped') dropped++;
    told();
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => {
      children.delete(child);
      resolve({ code, signal });
      told();
    });
  });
  return {
    child,
    ended,
    committed: (times) =>
      new Promise((resolve) => {
        told = () => {
          if (commits >= times || child.exitCode !== null || child.signalCode !== null) resolve();
        };
        told();
      }),
    dropped: () => dropped,
    step: () => readFileSync(stepFile, 'utf8').trim(),
  };
}

interface Prepared {
  readonly job: KillJob;
  readonly broker: string;
  readonly cluster: Cluster;
  /** How often each word was written. */
  readonly expected: Map<string, number>;
  write(count: number, random: () => number): Promise<void>;
  clean(): Promise<void>;
}

async function prepare(application: string): Promise<Prepared> {
  const [broker = ''] = kafkaBrokers();
  const job = killJob(application);
  const cluster = kafkaCluster({ brokers: [broker] });
  const expected = new Map<string, number>();
  await cluster.createTopics(
    [job.input, job.output].map(({ name }) => ({ name, partitions: PARTITIONS, configs: { 'retention.ms': '-1' } })),
  );
  let time = 0;
  return {
    job,
    broker,
    cluster,
    expected,
    write: async (count, random) => {
      const records = Array.from({ length: count }, () => {
        const word = `word-${String(Math.floor(random() ** 2 * WORDS))}`;
        expected.set(word, (expected.get(word) ?? 0) + 1);
        return KafkaRecord.of<string, string>(`k${String(Math.floor(random() * 1_000))}`, word, time++, noOrigin);
      });
      await cluster.write(job.input, records);
    },
    clean: async () => {
      await cluster.deleteTopics(job.topics);
      await cluster.close();
    },
  };
}

/** Goes on writing until the worker has ended. */
async function writeUntilDead({ write }: Prepared, worker: LivingWorker, random: () => number): Promise<void> {
  while (worker.child.exitCode === null && worker.child.signalCode === null) await write(RECORDS_A_ROUND, random);
}

/** What an independent reader finds: every word's counts must be 1, 2, 3 … up to its number, in that order, each once. */
async function verify({ job, broker, expected }: Prepared): Promise<void> {
  const found = new Map<string, number[]>();
  for (const { key, value } of await readCommittedByJvm(broker, job.output.name)) {
    const counts = found.get(key) ?? [];
    counts.push(Number(value));
    found.set(key, counts);
  }
  const wrong = [...expected].filter(([word, count]) => {
    const counts = found.get(word) ?? [];
    return counts.length !== count || counts.some((value, at) => value !== at + 1);
  });
  expect(wrong.map(([word, count]) => ({ word, count, found: found.get(word)?.length ?? 0, last: found.get(word)?.at(-1) }))).toEqual([]);
  expect([...found.keys()].sort()).toEqual([...expected.keys()].sort());
}

describe('kill -9', () => {
  it('C1: at every step of the commit protocol, again and again: nothing is lost and nothing comes twice', async () => {
    const random = chance(SEED);
    const application = `kill-${String(process.pid)}-${String(Date.now())}`;
    const prepared = await prepare(application);
    const common = { application, brokers: [prepared.broker], stateDirectory: path.join(folder, 'state'), instanceId: 'a' };
    const plan = [
      ...STEPS.flatMap((step) => Array.from({ length: TARGETED }, () => step as string)),
      ...Array.from({ length: RANDOM }, () => 'at random'),
    ].sort(() => random() - 0.5);
    const hits = new Map<string, number>();
    let dropped = 0;
    for (const [number, target] of plan.entries()) {
      const dropEndTxn = number % 4 === 1 ? [2] : [];
      const nth = target === 'writing LevelDB' ? 1 : 2 + Math.floor(random() * 4);
      const end = target === 'at random' ? {} : { step: target, nth, signal: 'SIGKILL' as const };
      const worker = live({ ...common, ...end, dropEndTxn });
      const writing = writeUntilDead(prepared, worker, random);
      if (target === 'at random') {
        await worker.committed(nth);
        const until = performance.now() + random() * 40;
        while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
        worker.child.kill('SIGKILL');
      }
      const { signal } = await worker.ended;
      await writing;
      expect(signal).toBe('SIGKILL');
      const step = worker.step();
      hits.set(step, (hits.get(step) ?? 0) + 1);
      dropped += worker.dropped();
    }
    const last = live({ ...common, untilCaughtUp: true });
    expect(await last.ended).toEqual({ code: 0, signal: null });
    console.log(
      `kills by protocol step (seed ${String(SEED)}): ${JSON.stringify(Object.fromEntries(hits))}, EndTxn's answer dropped: ${String(dropped)}`,
    );
    await verify(prepared);
    for (const step of STEPS) expect({ step, enough: (hits.get(step) ?? 0) >= 3 }).toEqual({ step, enough: true });
    expect(dropped).toBeGreaterThanOrEqual(3);
    await prepared.clean();
  }, 600_000);

  it('a zombie that wakes after its tasks went to another commits nothing', async () => {
    const random = chance(SEED + 1);
    const application = `zombie-${String(process.pid)}-${String(Date.now())}`;
    const prepared = await prepare(application);
    await prepared.write(1_000, random);
    const common = { application, brokers: [prepared.broker], stateDirectory: path.join(folder, 'zombie-state') };
    // It stops itself with a transaction sealed and its offsets not sent yet; its successor does the same work meanwhile.
    const zombie = live({ ...common, step: 'adding offsets', nth: 1, signal: 'SIGSTOP' }, 'zombie');
    const stopped = async (): Promise<void> => {
      while (zombie.step() !== 'adding offsets') await new Promise((resolve) => setImmediate(resolve));
    };
    await stopped();
    const successor = live({ ...common, untilCaughtUp: true }, 'successor');
    expect(await successor.ended).toEqual({ code: 0, signal: null });
    zombie.child.kill('SIGCONT');
    await prepared.write(1_000, random);
    const last = live({ ...common, untilCaughtUp: true }, 'last');
    expect(await last.ended).toEqual({ code: 0, signal: null });
    zombie.child.kill('SIGTERM');
    await verify(prepared);
    await prepared.clean();
  }, 120_000);
});
