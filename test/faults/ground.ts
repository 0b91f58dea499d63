/**
 * The ground of a test of faults: instances in processes of their own on a real cluster of three brokers, which a test may kill, stop and
 * mislead, and a count of what was lost and doubled that shares no code with what it judges.
 *
 * ```ts
 * await Ground.with('a-name', async (ground) => {
 *   const writer = ground.writer();                       // writes until it is stopped
 *   const a = ground.worker('a');                         // a process; options: test/faults/worker.ts
 *   await a.running();
 *   a.signal('SIGSTOP');                                  // whatever the test is about; ground.brokers.broker(2).kill()
 *   …                                                     // waits are `until(what, withinMs, condition)`, never pauses
 *   await writer.stop();
 *   await ground.expectExactlyOnce(writer);               // waits for every record's effect, then judges
 * });
 * ```
 * The cluster is shared, and tests run one after the other: `with` leaves it whole, every broker alive and every replica in sync, and ends
 * every worker. Each test has topics of its own, named after it. Nothing in a test may depend on one before it.
 *
 * What is printed with `told` are figures of one run on one machine, for a reader of the log.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { RunningCluster } from '../../scripts/kafka-server';
import { startGuard } from '../../scripts/chaos/guard';
import { CommittedLog } from '../../scripts/kafka/committed-log';
import { PlainClient } from '../../scripts/kafka/plain-client';
import { kafkaCluster } from '../../src/millrace';
import type { Cluster } from '../../src/model/cluster';
import { type Job, type JobName, jobOf, WINDOW_MS } from './jobs';
import { sharedCluster } from './shared-cluster';
import { SteadyWriter, type WriterOptions } from './steady-writer';
import { until } from './until';
import type { Life } from './worker';
import { longestStep, WorkerProcess } from './worker-process';

export const PARTITIONS = 4;
/** As short as a member that has nothing else to fear may have it here. */
export const SESSION_MS = 6_000;
/** ms without a change of owners after which there will be none. */
const SETTLED_MS = 3_000;
const WHOLE_WITHIN_MS = 90_000;
const THROUGH_WITHIN_MS = 90_000;

let grounds = 0;

export interface WorkerOptions extends Partial<Pick<Life, 'config' | 'slowMs' | 'at' | 'comeAndGoMs' | 'closeWithinMs' | 'brokers'>> {
  /** Of its folder of local state; default its own. */
  readonly stateOf?: string;
}

export class Ground {
  readonly application: string;
  readonly job: Job;
  /** Kills, stops and restarts brokers. */
  readonly brokers: RunningCluster;
  /** Looks at the cluster from outside. */
  readonly client: PlainClient;
  /** To write with, and to create topics. */
  readonly cluster: Cluster;
  readonly folder: string;
  /** Workers do not outlive the tests, not even stopped ones, however the tests end. */
  private readonly guard = startGuard();
  private readonly workers: WorkerProcess[] = [];
  private readonly writers: SteadyWriter[] = [];
  private readonly began = performance.now();

  private constructor(
    name: string,
    private readonly jobName: JobName,
  ) {
    const { running } = sharedCluster;
    if (running === undefined) throw new Error('a test of faults has its place in test/faults/');
    this.brokers = running;
    this.application = `${name}-${process.pid}-${++grounds}`;
    this.job = jobOf(jobName, this.application);
    this.client = new PlainClient(running.bootstrap);
    this.cluster = kafkaCluster({ brokers: running.bootstrap });
    this.folder = mkdtempSync(path.join(tmpdir(), `millrace-faults-${name}-`));
  }

  /** @param name letters and dashes: topics and folders have it */
  static async with(name: string, body: (ground: Ground) => Promise<void>, job: JobName = 'counts'): Promise<void> {
    const ground = new Ground(name, job);
    try {
      const configs = { 'retention.ms': '-1' };
      const topics = [ground.job.input, ground.job.output].map((topic) => ({ name: topic, partitions: PARTITIONS, configs }));
      await ground.cluster.createTopics(topics);
      await body(ground);
      for (const worker of ground.workers) worker.check();
    } catch (error) {
      for (const worker of ground.workers) process.stderr.write(worker.story());
      throw error;
    } finally {
      await ground.leave();
    }
  }

