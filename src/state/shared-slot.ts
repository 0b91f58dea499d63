import { join } from 'node:path';
import type { OpenBytes } from './open-bytes';
import { foldersOfTasks, type Slot } from './slot';

/** What the threads of a process are told of the slot that their main thread holds. */
export interface SharedSlot {
  readonly id: string;
  readonly directory: string;
}

/**
 * The slot of the process as one of its threads has it. Folders of tasks are common to all: a task may move from thread to thread, and the
 * kernel's lock on its folder keeps out whoever comes before the other has closed it. Global tables are each thread's own. Notes it has
 * none: they are in the database that holds the slot, which the main thread has open, so that folders are looked into at the start.
 */
export function slotOfThread({ id, directory }: SharedSlot, thread: number, openBytes: OpenBytes): Slot {
  // No topic's name has a tilde.
  const ending = thread === 0 ? '' : `~${thread}`;
  return {
    id,
    ...foldersOfTasks(directory, openBytes),
    globalDirectory: (topic) => join(directory, `global-${topic}${ending}`),
    release: () => Promise.resolve(),
  };
}
