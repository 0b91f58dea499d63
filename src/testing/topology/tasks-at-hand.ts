import { streamTask, taskParts, type TaskGround, type TaskParts } from '../../commit/task-parts';
import { MillraceError } from '../../errors/millrace-error';
import { partitionOf } from '../../kafka/partitioner';
import type { EncodedBatch } from '../../kafka/batch-encode';
import type { Metrics } from '../../model/metrics';
import type { Outgoing } from '../../model/outgoing';
import { TaskStores } from '../../state/task-stores';
import type { SealedTask, StreamTask } from '../../task/stream-task';
import type { HandClock } from './hand-clock';
import { TopicLog } from './topic-log';

export interface TasksAtHandOptions extends TaskGround {
  readonly clock: HandClock;
  readonly metrics: Metrics;
}

/** A task with what it would find again after a restart. */
export interface TaskAtHand extends TaskParts {
  readonly number: number;
  readonly task: StreamTask;
  readonly stores: TaskStores;
  readonly positions: Map<string, number>;
  /** As committed with the positions. */
  metadata: string;
}

/**
 * All tasks of a topology in one place: the tasks an application runs, without group, transactions and broker. What one of them seals
 * arrives at once where it is sent; everything is over when nothing moves any more.
 */
export class TasksAtHand {
  readonly all: readonly TaskAtHand[];
  private readonly logs = new Map<string, TopicLog>();

  constructor(private readonly options: TasksAtHandOptions) {
    const { layout, written } = options;
    for (const { topic, partitions } of layout.inputs) this.logs.set(topic, new TopicLog(topic, partitions));
    for (const { name, partitions } of written.values()) if (!this.logs.has(name)) this.logs.set(name, new TopicLog(name, partitions));
    this.all = Array.from({ length: layout.tasks }, (_, number) => this.make(number));
  }

  /** @throws whatever the topology throws when it is assembled */
  start(): void {
    for (const at of this.all) {
      at.stores.abort();
      at.task.start(at.positions, at.metadata);
      this.check(at);
      for (const { topic, partitions } of this.options.layout.inputs) {
        if (at.number >= partitions) continue;
        for (const chunk of this.log(topic).left(at.number)) at.task.buffer(topic)?.append(chunk);
      }
    }
  }

  log(topic: string): TopicLog {
    return this.logs.get(topic)!;
  }

  /** Appends to a topic; whoever reads the partition has it at once. */
  deliver(topic: string, partition: number, batch: EncodedBatch): void {
    const log = this.log(topic);
    const chunk = log.append(partition, batch);
    const buffer = this.all[partition]?.task.buffer(topic);
    if (buffer === undefined) return;
    log.keep(partition, chunk);
    buffer.append(chunk);
  }

  /** Nothing waits for a promise. */
  get isSettled(): boolean {
    return this.all.every(({ task }) => task.atBoundary);
  }

  /** Pushes and commits until nothing moves. @throws what makes a task stop, after everything before it was committed */
  run(): void {
    for (;;) {
      while (this.options.clock.callImmediates());
      const next = this.next();
      if (next !== undefined) this.push(next);
      else if (!this.commitAll()) break;
    }
    // A promise that was rejected stops a task outside any push.
    for (const at of this.all) this.check(at);
  }

  /** Moves the wall clock, and stops wherever something is due on the way. */
  advanceTo(end: number): void {
    const { clock } = this.options;
    for (;;) {
      const timers = this.all.filter(({ task }) => task.atBoundary && task.halted === undefined).map(({ task }) => task.clock.nextDue);
      const next = Math.min(clock.nextDue, ...timers);
      if (next > end) break;
      clock.moveTo(Math.max(next, clock.now()));
      this.run();
    }
    clock.moveTo(end);
    this.run();
  }

  /** A test has written to a store: what it wrote is committed ground, for undo and restart. */
  writtenBesides(number: number): void {
    const at = this.all[number]!;
    at.stores.seal(() => undefined);
    at.metadata = at.cells.seal();
    at.stores.committed(new Map());
    at.cells.commit();
  }

  close(): void {
    for (const { task, stores } of this.all) {
      task.stop();
      void stores.close();
    }
  }

  // ---- one after the other