  worker(name: string, { stateOf = name, config = {}, ...options }: WorkerOptions = {}): WorkerProcess {
    const worker = new WorkerProcess(
      name,
      {
        application: this.application,
        job: this.jobName,
        brokers: this.brokers.bootstrap,
        stateDirectory: path.join(this.folder, `state-${stateOf}`),
        logFile: path.join(this.folder, `${name}-${this.workers.length}.log`),
        ...options,
        config: {
          commitInterval: 50,
          sessionTimeout: SESSION_MS,
          heartbeatInterval: 500,
          requestTimeout: 20_000,
          transactionTimeout: 25_000,
          ...config,
        },
      },
      this.guard,
    );
    this.workers.push(worker);
    return worker;
  }

  writer(options: Omit<WriterOptions, 'cluster' | 'input'> = {}): SteadyWriter {
    const writer = new SteadyWriter({ cluster: this.cluster, input: this.job.input, ...options });
    this.writers.push(writer);
    return writer;
  }

  /** A line for whoever reads the log of the run. */
  told(what: string): void {
    const lasted = (performance.now() - this.began) / 1_000;
    process.stderr.write(`  ${this.application}: ${what} (${lasted.toFixed(1)} s, rebalances: ${this.rebalances})\n`);
  }

  /** Generations of the group that any worker has joined; the first was no rebalance. */
  get rebalances(): number {
    return Math.max(0, new Set(this.workers.flatMap((worker) => worker.told('generation').map(({ generation }) => generation))).size - 1);
  }

  /** ms of the longest time between two commits of records of one task, by whomever, from a moment of the wall clock on. */
  longestGap(from: number): number {
    const times = new Map<number, number[]>();
    for (const { at, tasks } of this.workers.flatMap((worker) => worker.committedSince(from))) {
      for (const { partition, records } of tasks) {
        if (records > 0) times.set(partition, [...(times.get(partition) ?? [from]), at]);
      }
    }
    return Math.max(0, ...[...times.values()].map((each) => longestStep(each.sort((a, b) => a - b))));
  }

  /** Waits until the group has so many members and is at rest. */
  async stable(members: number, withinMs = 60_000): Promise<void> {
    let seen: unknown;
    await until(
      `the group of ${this.application} is stable with ${members} members`,
      withinMs,
      async () => {
        for (const worker of this.workers) worker.check();
        const group = await this.client.group(this.application);
        seen = group;
        return group.state === 'Stable' && group.members === members;
      },
      () => seen,
    );
  }

  /** Waits until these have shared all tasks among them, each with at least one, and have worked like that for a while: nothing moves any more. */
  async settled(...workers: readonly WorkerProcess[]): Promise<void> {
    await this.stable(workers.length);
    const seen = (): unknown => workers.map((worker) => ({ name: worker.name, tasks: [...worker.tasksSince(Date.now() - SETTLED_MS)] }));
    await until(
      `the tasks of ${this.application} are shared and stay where they are`,
      60_000,
      () => {
        for (const worker of workers) worker.check();
        const since = Date.now() - SETTLED_MS;
        const owned = workers.map((worker) => worker.tasksSince(since));
        const count = owned.reduce((sum, { size }) => sum + size, 0);
        const rested = workers.every((worker) => worker.told('generation').every(({ at }) => at < since));
        const all = owned.every(({ size }) => size > 0);
        return rested && all && count === PARTITIONS && new Set(owned.flatMap((each) => [...each])).size === PARTITIONS;
      },
      seen,
    );
  }

  /** The broker that leads a partition. */
  async leaderOf(topic: string, partition: number): Promise<number> {
    const { partitions } = await this.client.metadata([topic]);
    return partitions.find((each) => each.partition === partition)!.leader;
  }

