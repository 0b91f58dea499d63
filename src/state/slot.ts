import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MillraceError } from '../errors/millrace-error';
import { silentLogger, type Logger } from '../model/logger';
import { type Clock, delay } from '../time/clock';
import type { OpenBytes } from './open-bytes';
import type { OrderedBytes } from './port';

/** An instance's place under the state directory, and its identity: at most one process has it. */
export interface Slot {
  /** The same whenever this slot is taken again: part of the transactional id, so that a successor fences what a crash left open. */
  readonly id: string;
  /** Undefined: in memory. */
  readonly directory: string | undefined;
  /** Folder of a task's stores; undefined: in memory. */
  taskDirectory(partition: number): string | undefined;
  /** Folder of a global table's rows; undefined: in memory. */
  globalDirectory(topic: string): string | undefined;
  /** Room for small things to remember between two lives of the instance; undefined: it has nothing to remember. */
  readonly notes?: OrderedBytes | undefined;
  /** Numbers of the tasks that have a folder; absent: in memory. */
  taskFolders?(): Promise<readonly number[]>;
  /** Removes the folder of a task; false: somebody has it open. After a crash in the middle the task has none. */
  removeTask?(partition: number): Promise<boolean>;
  release(): Promise<void>;
}

export interface SlotOptions {
  readonly stateDirectory: string;
  readonly applicationId: string;
  /** Names the slot; without it the first free one is taken. */
  readonly instanceId?: string | undefined;
  readonly openBytes: OpenBytes;
  readonly clock: Clock;
  readonly logger?: Logger;
}

/** ms to wait for a slot that may be about to be freed: its process is dying, or closing. */
const WAIT_MS = 5_000;
const RETRY_MS = 100;
const NUMBERED = /^slot-(\d+)$/;
const TASK = /^task-(\d+)$/;
const REMOVED = 'removed-task-';
const ALLOWED = /^[A-Za-z0-9._-]+$/;
const ID = Buffer.from('id');

/**
 * Takes a slot: the one named by `instanceId`, or the first of `slot-0`, `slot-1`, … that nobody holds. One that is held may be about
 * to be freed: only after 5 s a new one is made, since a new identity leaves the old one's open transaction to its timeout.
 * @throws SLOT_IN_USE with process and folder, if `instanceId` was given; STATE_IO; CONFIG for names that are no folder names
 */
export async function openSlot(options: SlotOptions): Promise<Slot> {
  const { applicationId, instanceId, stateDirectory } = options;
  for (const name of [applicationId, instanceId ?? 'slot']) {
    if (!ALLOWED.test(name) || /^\.+$/.test(name)) {
      throw new MillraceError('CONFIG', `"${name}" cannot name a folder of local state: letters, digits, dots, - and _ only`);
    }
  }
  const root = join(stateDirectory, applicationId);
  await withIo(root, () => mkdir(root, { recursive: true }));
  return instanceId === undefined ? firstFree(options, root) : named(options, join(root, instanceId), instanceId);
}

/** A slot that leaves nothing behind: all stores are in memory. */
export function memorySlot(clock: Clock, instanceId?: string): Slot {
  return {
    id: instanceId ?? randomId(clock),
    directory: undefined,
    taskDirectory: () => undefined,
    globalDirectory: () => undefined,
    release: () => Promise.resolve(),
  };
}

async function named(options: SlotOptions, folder: string, instanceId: string): Promise<Slot> {
  const { clock, logger = silentLogger } = options;
  const deadline = clock.monotonic() + WAIT_MS;
  for (let attempt = 0; ; attempt++) {
    const slot = await take(options, folder, instanceId);
    if (slot !== undefined) return slot;
    const owner = await ownerOf(folder);
    if (clock.monotonic() >= deadline) {
      throw new MillraceError(
        'SLOT_IN_USE',
        `instance "${instanceId}" is running already: ${whoHolds(owner)} holds ${folder}. Stop it, or give this instance another instanceId`,
        { where: { option: 'instanceId' } },
      );
    }
    if (attempt === 0) logger.info({ folder, pid: owner, waitMs: WAIT_MS }, 'the state folder is held by another process: waiting for it');
    await delay(clock, RETRY_MS);
  }
}

async function firstFree(options: SlotOptions, root: string): Promise<Slot> {
  const { clock, logger = silentLogger } = options;
  const deadline = clock.monotonic() + WAIT_MS;
  for (let attempt = 0; ; attempt++) {
    const numbers = await slotsIn(root);
    let mayBeFreed = false;
    for (const number of numbers) {
      const folder = join(root, `slot-${number}`);
      const slot = await take(options, folder);
      if (slot !== undefined) return slot;
      if ((await ownerOf(folder)) !== process.pid) mayBeFreed = true;
    }
    if (!mayBeFreed || clock.monotonic() >= deadline) {
      const slot = await take(options, join(root, `slot-${firstMissing(numbers)}`));
      if (slot !== undefined) return slot;
    }
    if (attempt === 0 && mayBeFreed) {
      logger.info(
        { root, held: numbers.length, waitMs: WAIT_MS },
        'every slot is held: waiting for one to be freed before making a new one',
      );
    }
    await delay(clock, RETRY_MS);
  }
}

