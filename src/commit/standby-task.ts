import { MillraceError } from '../errors/millrace-error';
import type { Fetcher } from '../kafka/fetcher';
import type { Logger } from '../model/logger';
import type { Changelog } from '../state/restore';
import type { TaskStores } from '../state/task-stores';
import type { Clock } from '../time/clock';
import { ChangelogTail } from './changelog-tail';
import type { TaskFolders } from './task-folders';
import type { Turns } from './turns';

/**
 * Brings the stores of a task that another works on to where its changelogs end now, tables to what is committed of their topic; what
 * does not hold any more is rebuilt. Gives the changelogs that the task has. `applied` is told how many records that took, bit by bit.
 */
export type CatchUp = (
  task: number,
  stores: TaskStores,
  cancelled: AbortSignal,
  applied: (records: number) => void,
) => Promise<readonly Changelog[]>;

export interface StandbyTaskOptions {
  readonly number: number;
  readonly folders: Pick<TaskFolders, 'open' | 'close'>;
  readonly catchUp: CatchUp;
  /** Catching up, over all standbys. */
  readonly turns: Turns;
  readonly fetcher: Fetcher;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A tail has something to apply. */
  readonly ready: (tail: ChangelogTail) => void;
  readonly applied: (records: number) => void;
}

/** ms until it is tried again, doubled each time it fails anew, … */
const FIRST_WAIT_MS = 1_000;
/** … up to this. After as long without trouble the first one holds again. */
const LONGEST_WAIT_MS = 60_000;

/**
 * A copy of a task's state that is kept up to date while another instance works on the task. Whatever befalls it is its own trouble, never
 * that of the instance: it is said, and tried again; what lies on disk is corrupted is rebuilt. No value of it is in memory.
 */
export class StandbyTask {
  readonly number: number;
  private stores: TaskStores | undefined;
  /** Undefined: it is not following yet. */
  private tails: readonly ChangelogTail[] | undefined;
  /** What the stores know in memory of what is on disk may not be true any more. */
  private isStale = false;
  private readonly cancel = new AbortController();
  private readonly running: Promise<void>;
  private broken: (reason: MillraceError) => void = () => undefined;

  /** @param adopted open stores of the task that nobody uses any more: all that is committed of them is on disk */
  constructor(
    private readonly options: StandbyTaskOptions,
    private adopted?: Promise<TaskStores | undefined>,
  ) {
    this.number = options.number;
    this.running = this.run();
  }

  /** Offsets behind the end of its changelogs; undefined: not yet known. */
  get lag(): number | undefined {
    let sum = 0;
    for (const tail of this.tails ?? [undefined]) {
      const lag = tail?.lag;
      if (lag === undefined) return undefined;
      sum += lag;
    }
    return sum;
  }

  /** Sum of its positions; undefined: its folder is not open. */
  get position(): number | undefined {
    if (this.tails !== undefined) return this.tails.reduce((sum, { position }) => sum + Math.max(0, position), 0);
    return this.stores === undefined ? undefined : positionsOf(this.stores);
  }

  get following(): readonly ChangelogTail[] {
    return this.tails ?? [];
  }

  /** Ends following, and gives the stores as whoever is to work with them needs them; undefined: there are none, or they are of no use. */
  async handOver(): Promise<TaskStores | undefined> {
    await this.end();
    const { stores } = this;
    this.stores = undefined;
    if (stores === undefined || !this.isStale) return stores;
    try {
      for (const name of stores.names) {
        const { entries } = stores.restorable(name);
        entries.reset();
        await entries.reload();
      }
      return stores;
    } catch (cause) {
      this.options.logger.warn({ task: this.number, cause: String(cause) }, `the copy of task ${this.number} cannot be gone on with`);
      await this.options.folders.close(stores);
      return undefined;
    }
  }

  /** Ends following and closes the stores; what they hold stays on disk. */
  async close(): Promise<void> {
    await this.end();
    await this.closeStores();
  }

  private isEnding(): boolean {
    return this.cancel.signal.aborted;
  }

  private async end(): Promise<void> {
    this.cancel.abort();
    await this.running;
  }

