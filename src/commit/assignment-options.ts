import type { MillraceError } from '../errors/millrace-error';
import type { Fetcher } from '../kafka/fetcher';
import type { Logger } from '../model/logger';
import type { TaskStores } from '../state/task-stores';
import type { Loop } from '../task/loop';
import type { StreamTask } from '../task/stream-task';
import type { Clock } from '../time/clock';
import type { Layout } from './layout';
import type { StartPositions } from './start-positions';

/** Makes what a task needs; the composition of it is the application's business. */
export interface TaskFactory {
  /**
   * Brings them to the end of their changelogs, tables to their topic's committed position; true when there is committed state that its
   * own changelogs hold.
   */
  restore(task: number, stores: TaskStores, positions: ReadonlyMap<string, number>, cancelled: AbortSignal): Promise<boolean>;
  createTask(task: number, stores: TaskStores): StreamTask;
  /** Where its changelogs end, as far as is known here: a sum of offsets. */
  positionOf(stores: TaskStores): number;
}

/** Where the stores of tasks come from, and where they go. */
export interface StoresOfTasks {
  /** Opens them, once nobody else has their folder open. */
  open(task: number): Promise<TaskStores>;
  /** Those that are open already: of a standby, or of the task's last time here. To be called at once when the task has been assigned. */
  take(task: number): Promise<TaskStores | undefined>;
  /** Takes those of a task that was given up, all of whose work is committed, as they are. */
  rest(stores: TaskStores): void;
  close(stores: TaskStores): Promise<void>;
}

export interface AssignmentOptions {
  readonly layout: Layout;
  readonly fetcher: Fetcher;
  readonly loop: Loop;
  readonly starts: StartPositions;
  readonly factory: TaskFactory;
  readonly stores: StoresOfTasks;
  readonly clock: Clock;
  readonly logger: Logger;
  /** ms a task may take to reach a boundary when it is given up. */
  readonly drainWithinMs: number;
  /** Before a task begins: the transaction under way has been decided, the producer has been recovered if that was lost. */
  readonly beforeOpen: () => Promise<void>;
  /** Commits what is at a boundary and waits for it. */
  readonly commitNow: () => Promise<void>;
  readonly failed: (reason: MillraceError) => void;
  readonly changed: () => void;
}