/** Undefined: somebody holds it. */
async function take(options: SlotOptions, folder: string, instanceId?: string): Promise<Slot | undefined> {
  const { openBytes, clock } = options;
  const lock = await lockIn(options, join(folder, 'lock'), openBytes);
  if (lock === undefined) return undefined;
  try {
    await withIo(folder, () => writeFile(pidFile(folder), String(process.pid)));
    const id = instanceId ?? (await idIn(lock, clock));
    let released: Promise<void> | undefined;
    const release = async (): Promise<void> => {
      await rm(pidFile(folder), { force: true });
      await lock.close();
    };
    return {
      id,
      ...foldersOfTasks(folder, openBytes),
      globalDirectory: (topic) => join(folder, `global-${topic}`),
      notes: lock,
      release: () => (released ??= release()),
    };
  } catch (error) {
    await lock.close();
    throw error;
  }
}

/** The kernel's lock on a small database: it goes with the process, however that ends. */
async function lockIn({ logger = silentLogger }: SlotOptions, folder: string, openBytes: OpenBytes): Promise<OrderedBytes | undefined> {
  try {
    return await openBytes(folder, { waitMs: 0 });
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error;
    if (error.code === 'SLOT_IN_USE') return undefined;
    if (error.code !== 'STATE_CORRUPTED') throw error;
    logger.warn({ folder }, `the identity of this slot cannot be read, it gets a new one: ${error.message}`);
    await rm(folder, { recursive: true, force: true });
    return openBytes(folder, { waitMs: 0 });
  }
}

async function idIn(lock: OrderedBytes, clock: Clock): Promise<string> {
  const known = lock.get(ID);
  if (known !== undefined) return Buffer.from(known).toString();
  const id = randomId(clock);
  await lock.write([{ type: 'put', key: ID, value: Buffer.from(id) }]);
  return id;
}

/** 64 bits in hex. */
function randomId(clock: Clock): string {
  const half = (): string =>
    Math.floor(clock.random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0');
  return half() + half();
}

/** What all who work in one slot have in common: LevelDB's lock keeps two of them from one folder. */
export function foldersOfTasks(
  folder: string,
  openBytes: OpenBytes,
): { readonly directory: string } & Required<Pick<Slot, 'taskDirectory' | 'taskFolders' | 'removeTask'>> {
  return {
    directory: folder,
    taskDirectory: (partition) => join(folder, `task-${partition}`),
    taskFolders: () => tasksIn(folder),
    removeTask: (partition) => removeTask(join(folder, `task-${partition}`), join(folder, `${REMOVED}${partition}`), openBytes),
  };
}

/** Finishes, too, what a crash has left of removals. */
async function tasksIn(folder: string): Promise<number[]> {
  const names = await withIo(folder, () => readdir(folder));
  for (const name of names) {
    if (name.startsWith(REMOVED)) await withIo(folder, () => rm(join(folder, name), { recursive: true, force: true }));
  }
  return names.flatMap((name) => {
    const number = TASK.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

/** Renamed first, under its lock: a database that has lost some of its files may open, and be another. */
async function removeTask(folder: string, removed: string, openBytes: OpenBytes): Promise<boolean> {
  let bytes: OrderedBytes | undefined;
  try {
    bytes = await openBytes(folder, { waitMs: 0 });
  } catch (error) {
    if (!(error instanceof MillraceError) || error.code === 'STATE_IO') throw error;
    if (error.code === 'SLOT_IN_USE') return false;
  }
  try {
    await withIo(folder, async () => {
      await rm(removed, { recursive: true, force: true });
      await rename(folder, removed);
    });
  } finally {
    await bytes?.close();
  }
  await withIo(removed, () => rm(removed, { recursive: true, force: true }));
  return true;
}

async function slotsIn(root: string): Promise<number[]> {
  const names = await withIo(root, () => readdir(root));
  const numbers = names.flatMap((name) => {
    const number = NUMBERED.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
  return numbers.sort((a, b) => a - b);
}

function firstMissing(numbers: readonly number[]): number {
  const missing = numbers.findIndex((number, at) => number !== at);
  return missing < 0 ? numbers.length : missing;
}

function pidFile(folder: string): string {
  return join(folder, 'pid');
}

/** Undefined: unknown; the holder is about to write it, or has just removed it. */
async function ownerOf(folder: string): Promise<number | undefined> {
  try {
    const pid = Number(await readFile(pidFile(folder), 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function whoHolds(pid: number | undefined): string {
  return pid === undefined ? 'another process' : `process ${pid}`;
}

async function withIo<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new MillraceError('STATE_IO', `the state folder ${folder} cannot be used: ${(cause as Error).message}`, {
      cause,
      retryable: true,
    });
  }
}
