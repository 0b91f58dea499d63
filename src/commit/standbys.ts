import type { Fetcher } from '../kafka/fetcher';
import type { HeldTask } from '../kafka/held-tasks';
import type { FollowOrder } from '../kafka/membership-options';
import type { OffsetReader } from '../kafka/offsets';
import { partitionKey } from '../kafka/partition-key';
import type { Logger } from '../model/logger';
import type { Metrics } from '../model/metrics';
import type { TaskStores } from '../state/task-stores';
import type { Clock, TimerHandle } from '../time/clock';
import type { ChangelogTail } from './changelog-tail';
import { type CatchUp, positionsOf, StandbyTask } from './standby-task';
import type { TaskFolders } from './task-folders';
import { Turns } from './turns';
import { WarmUps } from './warm-ups';

export interface StandbysOptions {
  readonly groupId: string;
  readonly folders: TaskFolders;
  readonly catchUp: CatchUp;
  readonly fetcher: Fetcher;
  readonly offsets: OffsetReader;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly acceptableLag: number;
  readonly probingIntervalMs: number;
  /** A warm-up is near enough: asks the group for it. */
  readonly joinAnew: () => void;
  /** Called about once a second. */
  readonly looked: () => void;
}

/** ms between two looks: at what is committed of tables' topics, at warm-ups, at what is to be counted. */
const LOOK_MS = 1_000;
/** Looks between two notes on disk of positions that no record has moved. */
const LOOKS_PER_NOTE = 5;
/** Looks between two removals of folders that nobody uses. */
const LOOKS_PER_REMOVAL = 60;
/** Copies at once that are far behind: they compete with the work of active tasks. */
const CATCH_UPS_AT_ONCE = 2;
/** ms that the stores of a task that was given up stay open, until the group says whether it is to be followed. */
const REST_MS = 30_000;

/** Open stores that nobody uses: its task was given up, and may be followed, or come back. */
interface Resting {
  readonly stores: TaskStores;
  /** What is committed is on disk. */
  readonly flushed: Promise<void>;
  readonly timer: TimerHandle;
  /** No order was given since: the next is of the join by which it was given up, when its new owner does not have it yet. */
  isNew: boolean;
}

/**
 * The tasks whose changelogs this instance follows, and those that it has just given up. Stores go from one use to the next without being
 * closed: a standby's to the task that takes over, those of a task that was given up to its standby.
 */
export class Standbys {
  private readonly followed = new Map<number, StandbyTask>();
  private readonly resting = new Map<number, Resting>();
  private readonly closing = new Set<Promise<void>>();
  private readonly turns = new Turns(CATCH_UPS_AT_ONCE);
  private readonly warmUps: WarmUps;
  private readonly toApply = new Set<ChangelogTail>();
  private timer: TimerHandle | undefined;
  private looks = 0;
  private isAsking = false;
  private stopped = false;

  constructor(private readonly options: StandbysOptions) {
    const { acceptableLag, probingIntervalMs, clock, logger, joinAnew } = options;
    this.warmUps = new WarmUps({ acceptableLag, longestWaitMs: probingIntervalMs, clock, logger, joinAnew });
  }

  start(): void {
    if (this.stopped) return;
    this.timer = this.options.clock.setTimer(LOOK_MS, () => {
      this.look();
      this.start();
    });
  }

  /** Exactly these are followed from now on; what rests and is still not among them is closed. */
  follow({ standby, warmup }: FollowOrder): void {
    if (this.stopped) return;
    const wanted = new Set([...standby, ...warmup]);
    for (const [task, copy] of this.followed) {
      if (wanted.has(task)) continue;
      this.followed.delete(task);
      this.closes(copy.close());
    }
    for (const [task, resting] of this.resting) {
      if (!wanted.has(task) && resting.isNew) {
        resting.isNew = false;
        continue;
      }
      this.resting.delete(task);
      resting.timer.cancel();
      if (wanted.has(task)) this.begin(task, resting);
      else this.closes(this.closeResting(resting));
    }
    for (const task of wanted) if (!this.followed.has(task)) this.begin(task);
    this.warmUps.ordered(warmup, (task) => this.followed.get(task)?.lag);
  }

  /** The stores of a task that begins to work here, if they are open. From now on they are the caller's. */
  async take(task: number): Promise<TaskStores | undefined> {
    const copy = this.followed.get(task);
    const resting = this.resting.get(task);
    this.followed.delete(task);
    this.resting.delete(task);
    if (copy !== undefined) return copy.handOver();
    resting?.timer.cancel();
    return resting && this.flushed(resting);
  }

  /** Takes the stores of a task that has been given up: all it has committed and no more. */
  rest(stores: TaskStores): void {
    const { clock, logger } = this.options;
    const task = stores.partition;
    const flushed = stores.flush().catch((cause: unknown) => {
      logger.warn({ task, cause: String(cause) }, 'local state was not written; its changelog has it');
    });
    const timer = clock.setTimer(REST_MS, () => {
      const resting = this.resting.get(task);
      if (resting?.stores !== stores) return;
      this.resting.delete(task);
      this.closes(this.closeResting(resting));
    });
    const resting = { stores, flushed, timer, isNew: true };
    if (!this.stopped) this.resting.set(task, resting);
    else this.closes(this.closeResting(resting));
  }

