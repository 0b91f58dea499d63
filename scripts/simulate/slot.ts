import { MillraceError } from '../../src/errors/millrace-error';
import type { OpenBytes } from '../../src/state/open-bytes';
import type { Slot } from '../../src/state/slot';
import type { Clock } from '../../src/time/clock';
import type { Disk } from './disk';

/** The slot of a process on its machine's disk: tasks and global tables have folders, and there is one for notes. */
export async function slotOn(disk: Disk, name: string, clock: Clock, openBytes: OpenBytes): Promise<Slot> {
  const folder = `${name}/notes`;
  const notes = await openBytes(folder).catch((cause: unknown) => {
    if (!(cause instanceof MillraceError) || cause.code !== 'STATE_CORRUPTED') throw cause;
    disk.remove(folder);
    return openBytes(folder);
  });
  const taskDirectory = (task: number): string => `${name}/task-${task}`;
  const later = <T>(work: () => T): Promise<T> => new Promise((resolve) => void clock.setImmediate(() => resolve(work())));
  return {
    ...{ id: name, directory: name, notes, taskDirectory },
    globalDirectory: (topic) => `${name}/global-${topic}`,
    taskFolders: () => later(() => disk.foldersIn(`${name}/task-`).map((folder) => Number(folder.split('-').at(-1)))),
    removeTask: (task) => later(() => disk.removeUnused(taskDirectory(task))),
    release: () => notes.close(),
  };
}