  private async closeStores(): Promise<void> {
    const { stores } = this;
    this.stores = undefined;
    if (stores !== undefined) await this.options.folders.close(stores);
  }

  // ---- one try after the other

  private async run(): Promise<void> {
    const { clock } = this.options;
    let wait = FIRST_WAIT_MS;
    while (!this.isEnding()) {
      const since = clock.monotonic();
      try {
        await this.follow();
      } catch (cause) {
        if (clock.monotonic() - since > LONGEST_WAIT_MS) wait = FIRST_WAIT_MS;
        await this.recover(asMillraceError(cause), wait);
        wait = Math.min(2 * wait, LONGEST_WAIT_MS);
      }
    }
    await this.rest();
  }

  /** Resolves when it is to end, rejects when something is wrong. */
  private async follow(): Promise<void> {
    const { signal } = this.cancel;
    const { adopted } = this;
    this.adopted = undefined;
    this.stores ??= await adopted;
    if (this.isEnding()) return;
    this.stores ??= await this.options.folders.open(this.number);
    if (this.isEnding()) return;
    const changelogs = await this.caughtUp(this.stores);
    if (this.isEnding()) return;
    const isOver = new Promise<void>((resolve, reject) => {
      this.broken = reject;
      signal.addEventListener('abort', () => {
        resolve();
      });
    });
    this.tails = changelogs.map((changelog) => this.tailOf(changelog, this.stores!));
    for (const tail of this.tails) tail.start();
    this.options.logger.info({ task: this.number }, `task ${this.number} is followed`);
    await isOver;
  }

  private async caughtUp(stores: TaskStores): Promise<readonly Changelog[]> {
    const { turns, catchUp, applied } = this.options;
    const done = await turns.take(this.cancel.signal);
    try {
      if (this.isEnding()) return [];
      this.isStale = true;
      // What is in memory of values is let go of: others write them from now on.
      for (const name of stores.names) stores.restorable(name).entries.reset();
      return await catchUp(this.number, stores, this.cancel.signal, applied);
    } finally {
      done();
    }
  }

  private tailOf(changelog: Changelog, stores: TaskStores): ChangelogTail {
    const { fetcher, clock, ready, number } = this.options;
    const failed = (reason: MillraceError): void => {
      this.broken(reason);
    };
    return new ChangelogTail({ changelog, partition: number, store: stores.restorable(changelog.store), fetcher, clock, ready, failed });
  }

  /** Nothing is fetched or written any more. */
  private async rest(): Promise<void> {
    const { tails = [] } = this;
    this.tails = undefined;
    await Promise.all(tails.map((tail) => tail.stop()));
  }

  private async recover(reason: MillraceError, waitMs: number): Promise<void> {
    await this.rest();
    const { number } = this;
    if (this.isEnding()) return;
    const { logger } = this.options;
    const said = `the copy of task ${number} is behind, and tried again in ${waitMs} ms: ${reason.message}`;
    if (reason.retryable) logger.warn({ task: number, code: reason.code }, said);
    else logger.error({ task: number, code: reason.code }, said);
    if (this.stores !== undefined && isCorrupted(this.stores)) {
      await this.closeStores().catch((cause: unknown) => {
        logger.warn({ task: number, cause: String(cause) }, 'corrupted local state could not be removed');
      });
    }
    await this.pause(waitMs);
  }

  private pause(ms: number): Promise<void> {
    const { signal } = this.cancel;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.options.clock.setTimer(ms, resolve);
      signal.addEventListener('abort', () => {
        timer.cancel();
        resolve();
      });
    });
  }
}

/** Next offsets of all its changelogs, added up. */
export function positionsOf(stores: TaskStores): number {
  return stores.names.reduce((sum, name) => sum + Math.max(0, stores.position(name)), 0);
}

function isCorrupted(stores: TaskStores): boolean {
  return stores.names.some((name) => stores.restorable(name).directory.bytes.isCorrupted);
}

function asMillraceError(cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause;
  return new MillraceError('STATE_IO', String(cause), { cause, retryable: true });
}
