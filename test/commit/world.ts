/** Applications on one broker in this process, on a clock driven by hand: whole instances, that can be closed, killed and cut off. */
import type { Subscription } from 'rxjs';
import type { MillraceApp, RunOptions } from '../../src/app';
import { ClusterClient } from '../../src/commit/cluster-client';
import type { Commit } from '../../src/commit/commit-event';
import type { MillraceConfig } from '../../src/config';
import type { MillraceError } from '../../src/errors/millrace-error';
import { decodeOrder } from '../../src/kafka/group-protocol';
import type { TransactionStep } from '../../src/kafka/transaction-outcome';
import type { ApiName, Call, CallOf } from '../../src/memory/call';
import type { FaultAction, FaultHandle } from '../../src/memory/faults';
import { memoryBroker, type MemoryBroker, type MemoryBrokerOptions } from '../../src/memory/memory-broker';
import type { KafkaRecord, Placement } from '../../src/model/record';
import type { Topic } from '../../src/model/topic';
import type { Metrics, MetricName } from '../../src/model/metrics';
import type { OpenBytes } from '../../src/state/open-bytes';
import type { AppState } from '../../src/commit/app-state';
import type { Topology } from '../../src/task/topology';
import { SimulatedProcess, type SimulatedProcessOptions } from '../../src/testing/cluster/simulated-process';
import { manualClock, type ManualClock } from '../../src/time/manual-clock';

export const APP = 'app';

/** A request as the broker got it. */
export interface Heard<A extends ApiName = ApiName> extends CallOf<A> {
  readonly at: number;
}

export interface StartOptions extends Partial<Omit<MillraceConfig, 'brokers' | 'cluster'>>, RunOptions {
  /** Names slot and client: given again, it is the same instance come back. */
  readonly name?: string;
  readonly openBytes?: OpenBytes;
  readonly slot?: SimulatedProcessOptions['slot'];
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** One instance, and what it said. */
export class Running {
  readonly commits: Commit[] = [];
  readonly states: AppState[] = [];
  readonly lines: LogLine[] = [];
  readonly steps: TransactionStep[] = [];
  readonly totals = new Map<MetricName, number>();
  error: MillraceError | undefined;
  completed = false;
  subscription!: Subscription;

  constructor(
    readonly name: string,
    private readonly process: SimulatedProcess,
    private readonly world: World,
  ) {}

  get app(): MillraceApp {
    return this.process.app;
  }

  /** The process dies: it sends nothing more, and hears of nothing. */
  kill(): void {
    this.process.kill();
  }

  hurry(): void {
    this.process.hurry();
  }

  /** Timers and immediates of its own that are still set. */
  get waiting(): number {
    return this.process.waiting;
  }

  close(within?: number): Promise<void> {
    return this.world.settle(this.app.close(within === undefined ? {} : { within }));
  }

  /** Settles when the run has ended, in whatever way. */
  ended(): Promise<void> {
    return this.world.until(() => this.completed || this.error !== undefined);
  }

  total(name: MetricName): number {
    return this.totals.get(name) ?? 0;
  }

  get state(): AppState | undefined {
    return this.states.at(-1);
  }

  /** What the group has given to it. */
  get owned(): ReadonlySet<number> {
    return this.world.ownedBy(this.name);
  }

  /** Tasks started so far, by number. */
  get started(): number[] {
    return this.lines.flatMap(({ message, fields }) => (message === 'task started' ? [(fields as { task: number }).task] : []));
  }
}

export class World {
  readonly clock: ManualClock;
  readonly broker: MemoryBroker;
  readonly cluster: ClusterClient;
  readonly heard: Heard[] = [];
  private readonly instances: Running[] = [];
  private passed = 0;

  constructor(options: Partial<MemoryBrokerOptions> = {}) {
    this.clock = manualClock();
    this.broker = memoryBroker({ clock: this.clock, ...options });
    this.cluster = new ClusterClient(() => Promise.resolve(this.broker), this.clock);
    // Never strikes: an ear at the broker's door.
    this.broker.faults.add({ match: (call) => this.hear(call), action: { kind: 'delay', ms: 0 } });
  }

  /** Tasks that the group has given to a client, by the order in which they are shown to Kafka's own tools. */
  ownedBy(clientId: string): ReadonlySet<number> {
    const members = this.broker.group(APP)?.members.filter((member) => member.clientId === clientId) ?? [];
    return new Set(members.flatMap(({ assignment }) => decodeOrder(assignment).tasks));
  }

  private hear(call: Call): boolean {
    this.heard.push({ ...call, at: this.clock.monotonic() });
    return false;
  }

