import type { HeldTask } from '../kafka/held-tasks';
import type { FetchedChunk } from '../kafka/partition-sink';
import type { TopicPartition } from '../kafka/port';
import type { InputBuffer } from '../task/input-buffer';
import { delay } from '../time/clock';
import type { AssignmentOptions } from './assignment-options';
import { partitionsOf } from './layout';
import { asMillraceError, stateWithoutOffsets } from './opening-errors';
import { OwnedTask } from './owned-task';
import { RecentPositions } from './recent-positions';
import type { TaskPositions } from './start-positions';
import type { TaskStores } from '../state/task-stores';

/** Bytes of one input kept in memory, processed ones that are not committed yet included: above, its fetches pause. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;

/**
 * The tasks this instance owns, from assignment to revocation. On assignment strictly: committed offsets and cells → high watermark →
 * restore → seek → push. A transaction that did not commit takes the same way, from "committed offsets" on.
 */
export class TaskAssignment {
  private readonly owned = new Map<number, OwnedTask>();
  /** Each at its own pace: by task, what is being done for it, one thing after the other. */
  private readonly queues = new Map<OwnedTask, Promise<void>>();
  private readonly closing = new Set<Promise<void>>();
  private readonly recent: RecentPositions;

  constructor(private readonly options: AssignmentOptions) {
    this.recent = new RecentPositions(options.clock);
  }

  /** Everything assigned and not dropped. */
  all(): readonly OwnedTask[] {
    return [...this.owned.values()];
  }

  /** All that was assigned is being pushed. */
  get ready(): boolean {
    return this.all().every(({ running }) => running);
  }

  assigned(tasks: readonly number[]): void {
    for (const number of tasks) {
      const owned = new OwnedTask(number);
      this.owned.set(number, owned);
      this.options.loop.expect(number);
      // At once: what the group says next may be that it is followed no more.
      const taken = this.options.stores.take(number);
      taken.catch(() => undefined);
      this.enqueue(owned, () => this.open(owned, taken), true);
    }
    this.options.changed();
  }

  /** How far the state of each goes, as of a moment ago. */
  held(): HeldTask[] {
    return [...this.positions()].map(([task, position]) => ({ task, position: this.recent.of(task, position), following: false }));
  }

  /** To be called about once a second. */
  notePositions(): void {
    this.recent.note(this.positions());
  }

  private positions(): ReadonlyMap<number, number> {
    const { factory } = this.options;
    return new Map(this.all().flatMap(({ number, stores }) => (stores === undefined ? [] : [[number, factory.positionOf(stores)]])));
  }

  /** Starts again at committed offsets: what they pushed since is undone. */
  revive(tasks: readonly OwnedTask[]): void {
    for (const owned of tasks) {
      if (owned.dropped) continue;
      owned.contributes = false;
      if (owned.leaving) continue;
      this.pause(owned);
      this.enqueue(owned, () => this.begin(owned));
    }
    this.options.changed();
  }

  /** Nothing of these may be committed any more. */
  lost(): void {
    for (const owned of this.all()) {
      this.drop(owned);
      this.enqueue(owned, () => this.closeStores(owned), true);
    }
    this.options.changed();
  }

  /**
   * Drains, commits, closes, or with `rest` leaves the stores open for whoever follows. What does not reach a boundary in time is dropped:
   * its work is not committed.
   */
  async revoked(tasks: readonly number[], rest = false): Promise<void> {
    const leaving = tasks.map((number) => this.owned.get(number)).filter((owned) => owned !== undefined);
    const worked = new Set(leaving.filter(({ running }) => running));
    for (const owned of leaving) {
      owned.leaving = true;
      this.pause(owned);
    }
    await this.untilBoundaries(leaving);
    for (const owned of leaving) if (owned.task?.atBoundary === false) this.drop(owned);
    await this.options.commitNow();
    for (const owned of leaving) if (owned.dropped || owned.stores?.hasSealed === true) worked.delete(owned);
    for (const owned of leaving) this.drop(owned);
    const resting = leaving.filter((owned) => rest && worked.has(owned));
    for (const owned of resting) this.restStores(owned);
    await Promise.all(leaving.map((owned) => this.closeStores(owned)));
    this.options.changed();
  }

  /** Settles when everything dropped has been closed, what a revocation was closing when its time was up included. */
  async closed(): Promise<void> {
    while (this.queues.size > 0) await Promise.all(this.queues.values());
    await Promise.allSettled(this.closing);
  }

  /** Fetches again what had to wait for memory; called between slices. */
  relieve(): void {
    for (const owned of this.owned.values()) {
      if (!owned.running) continue;
      for (const at of partitionsOf(this.options.layout, owned.number)) {
        const buffer = owned.task?.buffer(at.topic);
        if (buffer === undefined || !buffer.paused || buffer.bytes > MAX_BUFFERED_BYTES / 2) continue;
        buffer.paused = false;
        this.options.fetcher.resume(at.topic, at.partition);
      }
    }
  }

  // ---- each starts as soon as it is ready

  private enqueue(owned: OwnedTask, work: () => Promise<void>, evenIfDropped = false): void {
    const queue = (this.queues.get(owned) ?? Promise.resolve()).then(async () => {
      if (owned.dropped && !evenIfDropped) return;
      try {
        await work();
      } catch (cause) {
        if (owned.dropped) return;
        this.options.failed(asMillraceError(cause, owned.number));
      }
    });
    this.queues.set(owned, queue);
    void queue.then(() => {
      if (this.queues.get(owned) === queue) this.queues.delete(owned);
    });
  }

