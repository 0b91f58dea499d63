import { ClusterClient } from '../../commit/cluster-client';
import { layOut, type Layout } from '../../commit/layout';
import { MillraceError } from '../../errors/millrace-error';
import { memoryBroker, type MemoryBroker } from '../../memory/memory-broker';
import type { Duration } from '../../model/duration';
import type { Outgoing } from '../../model/outgoing';
import type { KafkaRecord, Placement } from '../../model/record';
import type { Topic } from '../../model/topic';
import { planTopology, type Plan } from '../../task/plan';
import { manualClock, type ManualClock } from '../../time/manual-clock';
import { partitionCounts } from '../partition-counts';
import { CommittedReader } from './committed-reader';
import { expectedFrames, type ClusterExpectation } from './expectation';
import type { InputRow, TestClusterOptions } from './options';
import { Row } from './rows';
import { SimulatedInstance, type InstanceRun } from './simulated-instance';
import { counted, timeline } from './timeline';
import { undone } from './undone';
import { withRun } from './with-run';

/** What a run has left to look at. Its functions may be taken out of it: `({ expectCommitted }) => …`. */
export interface ClusterRun {
  readonly seed: number;
  /** What a read_committed consumer has read of a topic, in the order in which it came to see it. @throws UNKNOWN_TOPIC, DECODE */
  readonly committed: <K, V>(topic: Topic<K, V>) => Outgoing<K, V>[];
  /** The same, each with the frame in which it came to see it. */
  readonly seen: <K, V>(topic: Topic<K, V>) => { readonly frame: number; readonly output: Outgoing<K, V> }[];
  /** The same, compared with a row of the diagram: `run.expectCommitted(results).toBe('--a--b', { a: outgoing(…), … })`. */
  readonly expectCommitted: <K, V>(topic: Topic<K, V>) => ClusterExpectation<K, V>;
  /** By name. */
  readonly instances: Readonly<Record<string, InstanceRun>>;
  /** A picture of the run: the rows as they were given, and how many committed outputs were seen at each frame. */
  readonly timeline: string;
}

const FRAME_MS = 1_000;
/** ms of virtual time after the last frame, within which everything must have come to rest. */
const REST_WITHIN_MS = 120_000;
/** ms for which nothing may be left to do, until the run is over. */
const QUIET_MS = 2_000;
/** ms a request or an answer takes, at most. */
const LATENCY_MS = 4;
/** Short ones, so that few frames pass until the group notices who has died. */
const QUICK = { sessionTimeout: 6_000, heartbeatInterval: 500, requestTimeout: 20_000, transactionTimeout: 25_000 };
const APPLICATION = 'test';

interface InputsOfRow {
  readonly topic: Topic<unknown, unknown>;
  readonly row: Row;
  readonly at: readonly { readonly frame: number; readonly records: readonly KafkaRecord<unknown, unknown, Placement>[] }[];
}

/** One run of a diagram: everything in this process, on a clock of its own; the same seed gives the same run. */
export class SimulatedCluster implements ClusterRun {
  private readonly clock: ManualClock;
  private readonly broker: MemoryBroker;
  private readonly client: ClusterClient;
  private readonly reader: CommittedReader;
  private readonly plan: Plan;
  private readonly layout: Layout;
  private readonly all: ReadonlyMap<string, SimulatedInstance>;
  private readonly inputs: readonly InputsOfRow[];
  private readonly frameMs: Duration;
  private readonly frames: number;
  private writing: Promise<unknown> = Promise.resolve();
  private unwritten = 0;
  private notWritten: Error | undefined;

  constructor(
    private readonly options: TestClusterOptions,
    readonly seed: number,
  ) {
    this.frameMs = checkedFrame(options.frame ?? FRAME_MS);
    this.clock = manualClock({ seed });
    const { clock } = this;
    this.broker = memoryBroker({ clock, latencyMs: () => Math.floor(clock.random() * (LATENCY_MS + 1)) });
    this.client = new ClusterClient(() => Promise.resolve(this.broker), clock);
    this.reader = new CommittedReader(this.broker, clock);
    this.plan = planTopology(options.topology, clock);
    const counts = partitionCounts(this.plan, options.partitions ?? 1);
    this.layout = layOut(this.plan, APPLICATION, counts);
    for (const [topic, partitions] of counts) this.broker.createTopic(topic, partitions);
    for (const topic of this.plan.sinks) this.reader.follow(topic, counts.get(topic) ?? 1);
    this.all = this.makeInstances();
    this.inputs = (options.input ?? []).map((row) => this.inputsOf(row));
    this.frames = Math.max(0, ...[...this.all.values(), ...this.inputs].map(({ row }) => row.columns.length));
  }

  get instances(): Readonly<Record<string, InstanceRun>> {
    return Object.fromEntries([...this.all].map(([name, { run }]) => [name, run]));
  }

  /** Frame by frame, in each: instances in the order of their rows, then inputs in theirs; then until all of it is done. */
  async play(): Promise<void> {
    for (let frame = 0; frame < this.frames; frame++) {
      for (const instance of this.all.values()) instance.act(frame);
      for (const { topic, at } of this.inputs) {
        for (const { records } of at.filter((each) => each.frame === frame)) this.write(topic, records);
      }
      await this.clock.advance(this.frameMs);
      this.assertWell();
    }
    await this.rest();
    const awaited = [...this.all.values()].map((instance) => instance.awaited).find((each) => each !== undefined);
    if (awaited !== undefined) throw new MillraceError('CONFIG', awaited);
  }

  async end(): Promise<void> {
    for (const instance of this.all.values()) instance.end();
    this.reader.close();
    await this.clock.settle();
    this.broker.close();
  }

