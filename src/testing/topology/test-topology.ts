import { checkConfig, type CheckedConfig, type MillraceConfig } from '../../config';
import { layOut, type Layout } from '../../commit/layout';
import { MAX_MESSAGE_BYTES } from '../../commit/written-topics';
import { MillraceError } from '../../errors/millrace-error';
import type { Duration } from '../../model/duration';
import type { MetricName, MetricTags } from '../../model/metrics';
import type { Outgoing } from '../../model/outgoing';
import type { KafkaRecord, Placement } from '../../model/record';
import type { StoreDefinition } from '../../model/store-definition';
import type { Topic } from '../../model/topic';
import { worstCaseSize } from '../../state/cells';
import type { OutboxTopic } from '../../task/outbox';
import { planTopology, type Plan } from '../../task/plan';
import type { Topology } from '../../task/topology';
import { named, partitionCounts } from '../partition-counts';
import { GlobalTablesAtHand } from './global-tables-at-hand';
import { HandClock } from './hand-clock';
import { PipedRecords } from './piped-records';
import { routedStore } from './routed-store';
import { TasksAtHand } from './tasks-at-hand';
import { TestMetrics } from './test-metrics';

/** Of `testTopology`. */
export interface TopologyTestOptions extends Partial<Pick<MillraceConfig, 'applicationId' | 'strict' | 'onProcessingError' | 'logger'>> {
  /** Of every topic the topology reads or writes (default 1), or by topic name. Internal topics get what an application would give them. */
  readonly partitions?: number | Readonly<Record<string, number>>;
  /** What the wall clock shows first; default 2026-01-01T00:00:00Z. */
  readonly now?: Date;
}

/** A whole topology in a test: records in, outputs out, the wall clock by hand. */
export interface TopologyTest {
  /**
   * Writes records to an input and lets each have all its consequences before the next one is written, across internal topics too.
   * A key lies where a producer would put it, by murmur2; records without a key go to the partitions in turn.
   *
   * @throws what the topology throws (PROCESSING, ENCODE …) or cannot read (DECODE, NULL_KEY …), as the application would fail with it:
   * after everything before that record was committed. From then on everything throws the same, until `restart`.
   * @throws UNKNOWN_TOPIC for a topic that the topology does not read
   */
  pipe<K, V>(topic: Topic<K, V>, ...records: readonly KafkaRecord<K, V, Placement>[]): void;
  /** As `pipe`, into one partition, whatever the keys say. */
  pipeTo<K, V>(topic: Topic<K, V>, partition: number, ...records: readonly KafkaRecord<K, V, Placement>[]): void;
  /**
   * Takes what was written to a topic since it was last read, decoded from its bytes, in the order in which it was emitted.
   *
   * @throws UNKNOWN_TOPIC for a topic that the topology does not write; UNSETTLED
   */
  read<K, V>(topic: Topic<K, V>, options?: { readonly partition?: number }): Outgoing<K, V>[];
  /**
   * The store of all tasks as one: a key is looked for where its partition is. What is put here is there as if it had been committed.
   * With `partition` the handle of that task alone, to look at.
   *
   * @throws CONFIG for a store that the topology does not have; UNSETTLED
   */
  store<S>(definition: StoreDefinition<S>, options?: { readonly partition?: number }): S;
  /** Lets wall clock time pass: `task.clock` stops at every moment at which something is due. */
  advanceWallClock(ms: Duration): void;
  /** The sum of a counter over everything that has these tags (`task`, `operator`, `reason`); late records are `dropped-records-total`. */
  metric(name: MetricName, tags?: MetricTags): number;
  /** What an application would have logged as warning or error, each once. */
  readonly warnings: readonly string[];
  /** Wall clock, ms since the epoch. */
  readonly now: number;
  /** Settles when no task waits for a promise any more: for topologies with asynchronous steps. Rejects with what `pipe` would throw. */
  settled(): Promise<void>;
  /** As after a crash: the topology is assembled anew over what was committed; what plain RxJS operators remembered is gone. */
  restart(): void;
  /** Unsubscribes the topology. */
  close(): void;
}

