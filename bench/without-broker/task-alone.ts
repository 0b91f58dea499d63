import { layOut } from '../../src/commit/layout';
import { streamTask, taskParts } from '../../src/commit/task-parts';
import { MAX_MESSAGE_BYTES } from '../../src/commit/written-topics';
import type { FetchedChunk } from '../../src/kafka/partition-sink';
import { openLevelBytes } from '../../src/level/level-bytes';
import { silentLogger } from '../../src/model/logger';
import { openTaskStores, type TaskStores } from '../../src/state/task-stores';
import { Loop } from '../../src/task/loop';
import type { OutboxTopic } from '../../src/task/outbox';
import { planTopology } from '../../src/task/plan';
import type { SealedTask, StreamTask } from '../../src/task/stream-task';
import type { Topology } from '../../src/task/topology';
import { systemClock } from '../../src/time/system-clock';

/**
 * By records, not by time: whatever is faster would be committed in larger parts, of which less goes to the changelog. At 100,000
 * records/s it is the application's 100 ms.
 */
const RECORDS_PER_COMMIT = 10_000;
/** Likewise: the application's 5 s. */
const COMMITS_PER_FLUSH = 50;
/** What the fetcher of an application has at hand. */
const FETCHED_AHEAD_BYTES = 4 * 1024 * 1024;

const NAME = 'bench';

export interface TaskAloneOptions {
  /** Reads one topic. */
  readonly topology: Topology;
  /** Of LevelDB. */
  readonly directory: string;
  /** After each commit: how many records were pushed so far. */
  readonly committed?: (records: number) => void;
}

/**
 * One task as an application runs it, and no broker: records come decoded from batches, operators work over LevelDB, outputs and changelog
 * are encoded into batches, sealed every 10,000 records, committed at once, and flushed every 500,000, or when much waits.
 */
export class TaskAlone {
  readonly topic: string;
  /** Pushed and committed. */
  records = 0;
  outputs = 0;
  changelogRecords = 0;
  private readonly changelogEnds = new Map<string, number>();
  private ended: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;
  private commits = 0;
  private source: Iterator<FetchedChunk> | undefined;

  private constructor(
    private readonly task: StreamTask,
    private readonly stores: TaskStores,
    private readonly loop: Loop,
    private readonly layout: ReturnType<typeof layOut>,
    private readonly report: (records: number) => void,
  ) {
    this.topic = layout.inputs[0]!.topic;
  }

  static async open({ topology, directory, committed = () => undefined }: TaskAloneOptions): Promise<TaskAlone> {
    const clock = systemClock;
    const plan = planTopology(topology, clock);
    const layout = layOut(plan, NAME, new Map(plan.sources.map(({ name }) => [name, 1])));
    const names = [...plan.sinks, ...layout.owned.map(({ topic }) => topic)];
    const written = new Map(names.map((name): [string, OutboxTopic] => [name, { name, partitions: 1, maxBytes: MAX_MESSAGE_BYTES }]));
    const parts = taskParts(layout, 0, clock);
    const stores = await openTaskStores({
      shapes: layout.stores,
      partition: 0,
      scope: parts.scope,
      clock,
      directory,
      openBytes: (folder, options) => openLevelBytes(folder, { clock, ...options }),
      flushIntervalMs: Infinity,
    });
    const config = { compression: 'none', logger: silentLogger, strict: false, onProcessingError: 'fail' } as const;
    const loop: Loop = new Loop({ clock, fairInEventTime: false, afterSlice: () => alone.afterSlice() });
    const ground = { config, layout, topology, clock, written, globalRows: noGlobalRows, isWatched: () => false, wake: () => loop.wake() };
    const task = streamTask(ground, 0, stores, parts);
    const alone: TaskAlone = new TaskAlone(task, stores, loop, layout, committed);
    task.start(new Map(layout.inputs.map(({ topic }) => [topic, 0])), '');
    return alone;
  }

  /** Settles when all of it is committed and flushed. */
  run(source: Iterator<FetchedChunk>): Promise<void> {
    this.source = source;
    this.feed();
    return new Promise((resolve, reject) => {
      this.ended = { resolve, reject };
      this.loop.add(this.task);
    });
  }

  async close(): Promise<void> {
    this.loop.stop();
    this.task.stop();
    await this.stores.close();
  }

  private afterSlice(): void {
    if (this.ended === undefined) return;
    try {
      if (this.task.halted !== undefined) throw this.task.halted;
      this.feed();
      const isDone = this.source === undefined && !this.task.runnable;
      const pushed = this.task.buffer(this.topic)!.position - this.records;
      if (pushed < RECORDS_PER_COMMIT && !isDone) return;
      this.commit();
      if (isDone) this.end();
    } catch (error) {
      this.ended?.reject(error);
      this.ended = undefined;
    }
  }

  private feed(): void {
    const buffer = this.task.buffer(this.topic)!;
    while (this.source !== undefined && buffer.bytes < FETCHED_AHEAD_BYTES) {
      const next = this.source.next();
      if (next.done === true) this.source = undefined;
      else buffer.append(next.value);
    }
    this.loop.wake();
  }

  private commit(): void {
    const sealed = this.task.atBoundary ? this.task.seal() : undefined;
    if (sealed === undefined) return;
    this.task.committed(sealed, this.endsOf(sealed));
    this.records += sealed.records;
    this.outputs += sealed.outputs;
    this.commits++;
    if (this.commits % COMMITS_PER_FLUSH === 0 || this.stores.flushDue()) this.flush();
    this.report(this.records);
  }

  private flush(): void {
    this.stores.flush().catch((error: unknown) => this.ended?.reject(error));
  }

  /** What a broker would say of the changelogs. */
  private endsOf({ batches }: SealedTask): ReadonlyMap<string, number> {
    const ends = new Map<string, number>();
    for (const { name } of this.layout.stores) {
      const changelog = this.layout.changelogOf(name);
      const before = this.changelogEnds.get(name) ?? 0;
      const added = batches.reduce((sum, { topic, batch }) => sum + (topic === changelog ? batch.recordCount : 0), 0);
      if (added === 0) continue;
      this.changelogRecords += added;
      this.changelogEnds.set(name, before + added);
      ends.set(name, before + added);
    }
    return ends;
  }

  private end(): void {
    const { resolve, reject } = this.ended!;
    this.ended = undefined;
    this.stores.flush().then(resolve, reject);
  }
}

function noGlobalRows(): never {
  throw new Error('there are no global tables here');
}