  private async open(owned: OwnedTask, taken: Promise<TaskStores | undefined>): Promise<void> {
    const { stores: source } = this.options;
    let stores = await taken;
    if (stores === undefined && owned.dropped) return;
    stores ??= await source.open(owned.number);
    owned.stores = stores;
    if (owned.dropped) {
      await this.closeStores(owned);
      return;
    }
    await this.begin(owned);
  }

  private async begin(owned: OwnedTask): Promise<void> {
    const { starts, factory, layout, loop, logger } = this.options;
    const { stores, number } = owned;
    if (stores === undefined) return;
    owned.beginnings++;
    owned.contributes = false;
    this.pause(owned);
    await this.options.beforeOpen();
    const inputs = partitionsOf(layout, number);
    const start = await starts.of(inputs);
    stores.abort();
    const hasState = await factory.restore(number, stores, start.positions, owned.cancelled);
    // Before anything is committed: the next start would take it for where the state was left.
    if (!start.known && hasState && !owned.dropped) {
      if (!(await starts.of(inputs)).known) throw stateWithoutOffsets(number);
      // It is another's by now, or was: that one has committed since the offsets were read.
      return this.begin(owned);
    }
    await starts.commit(start.resolved, owned.cancelled);
    if (owned.dropped || owned.leaving) return;
    // Not before: it may be one that worked on these stores before, and is stopped.
    const task = (owned.task ??= factory.createTask(number, stores));
    task.start(start.positions, start.cells);
    this.fetch(owned, inputs, start);
    owned.contributes = true;
    owned.running = true;
    loop.add(task);
    logger.info({ task: number, positions: Object.fromEntries(start.positions) }, 'task started');
    this.options.changed();
  }

  private fetch(owned: OwnedTask, inputs: readonly TopicPartition[], start: TaskPositions): void {
    const { fetcher, loop, failed } = this.options;
    for (const { topic, partition } of inputs) {
      const buffer = owned.task?.buffer(topic);
      if (buffer === undefined) continue;
      fetcher.add({
        topic,
        partition,
        offset: start.positions.get(topic) ?? 0,
        sink: {
          chunk: (chunk) => {
            this.receive(owned, buffer, chunk);
            loop.wake();
          },
          progress: ({ next, lastStableOffset }) => {
            buffer.told(next, lastStableOffset);
            loop.wake();
          },
          outOfRange: ({ requested, logStart }) => {
            this.outOfRange(owned, { topic, partition }, requested, logStart);
          },
          failed,
        },
      });
    }
  }

  private receive(owned: OwnedTask, buffer: InputBuffer, chunk: FetchedChunk): void {
    if (owned.task?.buffer(buffer.declaration.topic) !== buffer) return;
    buffer.append(chunk);
    if (buffer.bytes <= MAX_BUFFERED_BYTES || buffer.paused) return;
    buffer.paused = true;
    this.options.fetcher.pause(buffer.declaration.topic, buffer.declaration.partition);
  }

  private outOfRange(owned: OwnedTask, at: TopicPartition, requested: number, logStart: number): void {
    const { logger, starts } = this.options;
    const place = `topic "${at.topic}", partition ${String(at.partition)}: committed position ${String(requested)} is outside the log, which begins at ${String(logStart)}`;
    const { beginnings } = owned;
    this.pause(owned);
    this.enqueue(owned, async () => {
      if (owned.beginnings !== beginnings) return;
      await this.options.commitNow();
      owned.contributes = false;
      const moved = await starts.move(at, owned.cancelled);
      logger.error({ ...at, requested, logStart, moved }, `${place}; going on at ${String(moved)} by the topic's "from"`);
      await this.begin(owned);
    });
  }

  // ---- ending

  /** Keeps its work, but pushes and fetches no more. */
  private pause(owned: OwnedTask): void {
    owned.running = false;
    if (owned.task !== undefined) this.options.loop.remove(owned.task);
    for (const { topic, partition } of partitionsOf(this.options.layout, owned.number)) this.options.fetcher.remove(topic, partition);
  }

  private drop(owned: OwnedTask): void {
    this.pause(owned);
    owned.drop();
    this.options.loop.expectNoMore(owned.number);
    owned.task?.stop();
    if (this.owned.get(owned.number) === owned) this.owned.delete(owned.number);
  }

  private closeStores(owned: OwnedTask): Promise<void> {
    const { stores } = owned;
    owned.stores = undefined;
    if (stores === undefined) return Promise.resolve();
    const closing = this.flushAndClose(owned, stores).finally(() => this.closing.delete(closing));
    this.closing.add(closing);
    return closing;
  }

  /** Nothing of them is private or uncertain any more. */
  private restStores(owned: OwnedTask): void {
    const { stores } = owned;
    owned.stores = undefined;
    if (stores === undefined) return;
    stores.abort();
    this.options.stores.rest(stores);
  }

  private async flushAndClose(owned: OwnedTask, stores: TaskStores): Promise<void> {
    stores.abort();
    try {
      await stores.flush();
    } catch (cause) {
      this.options.logger.warn({ task: owned.number, cause: String(cause) }, 'local state was not written; its changelog has it');
    } finally {
      await this.options.stores.close(stores);
    }
  }

  private async untilBoundaries(leaving: readonly OwnedTask[]): Promise<void> {
    const { clock, drainWithinMs } = this.options;
    const deadline = clock.monotonic() + drainWithinMs;
    for (;;) {
      for (const { task } of leaving) task?.settle();
      if (leaving.every(({ task }) => task?.atBoundary !== false) || clock.monotonic() >= deadline) return;
      await delay(clock, 5);
    }
  }
}