/**
 * Runs a topology without a broker: the tasks, codecs, stores and internal topics of an application, in one place and synchronously.
 * Each record is followed to its end before the next; meanwhile the task with the oldest record at hand goes first (among equals that of
 * the lowest number), as in an application. Every push is committed at once.
 *
 * @throws what planning throws: NO_INPUT, NO_SUBSCRIBERS, CO_PARTITION, STORE_IN_USE …
 * @example
 * const test = testTopology(topology, { partitions: 4 });
 * test.pipe(clicks, record('ada', { page: '/' }, 10));
 * expect(test.read(clickCounts)).toEqual([outgoing(clickCounts, 'ada', 1, 10)]);
 */
export function testTopology(topology: Topology, options: TopologyTestOptions = {}): TopologyTest {
  return new TopologyAtHand(topology, options);
}

class TopologyAtHand implements TopologyTest {
  readonly warnings: string[] = [];
  private readonly clock: HandClock;
  private readonly plan: Plan;
  private readonly layout: Layout;
  private readonly tasks: TasksAtHand;
  private readonly globals: GlobalTablesAtHand;
  private readonly counts: ReadonlyMap<string, number>;
  private readonly metrics = new TestMetrics();
  private readonly piped = new PipedRecords();
  private failure: { readonly cause: unknown } | undefined;
  private woken: () => void = ignore;

  constructor(topology: Topology, options: TopologyTestOptions) {
    const config = this.configOf(options);
    this.clock = new HandClock((options.now ?? new Date(Date.UTC(2026, 0, 1))).getTime());
    this.plan = planTopology(topology, this.clock);
    worstCaseSize(this.plan.cells);
    this.globals = new GlobalTablesAtHand(this.plan.globals, this.metrics);
    const counts = partitionCounts(this.plan, options.partitions ?? 1);
    this.counts = counts;
    this.layout = layOut(this.plan, config.applicationId, counts);
    this.tasks = new TasksAtHand({
      config,
      layout: this.layout,
      topology,
      clock: this.clock,
      isWatched: () => true,
      wake: () => {
        this.woken();
      },
      globalRows: (topic) => this.globals.rows(topic),
      written: writtenTopics(this.plan, this.layout, counts),
      metrics: this.metrics,
    });
    this.guarded(() => {
      this.tasks.start();
      this.tasks.run();
    });
  }

  get now(): number {
    return this.clock.now();
  }

  pipe<K, V>(topic: Topic<K, V>, ...records: readonly KafkaRecord<K, V, Placement>[]): void {
    for (const record of records) this.write(topic, record, this.piped.partitionOf(topic, record, this.partitionsOf(topic.name)));
  }

  pipeTo<K, V>(topic: Topic<K, V>, partition: number, ...records: readonly KafkaRecord<K, V, Placement>[]): void {
    checkPartition(topic.name, partition, this.partitionsOf(topic.name));
    for (const record of records) this.write(topic, record, partition);
  }

  read<K, V>(topic: Topic<K, V>, { partition }: { readonly partition?: number } = {}): Outgoing<K, V>[] {
    const { sinks } = this.plan;
    if (!sinks.includes(topic.name)) throw unknownTopic(topic.name, 'write', sinks);
    this.assertSettled();
    const log = this.tasks.log(topic.name);
    if (partition !== undefined) checkPartition(topic.name, partition, log.partitions);
    return log.read(topic, partition);
  }

  store<S>({ name }: StoreDefinition<S>, { partition }: { readonly partition?: number } = {}): S {
    const shape = this.layout.stores.find((store) => store.name === name);
    if (shape === undefined) {
      const known = named(this.layout.stores.map((store) => store.name));
      throw new MillraceError('CONFIG', `the topology has no store "${name}"; it has ${known}`, { where: { store: name } });
    }
    this.assertSettled();
    const handles = this.tasks.all.map(({ stores }) => stores.handle(name));
    if (partition !== undefined) {
      checkPartition(`the store ${name}`, partition, handles.length);
      return handles[partition] as S;
    }
    const changelog = this.layout.owned.find(({ topic }) => topic === this.layout.changelogOf(name));
    return routedStore({
      shape,
      handles,
      partitions: changelog?.partitions ?? 1,
      check: () => {
        this.assertSettled();
      },
      written: (task) => {
        this.tasks.writtenBesides(task);
      },
    }) as S;
  }

