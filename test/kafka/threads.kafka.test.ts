/** `threads: 2` on a real broker; what was counted is read by Kafka's own consumer. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Worker } from 'node:worker_threads';
import { lastValueFrom } from 'rxjs';
import { MillraceApp, type App } from '../../src/app';
import { checkConfig, type MillraceConfig } from '../../src/config';
import { kafkaBroker } from '../../src/kafkajs/kafka-broker';
import { openLevelBytes } from '../../src/level/level-bytes';
import { kafkaCluster } from '../../src/millrace';
import { silentLogger } from '../../src/model/logger';
import type { MetricName, MetricTags } from '../../src/model/metrics';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import type { WorkerFailure, WorkerFailureVerdict } from '../../src/model/worker-failure';
import { openSlot } from '../../src/state/slot';
import { spawnWorkers } from '../../src/threads/spawn-worker';
import { topologyModule } from '../../src/threads/topology-module';
import { systemClock } from '../../src/time/system-clock';
import { kafkaBrokers } from './brokers';
import { killJob, type KillJob } from './kill/job';
import { readCommittedByJvm } from './kill/jvm-reader';
import type { ToldToThreads } from './threads/topology';

const PARTITIONS = 4;
const WORDS = 40;
/** Threads read TypeScript as they start, and Kafka's consumer is a JVM. */
const SLOW_MS = 300_000;
const words = topologyModule(path.join(__dirname, 'threads', 'topology.ts'));
const root = mkdtempSync(path.join(tmpdir(), 'millrace-threads-'));
const cleanUp: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const clean of cleanUp.splice(0)) await clean();
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

/** One application, its topics and what was written to them. */
class World {
  readonly job: KillJob;
  readonly workers: Worker[] = [];
  readonly failures: WorkerFailure[] = [];
  /** Tasks whose records each thread has counted. */
  readonly tasksOf = new Map<string, Set<string>>();
  private readonly brokers = kafkaBrokers();
  private readonly cluster = kafkaCluster({ brokers: this.brokers });
  private readonly expected = new Map<string, number>();
  private readonly deaths: string;
  private written = 0;

  constructor(private readonly application: string) {
    this.job = killJob(application);
    this.deaths = path.join(root, application, 'deaths');
    mkdirSync(this.deaths, { recursive: true });
  }

  async prepare(): Promise<this> {
    cleanUp.push(async () => {
      await this.cluster.deleteTopics(this.job.topics);
      await this.cluster.close();
    });
    await this.cluster.createTopics(
      [this.job.input, this.job.output].map(({ name }) => ({ name, partitions: PARTITIONS, configs: { 'retention.ms': '-1' } })),
    );
    return this;
  }

  async write(count: number, given?: string): Promise<void> {
    const records = Array.from({ length: count }, () => {
      const word = given ?? `word-${String((this.written * 7) % WORDS)}`;
      this.expected.set(word, (this.expected.get(word) ?? 0) + 1);
      return KafkaRecord.of<string, string>(`key-${String(this.written % 1_000)}`, word, ++this.written, noOrigin);
    });
    await this.cluster.write(this.job.input, records);
  }

  /** One thread that reads a record of this value dies of it. */
  kill(how: 'exit' | 'throw' | 'memory' | 'spin'): void {
    writeFileSync(path.join(this.deaths, how), '');
  }

  /** It has been read. */
  async untilDead(how: string): Promise<void> {
    while (existsSync(path.join(this.deaths, how))) await new Promise((resolve) => setImmediate(resolve));
  }

  /** As `onWorkerFailure`. */
  toldOf(verdict: WorkerFailureVerdict): (failure: WorkerFailure) => WorkerFailureVerdict {
    return (failure) => {
      this.failures.push(failure);
      return verdict;
    };
  }