  private make(number: number): TaskAtHand {
    const { layout, clock } = this.options;
    const parts = taskParts(layout, number, clock);
    const stores = new TaskStores({ shapes: layout.stores, partition: number, scope: parts.scope, clock, freeze: true });
    const inputs = layout.inputs.filter(({ partitions }) => number < partitions);
    const positions = new Map(inputs.map(({ topic }): [string, number] => [topic, 0]));
    return { ...parts, number, task: streamTask(this.options, number, stores, parts), stores, positions, metadata: '' };
  }

  /** The task whose turn it is: the oldest record first, as the loop of an application has it; what a push has left to do before that. */
  private next(): TaskAtHand | undefined {
    let found: TaskAtHand | undefined;
    let oldest = Infinity;
    for (const at of this.all) {
      if (!at.task.runnable) continue;
      const time = at.scope.steps.length > 0 || at.task.clock.isDue ? -Infinity : at.task.nextTimestamp;
      if (found !== undefined && time >= oldest) continue;
      found = at;
      oldest = time;
    }
    return found;
  }

  /** One record with all the steps it leaves to do. */
  private push(at: TaskAtHand): void {
    const { task, scope } = at;
    do task.pushNext();
    while (scope.steps.length > 0 && task.atBoundary && task.halted === undefined);
    // Between an undo and its replay a commit would forget what the replay has to leave out.
    if (!task.runnable || this.hasAdvanced(at)) this.commit(at);
    this.check(at);
  }

  private hasAdvanced({ task, positions }: TaskAtHand): boolean {
    for (const [topic, committed] of positions) if (task.buffer(topic)?.position !== committed) return true;
    return false;
  }

  private check({ task }: TaskAtHand): void {
    if (task.halted !== undefined) throw task.halted;
  }

  /** Also what was skipped without a push. False: nothing had moved. */
  private commitAll(): boolean {
    let moved = false;
    for (const at of this.all) if (this.commit(at)) moved = true;
    return moved;
  }

  private commit(at: TaskAtHand): boolean {
    const sealed = at.task.atBoundary ? at.task.seal() : undefined;
    if (sealed === undefined) return false;
    const { layout, metrics } = this.options;
    const batches = this.send(sealed);
    const changelogs = layout.stores.map(({ name }): [string, number] => [name, this.log(layout.changelogOf(name)).end(at.number)]);
    for (const { topic, offset, metadata } of sealed.offsets) {
      at.positions.set(topic, offset);
      if (metadata !== '') at.metadata = metadata;
      this.log(topic).committed(at.number, offset);
    }
    at.task.committed(sealed, new Map(changelogs));
    metrics.add('process-total', sealed.records, { task: String(at.number) });
    sealed.counted.mergeInto(metrics, at.number);
    this.publish(at, sealed.watched, batches);
    return true;
  }

  /** Gives what was sent by topic and partition, record by record. */
  private send({ batches }: SealedTask): Map<string, { readonly offset: number; readonly bytes: Buffer }[]> {
    const sent = new Map<string, { offset: number; bytes: Buffer }[]>();
    for (const { topic, partition, batch } of batches) {
      const place = `${topic} ${partition}`;
      const records = sent.get(place) ?? [];
      const first = this.log(topic).end(partition);
      for (let i = 0; i < batch.recordCount; i++) records.push({ offset: first + i, bytes: batch.bytes });
      sent.set(place, records);
      this.deliver(topic, partition, batch);
    }
    return sent;
  }

  /** Batches hold the order within a partition; what was emitted holds the order among them. */
  private publish(at: TaskAtHand, emitted: readonly Outgoing[], sent: Map<string, { offset: number; bytes: Buffer }[]>): void {
    for (const { destination, key } of emitted) {
      const log = this.log(destination.name);
      const isKeyless = key === null || key === undefined;
      const partition = isKeyless
        ? at.number % log.partitions
        : partitionOf(destination.key, key, destination.key.encode(key), log.partitions);
      const record = sent.get(`${destination.name} ${partition}`)?.shift();
      if (record === undefined) throw unstablePartition(destination.name);
      log.publish({ partition, ...record });
    }
  }
}

function unstablePartition(topic: string): MillraceError {
  return new MillraceError('ENCODE', `the key codec of topic "${topic}" gives other bytes for the same key the second time`, {
    where: { topic },
  });
}