  /** How far the state goes that is followed, or rests. */
  held(): HeldTask[] {
    const resting = [...this.resting].map(([task, { stores }]) => ({ task, position: positionsOf(stores), following: false }));
    const followed = [...this.followed].map(([task, { position }]) => ({ task, position: position ?? 0, following: true }));
    return [...resting, ...followed];
  }

  /** Closes everything; settles when all folders are closed. */
  async stop(): Promise<void> {
    for (const resting of this.resting.values()) resting.isNew = false;
    this.follow({ standby: [], warmup: [] });
    this.stopped = true;
    this.timer?.cancel();
    await Promise.allSettled(this.closing);
    this.options.fetcher.close();
  }

  // ---- following

  private begin(task: number, resting?: Resting): void {
    const { clock, logger, metrics, folders, catchUp, fetcher } = this.options;
    const { turns } = this;
    const tags = { task: String(task) };
    const applied = (records: number): void => {
      metrics.add('standby-records-total', records, tags);
    };
    const ready = (tail: ChangelogTail): void => {
      this.ready(tail);
    };
    const options = { number: task, folders, catchUp, turns, fetcher, clock, logger, ready, applied };
    this.followed.set(task, new StandbyTask(options, resting && this.flushed(resting)));
  }

  /** One bit of one copy, then whatever else there is to do in this process. */
  private ready(tail: ChangelogTail): void {
    const isFirst = this.toApply.size === 0;
    this.toApply.add(tail);
    if (isFirst) this.applyLater();
  }

  private applyLater(): void {
    this.options.clock.setImmediate(() => {
      const [tail] = this.toApply;
      if (tail === undefined) return;
      this.toApply.delete(tail);
      void tail.applyNext()?.then(() => {
        if (tail.isReady) this.ready(tail);
      });
      if (this.toApply.size > 0) this.applyLater();
    });
  }

  /** Undefined: they had to be closed, since the disk does not have all that they have committed. */
  private async flushed({ stores, flushed }: Resting): Promise<TaskStores | undefined> {
    await flushed;
    if (!stores.isBehind) return stores;
    await this.options.folders.close(stores);
    return undefined;
  }

  private async closeResting({ stores, flushed }: Resting): Promise<void> {
    await flushed;
    await this.options.folders.close(stores);
  }

  private closes(closing: Promise<void>): void {
    const watched = closing
      .catch((cause: unknown) => {
        this.options.logger.warn({ cause: String(cause) }, 'local state could not be closed');
      })
      .finally(() => this.closing.delete(watched));
    this.closing.add(watched);
  }

  // ---- now and then

  private look(): void {
    this.looks++;
    this.options.looked();
    for (const [task, copy] of this.followed) {
      for (const tail of copy.following) {
        const records = tail.takeCount();
        if (records > 0) this.options.metrics.add('standby-records-total', records, { task: String(task) });
        if (this.looks % LOOKS_PER_NOTE === 0) void tail.note();
      }
      if (this.looks % LOOKS_PER_NOTE === 0) this.options.logger.debug({ task, lag: copy.lag }, 'a task is followed, offsets behind');
    }
    this.warmUps.look((task) => this.followed.get(task)?.lag);
    void this.allowTables();
    if (this.looks % LOOKS_PER_REMOVAL === 0) this.removeUnused();
  }

  /** A table's topic may be read as far as the group has committed it: what lies behind is still to be pushed. */
  private async allowTables(): Promise<void> {
    const tables = [...this.followed.values()].flatMap(({ number, following }) =>
      following.filter(({ isTable }) => isTable).map((tail) => ({ tail, topic: tail.topic, partition: number })),
    );
    if (tables.length === 0 || this.isAsking) return;
    this.isAsking = true;
    const { offsets, groupId, clock, logger } = this.options;
    const askedAt = clock.now();
    try {
      const committed = await offsets.committedOffsets(
        groupId,
        tables.map(({ topic, partition }) => ({ topic, partition })),
      );
      const found = new Map(committed.map(({ topic, partition, offset }) => [partitionKey(topic, partition), offset]));
      for (const { tail, topic, partition } of tables) tail.allow(Math.max(0, found.get(partitionKey(topic, partition)) ?? 0), askedAt);
    } catch (cause) {
      logger.debug({ cause: String(cause) }, 'the committed offsets of tables were not given; copies of them wait');
    } finally {
      this.isAsking = false;
    }
  }

  private removeUnused(): void {
    const { folders, logger } = this.options;
    folders.removeUnused().catch((cause: unknown) => {
      logger.warn({ cause: String(cause) }, 'local state that nobody uses could not be removed');
    });
  }
}