  app(config: Partial<MillraceConfig> = {}, stateDirectory = 'state', resourceLimits = {}): App {
    const told: ToldToThreads = { application: this.application, deaths: this.deaths };
    const env = { ...process.env, MILLRACE_TEST_THREADS: JSON.stringify(told) };
    const spawn = spawnWorkers(path.resolve('src/worker.ts'), { execArgv: ['--import', 'tsx'], env, resourceLimits });
    const checked = checkConfig({
      applicationId: this.application,
      brokers: this.brokers,
      stateDirectory: path.join(root, this.application, stateDirectory),
      threads: 2,
      commitInterval: 20,
      sessionTimeout: 6_000,
      heartbeatInterval: 300,
      metrics: { add: this.count },
      ...config,
    });
    const { applicationId, instanceId } = checked;
    const openBytes = (folder: string, options?: object) => openLevelBytes(folder, { clock: systemClock, ...options });
    const app = new MillraceApp(
      checked,
      () =>
        Promise.resolve({
          clock: systemClock,
          broker: kafkaBroker({ brokers: this.brokers, clock: systemClock, logger: silentLogger }),
          openBytes,
          openSlot: () => openSlot({ stateDirectory: checked.stateDirectory!, applicationId, instanceId, openBytes, clock: systemClock }),
        }),
      {
        brokers: this.brokers,
        spawn: (data) => {
          const worker = spawn(data);
          this.workers.push(worker);
          return worker;
        },
      },
    );
    cleanUp.unshift(() => app.close({ within: 1_000 }));
    return app;
  }

  /** What Kafka's consumer finds must be every word's 1, 2, 3 … up to its number, in that order, each once. */
  async verify(): Promise<void> {
    const found = new Map<string, number[]>();
    for (const { key, value } of await readCommittedByJvm(this.brokers[0]!, this.job.output.name)) {
      found.set(key, [...(found.get(key) ?? []), Number(value)]);
    }
    const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);
    expect([...found].sort()).toEqual([...this.expected].map(([word, count]) => [word, upTo(count)]).sort());
  }

  private readonly count = (name: MetricName, _: number, { thread, task }: MetricTags): void => {
    if (name !== 'process-total' || thread === undefined || task === undefined) return;
    this.tasksOf.set(thread, (this.tasksOf.get(thread) ?? new Set()).add(task));
  };
}

let worlds = 0;
const world = (): Promise<World> => new World(`threads-${String(process.pid)}-${String(Date.now())}-${String(worlds++)}`).prepare();

/** A run: what has come of it, and a wait for something to have. */
function running(app: App, { job }: World, options = {}) {
  const outputs: [key: string, value: string][] = [];
  const states: string[] = [];
  let look = (): void => undefined;
  app.outputs(job.output).subscribe(({ key, value }) => {
    outputs.push([key, value]);
    look();
  });
  app.state$.subscribe((state) => {
    states.push(state);
    look();
  });
  const ended = lastValueFrom(app.run(words, options), { defaultValue: undefined });
  ended.catch(() => undefined);
  /** Rejects with what the run fails with meanwhile. */
  const until = (isSo: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      look = () => {
        if (isSo()) resolve();
      };
      look();
      ended.then(look, reject);
    });
  return { outputs, states, ended, until };
}

describe('threads: 2', () => {
  it(
    'four tasks are two for each; counts are exact; outputs and states of both are seen in the main thread; close drains',
    async () => {
      const here = await world();
      const app = here.app();
      const { outputs, states, ended, until } = running(app, here);
      await until(() => states.includes('running'));
      const shares = (): unknown => [...here.tasksOf].map(([thread, { size }]) => [thread, size]).sort();
      const halves = [
        ['0', 2],
        ['1', 2],
      ];
      // The second one may join when the first has everything.
      let written = 0;
      for (let round = 0; round < 20 && !isDeepStrictEqual(shares(), halves); round++) {
        here.tasksOf.clear();
        await here.write(500);
        written += 500;
        await until(() => outputs.length === written);
      }
      await app.close();
      await ended;
      expect(shares()).toEqual(halves);
      expect(states.slice(0, 3)).toEqual(['created', 'rebalancing', 'running']);
      expect(states.slice(-3)).toEqual(['running', 'draining', 'closed']);
      expect(new Set(outputs.map(([word, count]) => `${word} ${count}`)).size).toBe(written);
      await here.verify();
    },
    SLOW_MS,
  );

  it(
    "until: 'caught-up' ends when both are done, and goes on where it ended",
    async () => {
      const here = await world();
      await here.write(1_000);
      const first = here.app();
      await running(first, here, { until: 'caught-up' }).ended;
      await here.verify();
      await here.write(500);
      await running(here.app(), here, { until: 'caught-up' }).ended;
      await here.verify();
    },
    SLOW_MS,
  );
});

