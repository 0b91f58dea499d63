/** A member that goes with a transaction open, on a real broker: the group ends it, and it can come back. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { kafkaBroker } from '../../src/kafkajs/kafka-broker';
import { kafkaCluster } from '../../src/millrace';
import { silentLogger } from '../../src/model/logger';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import { delay } from '../../src/time/clock';
import { systemClock } from '../../src/time/system-clock';
import { kafkaBrokers } from './brokers';
import { killJob } from './kill/job';
import { readCommittedByJvm, type CommittedRecord } from './kill/jvm-reader';
import type { Life } from './kill/worker';

jest.setTimeout(180_000);

const SESSION_MS = 6_000;
/** What a busy machine may add to session and heartbeat; the transaction's own timeout is 45 s. */
const PATIENCE_MS = 4_000;
const PARTITIONS = 4;
const AT = 'between offsets and EndTxn';
const clock = systemClock;
const folder = mkdtempSync(path.join(tmpdir(), 'millrace-departed-'));
const children = new Set<ChildProcess>();

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

interface Living {
  readonly child: ChildProcess;
  readonly commits: () => number;
  readonly step: () => string;
}

function live(name: string, life: Pick<Life, 'application' | 'brokers'> & Partial<Life>): Living {
  const stepFile = path.join(folder, `step-${name}`);
  writeFileSync(stepFile, '');
  const whole: Life = { ...life, stateDirectory: path.join(folder, `${life.application}-${name}`), sessionTimeout: SESSION_MS, stepFile };
  const worker = path.join(__dirname, 'kill', 'worker.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', worker, JSON.stringify(whole)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  children.add(child);
  let commits = 0;
  child.on('message', (message) => {
    if (message === 'committed') commits++;
  });
  return { child, commits: () => commits, step: () => readFileSync(stepFile, 'utf8').trim() };
}

async function until(what: string, condition: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<void> {
  const end = clock.monotonic() + withinMs;
  while (!(await condition())) {
    if (clock.monotonic() > end) throw new Error(`not within ${String(withinMs)} ms: ${what}`);
    await delay(clock, 10);
  }
}

describe('a member that goes with a transaction open', () => {
  const brokers = kafkaBrokers();
  const port = kafkaBroker({ brokers, clock, logger: silentLogger }).connect('departed');
  const cluster = kafkaCluster({ brokers });
  afterAll(async () => {
    await cluster.close();
    await port.close();
  });

  /** Two instances at work; the first one goes by `signal` before the EndTxn of one of its transactions. */
  async function two(signal: 'SIGKILL' | 'SIGSTOP'): Promise<{
    gone: Living;
    other: Living;
    write: () => Promise<void>;
    expectExact: () => Promise<void>;
    isOpen: () => Promise<boolean>;
  }> {
    const application = `departed-${signal.toLowerCase()}-${String(process.pid)}-${String(clock.now())}`;
    const job = killJob(application);
    await cluster.createTopics([job.input, job.output].map(({ name }) => ({ name, partitions: PARTITIONS, configs: {} })));
    const words = Array.from({ length: 16 }, (_, at) => `word-${String(at)}`);
    let rounds = 0;
    const write = async (): Promise<void> => {
      rounds++;
      const records = words.map((word, at) => KafkaRecord.of<string, string>(`key-${String(at)}`, word, clock.now(), noOrigin));
      await cluster.write(job.input, records);
    };
    const life = { application, brokers };
    const other = live('other', life);
    await write();
    await until('the first is at work', () => other.commits() > 0);
    const gone = live('gone', { ...life, step: AT, nth: 6, onlyWithRecords: true, signal });
    while (gone.step() !== AT || (signal === 'SIGKILL' && gone.child.signalCode === null)) {
      await write();
      await delay(clock, 50);
      if (gone.child.exitCode !== null) throw new Error('it ended by itself');
    }
    // It may have written to any of them, of which each has as many partitions as there are tasks.
    const written = job.topics.filter((name) => name !== job.input.name);
    const partitions = written.flatMap((name) =>
      Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: name, partition, timestamp: -1 })),
    );
    const { topics } = await port.metadata([job.output.name]);
    const ends = async (readCommitted: boolean): Promise<number> => {
      const answer = await port.listOffsets(topics[0]!.partitions[0]!.leader, { readCommitted, partitions });
      return answer.partitions.reduce((sum, { offset }) => sum + offset, 0);
    };
    const expectExact = async (): Promise<void> => {
      // Offsets count markers too, and are silent for a session: only the records say when all is counted.
      let records: CommittedRecord[] = [];
      await until('all is counted', async () => {
        records = await readCommittedByJvm(brokers[0]!, job.output.name);
        return records.length >= words.length * rounds;
      });
      const found: Record<string, number[]> = {};
      for (const { key, value } of records) (found[key] ??= []).push(Number(value));
      const expected = Array.from({ length: rounds }, (_, at) => at + 1);
      expect(found).toEqual(Object.fromEntries(words.map((word) => [word, expected])));
      await cluster.deleteTopics(job.topics);
    };
    return { gone, other, write, expectExact, isOpen: async () => (await ends(true)) < (await ends(false)) };
  }

  it('C2: by kill -9: readers of its output go on a session later, not after the transaction timeout', async () => {
    const { other, write, expectExact, isOpen } = await two('SIGKILL');
    expect(await isOpen()).toBe(true);
    const died = clock.monotonic();
    await until('the transaction is ended', async () => !(await isOpen()), 60_000);
    const settled = clock.monotonic() - died;
    console.log(
      `kill -9 with a transaction open: last stable offset moved ${settled.toFixed(0)} ms later (session ${String(SESSION_MS)} ms)`,
    );
    expect(settled).toBeLessThan(SESSION_MS + PATIENCE_MS);
    await write();
    await expectExact();
    other.child.kill('SIGKILL');
  });

  it('by SIGSTOP beyond its session: it wakes to an ended transaction, comes back and works on', async () => {
    const { gone, other, write, expectExact, isOpen } = await two('SIGSTOP');
    await until('the transaction is ended', async () => !(await isOpen()), 60_000);
    await write();
    const before = gone.commits();
    gone.child.kill('SIGCONT');
    await until('it works again', async () => {
      if (gone.child.exitCode !== null) throw new Error(`it ended with ${String(gone.child.exitCode)}`);
      await write();
      await delay(clock, 100);
      return gone.commits() > before + 3;
    });
    await expectExact();
    for (const { child } of [gone, other]) child.kill('SIGKILL');
  });
});