  readonly committed = <K, V>(topic: Topic<K, V>): Outgoing<K, V>[] => this.outputsOf(topic).map(({ output }) => output);

  readonly seen = <K, V>(topic: Topic<K, V>): { frame: number; output: Outgoing<K, V> }[] =>
    this.outputsOf(topic).map(({ at, output }) => ({ frame: this.frameOf(at), output }));

  readonly expectCommitted = <K, V>(topic: Topic<K, V>): ClusterExpectation<K, V> =>
    expectedFrames(topic.name, this.frameMs, this.seen(topic), (difference) => withRun(difference, this));

  get timeline(): string {
    const crashes = [...this.all].flatMap(([name, { run }]) =>
      run.crashes.map(({ frame, point }) => `${name} died at frame ${frame}: ${point}`),
    );
    return timeline(
      [
        ...[...this.all].map(([name, { row }]) => ({ name, cells: row.columns })),
        ...this.inputs.map(({ topic: { name }, row }) => ({ name, cells: row.columns })),
        ...this.reader.topics().map((name) => ({ name, cells: counted(this.reader.times(name).map((at) => this.frameOf(at))) })),
      ],
      crashes,
    );
  }

  // ---- before

  private makeInstances(): Map<string, SimulatedInstance> {
    const { clock, broker, client, options } = this;
    const { topology, instances, crashes = {}, config = {} } = options;
    const made = Object.entries(instances).map(([name, row]): [string, SimulatedInstance] => [
      name,
      new SimulatedInstance({
        ...{ name, row: new Row(name, row, this.frameMs), crashes, topology, clock, broker },
        config: { ...QUICK, ...config, applicationId: APPLICATION, cluster: client },
        frame: () => this.frameOf(clock.monotonic()),
      }),
    ]);
    for (const [, instance] of made) {
      broker.faults.add({ match: (call) => instance.diesOf(call), action: { kind: 'lose answer', then: 'hang' }, times: Infinity });
    }
    return new Map(made);
  }

  private inputsOf({ topic, marbles, values }: InputRow): InputsOfRow {
    if (this.broker.partition({ topic: topic.name, partition: 0 }) === undefined) throw this.unknownTopic(topic.name, 'reads or writes');
    const row = new Row(topic.name, marbles, this.frameMs);
    const at = row.symbols.map(({ frame, symbol }) => {
      const value = values[symbol];
      if (value === undefined) throw row.error(`there is no record for "${symbol}" at frame ${frame}`);
      return { frame, records: [value].flat() };
    });
    return { topic, row, at };
  }

  private frameOf(ms: number): number {
    return Math.floor(ms / this.frameMs);
  }

  // ---- while it runs

  /** One after the other, so that rows into one topic keep their order. */
  private write(topic: Topic<unknown, unknown>, records: readonly KafkaRecord<unknown, unknown, Placement>[]): void {
    this.unwritten++;
    this.writing = this.writing
      .then(() => this.client.write(topic, records))
      .then(
        () => {
          this.unwritten--;
        },
        (cause: unknown) => {
          this.notWritten ??= asError(cause);
        },
      );
  }

  private assertWell(): void {
    if (this.notWritten !== undefined) throw this.notWritten;
    if (this.reader.failed !== undefined) throw this.reader.failed;
    for (const { error } of this.all.values()) if (error !== undefined) throw asError(error);
  }

  /** While somebody is alive: until all is done, and stays so. Otherwise what can be read is all there will be. */
  private async rest(): Promise<void> {
    const deadline = this.clock.monotonic() + REST_WITHIN_MS;
    let since = this.clock.monotonic();
    // What a record leaves to do may be done in several commits.
    while (this.clock.monotonic() < since + QUIET_MS) {
      const left = this.undone();
      if (left !== undefined) since = this.clock.monotonic();
      if (left !== undefined && since > deadline) throw restless(left);
      await this.step();
    }
  }

  private undone(): string | undefined {
    if (this.unwritten > 0) return 'input is still being written';
    const alive = [...this.all].filter(([, { isAlive }]) => isAlive).map(([name]) => name);
    const left = undone(this.broker, this.layout, APPLICATION, alive);
    if (left !== undefined) return left;
    if (alive.length > 0 && !this.reader.isThrough) return 'a transaction is open';
    return this.reader.hasAll ? undefined : 'what was committed has not been read yet';
  }

  private async step(): Promise<void> {
    this.assertWell();
    if (!(await this.clock.step())) await this.clock.advance(1);
  }

  // ---- after

  private outputsOf<K, V>(topic: Topic<K, V>): { readonly at: number; readonly output: Outgoing<K, V> }[] {
    if (!this.plan.sinks.includes(topic.name)) throw this.unknownTopic(topic.name, 'writes');
    return this.reader.outputs(topic);
  }

  private unknownTopic(topic: string, verbs: string): MillraceError {
    const { sources, sinks } = this.plan;
    const known = verbs === 'writes' ? sinks : [...sources.map(({ name }) => name), ...sinks];
    const named = known.map((name) => `"${name}"`).join(', ');
    return new MillraceError('UNKNOWN_TOPIC', `"${topic}" is none of the topics that the topology ${verbs}: ${named}`, {
      where: { topic },
    });
  }
}

function checkedFrame(ms: Duration): Duration {
  if (Number.isSafeInteger(ms) && ms >= 1) return ms;
  throw new MillraceError('CONFIG', `a frame cannot take ${ms} ms: a whole number ≥ 1 is needed`);
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause), { cause });
}

function restless(left: string): MillraceError {
  return new MillraceError(
    'REQUEST_TIMED_OUT',
    `the cluster has not come to rest within ${REST_WITHIN_MS / 1_000} s (of virtual time) after the last frame: ${left}`,
  );
}
