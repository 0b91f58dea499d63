import { mkdir } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';
import { waitUntil } from './wait-until';

export interface ExclusiveLock {
  release(): Promise<void>;
}

/**
 * Takes the folder's lock; undefined when somebody else has it.
 *
 * It is LevelDB's: a lock of the kernel on a file, so it goes with its process, kill -9 included, and is never stale.
 */
export async function tryLock(folder: string): Promise<ExclusiveLock | undefined> {
  await mkdir(folder, { recursive: true });
  const database = new ClassicLevel(folder);
  try {
    await database.open();
  } catch (error) {
    await database.close();
    const cause = error instanceof Error ? (error.cause as { code?: string } | undefined) : undefined;
    if (cause?.code === 'LEVEL_LOCKED') return undefined;
    throw error;
  }
  return { release: () => database.close() };
}

export interface LockWait {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly onWait: () => void;
}

/** Takes the folder's lock, waiting while somebody else has it; undefined when that takes longer than `timeoutMs`. */
export async function waitForLock(folder: string, { timeoutMs, signal, onWait }: LockWait): Promise<ExclusiveLock | undefined> {
  const lock = await tryLock(folder);
  if (lock !== undefined) return lock;
  onWait();
  return waitUntil(() => tryLock(folder), { timeoutMs, everyMs: 200, signal });
}