describe("onWorkerFailure: 'replace'", () => {
  it.each(['exit', 'throw'] as const)(
    'a thread dies by %s with records under way: nothing is lost, nothing comes twice',
    async (how) => {
      const here = await world();
      const app = here.app({ onWorkerFailure: here.toldOf('replace') });
      const { states, ended, until } = running(app, here);
      await here.write(1_000);
      await until(() => states.includes('running'));
      here.kill(how);
      await here.write(500);
      await here.write(1, how);
      await here.write(500);
      await until(() => here.workers.length === 3 && states.at(-1) === 'running');
      await app.close();
      await ended;
      expect(here.failures).toMatchObject([{ how: how === 'throw' ? 'uncaught' : 'exit', failures: 1, error: { code: 'WORKER_FAILED' } }]);
      expect(states).toContain('degraded');
      await running(here.app(), here, { until: 'caught-up' }).ended;
      await here.verify();
    },
    SLOW_MS,
  );

  it(
    'a thread is ended from without, again and again, while it works: nothing is lost, nothing comes twice',
    async () => {
      const here = await world();
      const app = here.app({ onWorkerFailure: here.toldOf('replace') });
      const { outputs, states, ended, until } = running(app, here);
      await until(() => states.includes('running'));
      for (let round = 0; round < 4; round++) {
        const seen = outputs.length;
        await here.write(500);
        await until(() => outputs.length > seen + 50);
        const living = here.workers.filter(({ threadId }) => threadId !== -1);
        await living.at(round % 2 === 0 ? 0 : -1)?.terminate();
        await here.write(500);
        await until(() => here.workers.length === 3 + round && states.at(-1) === 'running');
      }
      await app.close();
      await ended;
      expect(here.failures.map(({ how }) => how)).toEqual(['exit', 'exit', 'exit', 'exit']);
      await running(here.app(), here, { until: 'caught-up' }).ended;
      await here.verify();
    },
    SLOW_MS,
  );

  it(
    'a thread without memory dies alone',
    async () => {
      const here = await world();
      const app = here.app({ onWorkerFailure: here.toldOf('replace') }, 'state', { maxOldGenerationSizeMb: 192 });
      const { states, ended, until } = running(app, here);
      await until(() => states.includes('running'));
      here.kill('memory');
      await here.write(1, 'memory');
      await here.write(100);
      await until(() => here.workers.length === 3 && states.at(-1) === 'running');
      await app.close();
      await ended;
      expect(here.failures).toMatchObject([{ how: 'out-of-memory', error: { code: 'WORKER_FAILED' } }]);
      await running(here.app(), here, { until: 'caught-up' }).ended;
      await here.verify();
    },
    SLOW_MS,
  );
});

describe('a thread that dies or hangs', () => {
  it(
    "'stop-instance', the default: run() is rejected with the error, what is committed stays, the next run goes on",
    async () => {
      const here = await world();
      const app = here.app();
      const { states, ended, until } = running(app, here);
      await until(() => states.includes('running'));
      here.kill('throw');
      await here.write(500);
      await here.write(1, 'throw');
      await here.write(500);
      await expect(ended).rejects.toMatchObject({ code: 'WORKER_FAILED', cause: { message: 'nobody catches this' } });
      expect(states.at(-1)).toBe('failed');
      expect(here.workers.map(({ threadId }) => threadId)).toEqual([-1, -1]);
      await running(here.app(), here, { until: 'caught-up' }).ended;
      await here.verify();
    },
    SLOW_MS,
  );

  it(
    "'stop-application': every instance of the group ends",
    async () => {
      const here = await world();
      const one = running(here.app({ onWorkerFailure: 'stop-application' }, 'one'), here);
      await one.until(() => one.states.includes('running'));
      const other = running(here.app({ onWorkerFailure: 'replace' }, 'other'), here);
      await other.until(() => other.states.includes('running'));
      await here.workers[0]?.terminate();
      await expect(one.ended).rejects.toMatchObject({ code: 'WORKER_FAILED' });
      await expect(other.ended).rejects.toMatchObject({ code: 'APPLICATION_STOPPED' });
    },
    SLOW_MS,
  );

  it(
    'close ends a thread that does not return from a function of the topology, within its time',
    async () => {
      const here = await world();
      const app = here.app();
      const { outputs, states, ended, until } = running(app, here);
      await until(() => states.includes('running'));
      here.kill('spin');
      await here.write(500);
      await until(() => outputs.length === 500);
      await here.write(1, 'spin');
      await here.untilDead('spin');
      const began = performance.now();
      await app.close({ within: 2_000 });
      await ended;
      expect(performance.now() - began).toBeLessThan(6_000);
      await running(here.app(), here, { until: 'caught-up' }).ended;
      await here.verify();
    },
    SLOW_MS,
  );
});
