import type { TaskStores } from '../state/task-stores';
import type { StreamTask } from '../task/stream-task';

/**
 * A task from its assignment to its end. `dropped` once it was lost or given up: then nothing of it may be committed, even if the
 * same number is assigned to this instance again, because another may have worked on it in between.
 */
export class OwnedTask {
  task: StreamTask | undefined;
  stores: TaskStores | undefined;
  get dropped(): boolean {
    return this.cancelled.aborted;
  }
  /** Pushed by the loop: opened, not draining. */
  running = false;
  /** What it has done since the last seal stands on committed ground: may be sealed. False from an abort until it began anew. */
  contributes = false;
  /** It is being given up: it does not begin anew. */
  leaving = false;
  /** How often it has begun: what is said of an earlier beginning no longer holds. */
  beginnings = 0;

  private readonly cancel = new AbortController();

  constructor(readonly number: number) {}

  /** Ends what is being done for it: a restore under way stops. */
  get cancelled(): AbortSignal {
    return this.cancel.signal;
  }

  drop(): void {
    this.cancel.abort();
  }
}