  /**
   * Waits until every record of the input has had its effect, and judges: all that the writers know to be written is in the log, and every
   * word's counts in every window are 1, 2, 3 … up to the number of its records, each once and in this order.
   */
  async expectExactlyOnce(...writers: readonly SteadyWriter[]): Promise<void> {
    const input = new CommittedLog(this.client, this.job.input);
    const output = new CommittedLog(this.client, this.job.output);
    await until(
      'every record has had its effect',
      THROUGH_WITHIN_MS,
      async () => {
        for (const worker of this.workers) worker.check();
        await input.read();
        await output.read();
        return output.count >= input.count && output.undecided === 0;
      },
      () => ({
        input: input.count,
        output: output.count,
        undecided: output.undecided,
        states: this.workers.map(({ name, state }) => `${name}: ${state}`),
      }),
    );
    const keys = input.records.map(({ key }) => key);
    const inLog = new Set(keys);
    const missing = writers.flatMap(({ acknowledged }) => acknowledged.filter((key) => !inLog.has(key)));
    expect({ acknowledgedAndNotInTheLog: missing }).toEqual({ acknowledgedAndNotInTheLog: [] });
    const { wrong, lost, doubled } = judgeCounts(input, output);
    expect({ lost, doubled, wrong }).toEqual({ lost: 0, doubled: 0, wrong: [] });
    expect(output.count).toBe(input.count);
    this.told(`${input.count} records, lost 0, doubled 0`);
  }

  /** What is committed in a topic by now. */
  async committed(topic: string): Promise<CommittedLog> {
    return new CommittedLog(this.client, topic).read();
  }

  /** Every broker alive and let in, every replica in sync, each partition led by the first of its replicas. */
  async whole(): Promise<void> {
    for (const broker of this.brokers.brokers) {
      broker.continue();
      if (broker.pid === undefined) await broker.restart();
    }
    let behind: readonly string[] = [];
    const looked = async (): Promise<boolean> => {
      const views = await Promise.all(this.brokers.bootstrap.map((address) => this.client.metadata(undefined, address)));
      behind = views.flatMap(({ partitions, brokers }) => [
        ...(brokers.length === this.brokers.brokers.length ? [] : [`${brokers.length} brokers`]),
        ...partitions
          .filter(({ leader, replicas, inSync }) => leader < 0 || inSync.length < replicas.length)
          .map(({ topic, partition }) => `${topic}-${partition}`),
      ]);
      return behind.length === 0;
    };
    await until('the cluster is whole', WHOLE_WITHIN_MS, looked, () => behind.slice(0, 10));
    await this.client.electPreferredLeaders();
  }

  private async leave(): Promise<void> {
    for (const writer of this.writers) void writer.stop();
    await Promise.all(this.workers.map((worker) => worker.kill()));
    await Promise.all(this.writers.map((writer) => writer.stop()));
    try {
      await this.whole();
      await this.cluster.deleteTopics(this.job.topics);
    } finally {
      this.guard.close();
      await this.cluster.close();
      this.client.close();
      rmSync(this.folder, { recursive: true, force: true });
    }
  }
}

interface Judgement {
  readonly lost: number;
  readonly doubled: number;
  readonly wrong: readonly object[];
}

function judgeCounts(input: CommittedLog, output: CommittedLog): Judgement {
  const expected = new Map<string, number>();
  for (const { value, timestamp } of input.records) {
    const key = `${value}@${Math.floor(timestamp / WINDOW_MS) * WINDOW_MS}`;
    expected.set(key, (expected.get(key) ?? 0) + 1);
  }
  const found = new Map<string, number[]>();
  for (const { key, value } of output.records) found.set(key ?? '', [...(found.get(key ?? '') ?? []), Number(value)]);
  let lost = 0;
  let doubled = 0;
  const wrong: object[] = [];
  for (const key of new Set([...expected.keys(), ...found.keys()])) {
    const count = expected.get(key) ?? 0;
    const counts = found.get(key) ?? [];
    lost += Math.max(0, count - counts.length);
    doubled += Math.max(0, counts.length - count);
    if (counts.length !== count || counts.some((value, at) => value !== at + 1)) wrong.push({ key, count, counts: counts.slice(0, 50) });
  }
  return { lost, doubled, wrong: wrong.slice(0, 5) };
}