  advanceWallClock(ms: Duration): void {
    if (!Number.isSafeInteger(ms) || ms < 0) {
      throw new MillraceError('CONFIG', `the wall clock cannot advance by ${ms}: a whole number of ms ≥ 0 is needed`);
    }
    this.guarded(() => {
      this.tasks.advanceTo(this.clock.now() + ms);
    });
  }

  metric(name: MetricName, tags: MetricTags = {}): number {
    return this.metrics.total(name, tags);
  }

  async settled(): Promise<void> {
    for (;;) {
      this.guarded(() => {
        this.tasks.run();
      });
      if (this.tasks.isSettled) return;
      await new Promise<void>((resolve) => {
        this.woken = resolve;
      });
      this.woken = ignore;
    }
  }

  restart(): void {
    this.failure = undefined;
    this.guarded(() => {
      this.tasks.start();
      this.tasks.run();
    });
  }

  close(): void {
    this.failure ??= { cause: new MillraceError('APPLICATION_CLOSED', 'this test of a topology is closed; make another') };
    this.tasks.close();
  }

  private configOf({ applicationId = 'test', strict, onProcessingError, logger }: TopologyTestOptions): CheckedConfig {
    const heard = (message: string): void => {
      if (!this.warnings.includes(message)) this.warnings.push(message);
    };
    return checkConfig({
      applicationId,
      brokers: ['none:0'],
      ...(strict !== undefined && { strict }),
      ...(onProcessingError !== undefined && { onProcessingError }),
      logger: {
        debug: (fields, message) => logger?.debug(fields, message),
        info: (fields, message) => logger?.info(fields, message),
        warn: (fields, message) => {
          heard(message);
          logger?.warn(fields, message);
        },
        error: (fields, message) => {
          heard(message);
          logger?.error(fields, message);
        },
      },
    });
  }

  private partitionsOf(topic: string): number {
    const read = [...this.plan.sources, ...this.plan.globals].map(({ name }) => name);
    if (!read.includes(topic)) throw unknownTopic(topic, 'read', read);
    return this.counts.get(topic) ?? 1;
  }

  private write<K, V>(topic: Topic<K, V>, record: KafkaRecord<K, V, Placement>, partition: number): void {
    const batch = this.piped.batchOf(topic, record);
    this.guarded(() => {
      if (this.globals.has(topic.name)) this.globals.append(topic.name, batch);
      if (this.plan.sources.some(({ name }) => name === topic.name)) this.tasks.deliver(topic.name, partition, batch);
      this.tasks.run();
    });
  }

  /** What makes a task stop ends the test, as it would end the application. */
  private guarded(work: () => void): void {
    if (this.failure !== undefined) throw this.failure.cause;
    try {
      work();
    } catch (cause) {
      this.failure = { cause };
      throw cause;
    }
  }

  private assertSettled(): void {
    if (this.tasks.isSettled) return;
    throw new MillraceError('UNSETTLED', 'a step of the topology waits for a promise: `await test.settled()` before you look');
  }
}

const ignore = (): void => undefined;

function writtenTopics(plan: Plan, layout: Layout, counts: ReadonlyMap<string, number>): ReadonlyMap<string, OutboxTopic> {
  const topics = [
    ...plan.sinks.map((name) => ({ name, partitions: counts.get(name) ?? 1 })),
    ...layout.owned.map(({ topic, partitions }) => ({ name: topic, partitions })),
  ];
  return new Map(topics.map((topic) => [topic.name, { ...topic, maxBytes: MAX_MESSAGE_BYTES }]));
}

function checkPartition(what: string, partition: number, partitions: number): void {
  if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return;
  throw new MillraceError('CONFIG', `${what} has no partition ${partition}: there are ${partitions}, from 0 on`);
}

function unknownTopic(topic: string, verb: string, known: readonly string[]): MillraceError {
  return new MillraceError('UNKNOWN_TOPIC', `the topology does not ${verb} "${topic}"; it ${verb}s ${named(known)}`, { where: { topic } });
}