  topics(sizes: Readonly<Record<string, number>>): void {
    for (const [topic, partitions] of Object.entries(sizes)) this.broker.createTopic(topic, partitions);
  }

  start(topology: Topology, options: StartOptions = {}): Running {
    const { name = 'one', openBytes, slot, until, ...config } = options;
    const lines: LogLine[] = [];
    const logger = loggerInto(lines);
    const totals = new Map<MetricName, number>();
    const metrics: Metrics = { add: (metric, amount) => void totals.set(metric, (totals.get(metric) ?? 0) + amount) };
    const steps: TransactionStep[] = [];
    const process = new SimulatedProcess({
      clock: this.clock,
      broker: this.broker,
      name,
      config: { applicationId: APP, cluster: this.cluster, logger, metrics, ...config },
      openBytes: openBytes === undefined ? undefined : () => openBytes,
      slot,
      passed: () => this.passed,
      onTransactionStep: (step) => void steps.push(step),
    });
    const running = new Running(name, process, this);
    Object.assign(running, { lines, totals, steps });
    process.app.state$.subscribe((state) => running.states.push(state));
    running.subscription = process.app.run(topology, until === undefined ? {} : { until }).subscribe({
      next: (commit) => running.commits.push(commit),
      error: (error: MillraceError) => (running.error = error),
      complete: () => (running.completed = true),
    });
    this.instances.push(running);
    return running;
  }

  /** Runs until all inputs are done, as one instance. */
  async toTheEnd(topology: Topology, options: StartOptions = {}): Promise<Running> {
    const running = this.start(topology, { until: 'caught-up', ...options });
    await running.ended();
    if (running.error !== undefined) throw running.error;
    await running.close();
    return running;
  }

  write<K, V>(topic: Topic<K, V>, records: Iterable<KafkaRecord<K, V, Placement>>): Promise<void> {
    return this.settle(this.cluster.write(topic, records));
  }

  read<K, V>(topic: Topic<K, V>): Promise<readonly KafkaRecord<K, V>[]> {
    return this.settle(this.cluster.read(topic));
  }

  /** Lets time pass until the promise settles; more than `withinMs` of it is a failure. */
  async settle<T>(promise: Promise<T>, withinMs = 300_000): Promise<T> {
    let settled = false;
    const watched = promise.finally(() => (settled = true));
    watched.catch(() => undefined);
    await this.until(() => settled, withinMs);
    return watched;
  }

  async until(condition: () => boolean, withinMs = 120_000): Promise<void> {
    const end = this.clock.monotonic() + withinMs;
    await this.clock.advance(0);
    while (!condition() && this.clock.monotonic() < end) if (!(await this.clock.step())) await this.clock.advance(1);
    if (condition()) return;
    const last = this.heard.slice(-5).map(({ api, clientId }) => `${clientId}: ${api}`);
    throw new Error(`The condition did not come true within ${String(withinMs)} ms; last requests: ${last.join(', ')}`);
  }

  fault<A extends ApiName>(api: A, action: FaultAction, when: (call: CallOf<A>) => boolean = () => true, times = 1): FaultHandle {
    return this.broker.faults.add({ match: (call) => call.api === api && when(call as CallOf<A>), action, times });
  }

  asked<A extends ApiName>(api: A): Heard<A>[] {
    return this.heard.filter((heard) => heard.api === api) as unknown as Heard<A>[];
  }

  committed(topic: string, partition: number): { offset: number; metadata: string } | undefined {
    return this.broker.group(APP)?.committed.find((each) => each.topic === topic && each.partition === partition);
  }

  /** Work that takes time: nothing is called before its turn has ended. */
  pass(ms: number): void {
    this.passed += ms;
    for (const running of this.instances) running.hurry();
  }

  /** All these positions are committed. */
  async untilCommitted(offsets: Readonly<Record<string, readonly number[]>>): Promise<void> {
    await this.until(() =>
      Object.entries(offsets).every(([topic, next]) =>
        next.every((offset, partition) => (this.committed(topic, partition)?.offset ?? -1) >= offset),
      ),
    );
  }

  /** Ends what still runs. */
  async end(): Promise<void> {
    this.broker.faults.clear();
    for (const running of this.instances) if (!running.completed && running.error === undefined) running.kill();
    await this.clock.advance(0);
    this.broker.close();
  }
}

function loggerInto(lines: LogLine[]): NonNullable<MillraceConfig['logger']> {
  const at = (level: LogLine['level']) => (fields: object, message: string) => void lines.push({ level, fields, message });
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
