import { MillraceError } from '../errors/millrace-error';
import type { HeldTask } from '../kafka/held-tasks';
import type { Logger } from '../model/logger';
import type { OpenBytes } from '../state/open-bytes';
import type { Slot } from '../state/slot';
import { StoreDirectory, type StoreRecord } from '../state/store-directory';
import type { TaskStores } from '../state/task-stores';
import type { Clock } from '../time/clock';
import { Turns } from './turns';

/** A changelog as the cluster describes it: what a store on disk must agree with. */
export interface ChangelogIdentity {
  readonly topicId: string;
  readonly tombstoneRetentionMs: number;
}

export interface TaskFoldersOptions {
  readonly slot: Slot;
  readonly openStores: (task: number) => Promise<TaskStores>;
  readonly openBytes: OpenBytes | undefined;
  readonly tasks: number;
  readonly clusterId: () => Promise<string>;
  /** By name of the store. */
  readonly changelogs: () => Promise<ReadonlyMap<string, ChangelogIdentity>>;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Contents = Readonly<Record<string, Readonly<StoreRecord>>>;

/** A folder that nobody has open. */
interface LeftBehind {
  readonly contents: Contents;
  /** Monotonic. */
  readonly since: number;
}

/** A folder that nobody has used for this long is removed (`state.cleanup.delay.ms`): its task lives elsewhere, and is far ahead of it. */
const REMOVED_AFTER_MS = 600_000;
/** Folders that are being opened at once: there are four threads for it. */
const OPENED_AT_ONCE = 4;

/**
 * The folders of this instance's tasks: who has one open, and how far the state in the others goes. A note in the slot says the latter of
 * each folder that was closed; it goes before the folder is opened, so that it is true whenever it is there. What has none (its process
 * died) is opened once to see.
 */
export class TaskFolders {
  private readonly left = new Map<number, LeftBehind>();
  private clusterId = '';
  private changelogs: ReadonlyMap<string, ChangelogIdentity> = new Map();
  private readonly turns = new Turns(OPENED_AT_ONCE);
  /** By task: settles when its folder is free. */
  private readonly taken = new Map<number, Promise<void>>();
  private readonly freed = new WeakMap<TaskStores, () => void>();

  constructor(private readonly options: TaskFoldersOptions) {}

  /** Finds out what previous lives have left. */
  async load(): Promise<void> {
    const { slot, clusterId, changelogs } = this.options;
    this.clusterId = await clusterId();
    this.changelogs = await changelogs();
    const known = await this.notes();
    const all = [...new Set([...((await slot.taskFolders?.()) ?? []), ...known.keys()])];
    const unknown = all.filter((task) => !known.has(task));
    for (const [task, contents] of known) this.leave(task, contents);
    const next = async (): Promise<void> => {
      for (let task = unknown.shift(); task !== undefined; task = unknown.shift()) await this.look(task);
    };
    await Promise.all(Array.from({ length: OPENED_AT_ONCE }, next));
  }

  /** The stores of a task, once nobody else has its folder open. */
  async open(task: number): Promise<TaskStores> {
    const free = await this.take(task);
    const done = await this.turns.take();
    try {
      await this.forget(task);
      const stores = await this.options.openStores(task);
      this.freed.set(stores, free);
      return stores;
    } catch (cause) {
      free();
      throw cause;
    } finally {
      done();
    }
  }

  /** What is committed and not on disk is in the changelogs. */
  async close(stores: TaskStores): Promise<void> {
    try {
      const contents = contentsOf(stores);
      await stores.close();
      const onDisk = stores.names.filter((name) => stores.restorable(name).directory.isOnDisk);
      const isWhole = onDisk.every((name) => !stores.restorable(name).directory.bytes.isCorrupted);
      if (onDisk.length === 0 || !isWhole) return;
      if (contents !== undefined) await this.note(stores.partition, contents);
      this.leave(stores.partition, contents ?? {});
    } finally {
      this.freed.get(stores)?.();
    }
  }

  /** Of the folders that nobody has open: how far their state goes, as far as it can be gone on with. */
  held(): HeldTask[] {
    const { tasks } = this.options;
    return [...this.left]
      .filter(([task]) => task < tasks)
      .map(([task, { contents }]) => ({ task, position: this.positionOf(contents), following: false }));
  }

  /** Removes what was not used for ten minutes. */
  async removeUnused(): Promise<void> {
    const { slot, clock, logger } = this.options;
    for (const [task, { since }] of [...this.left]) {
      if (clock.monotonic() - since < REMOVED_AFTER_MS || this.taken.has(task)) continue;
      const free = await this.take(task);
      try {
        await this.forget(task);
        if ((await slot.removeTask?.(task)) === true)
          logger.info({ task }, `the local state of task ${task} is removed: it was not used for ten minutes`);
      } finally {
        free();
      }
    }
  }

  /** Settles with what frees the folder again. */
  private async take(task: number): Promise<() => void> {
    for (let busy = this.taken.get(task); busy !== undefined; busy = this.taken.get(task)) await busy;
    let free: () => void = () => undefined;
    const taken = new Promise<void>((resolve) => {
      free = resolve;
    }).then(() => void this.taken.delete(task));
    this.taken.set(task, taken);
    return free;
  }

  private positionOf(contents: Contents): number {
    const { changelogs, clusterId } = this;
    const { clock } = this.options;
    let sum = 0;
    for (const [store, { topicId, tombstoneRetentionMs }] of changelogs) {
      const record = contents[store];
      if (record === undefined || record.clusterId !== clusterId || record.topicId !== topicId) continue;
      if (clock.now() - record.writtenAt <= tombstoneRetentionMs / 2) sum += Math.max(0, record.position);
    }
    return sum;
  }

  private leave(task: number, contents: Contents): void {
    this.left.set(task, { contents, since: this.options.clock.monotonic() });
  }

  /** Reads the records of a folder that no note tells of. One that cannot be opened counts as empty: whoever needs it will say why. */
  private async look(task: number): Promise<void> {
    const { slot, openBytes, logger } = this.options;
    const folder = slot.taskDirectory(task);
    if (folder === undefined || openBytes === undefined) return;
    try {
      const directory = await StoreDirectory.open(folder, task, (place) => openBytes(place, { waitMs: 0 }), logger);
      const contents = Object.fromEntries([...directory.contents].map(([name, record]) => [name, { ...record }]));
      await directory.close();
      await this.note(task, contents);
      this.leave(task, contents);
    } catch (cause) {
      if (!(cause instanceof MillraceError)) throw cause;
      // Another member of this process has it, and tells of it.
      if (cause.code === 'SLOT_IN_USE') return;
      logger.warn({ task, folder, code: cause.code }, `the local state of task ${task} cannot be looked at: ${cause.message}`);
      this.leave(task, {});
    }
  }

  // ---- notes

  private async notes(): Promise<Map<number, Contents>> {
    const found = (await this.options.slot.notes?.read({ from: noteKey(0), to: AFTER_NOTES }, MOST_NOTES)) ?? [];
    return new Map(
      found.map(([key, value]) => [Buffer.from(key).readUInt32BE(NOTE.length), JSON.parse(Buffer.from(value).toString()) as Contents]),
    );
  }

  private async note(task: number, contents: Contents): Promise<void> {
    await this.options.slot.notes?.write([{ type: 'put', key: noteKey(task), value: Buffer.from(JSON.stringify(contents)) }]);
  }

  private async forget(task: number): Promise<void> {
    this.left.delete(task);
    await this.options.slot.notes?.write([{ type: 'delete', key: noteKey(task) }]);
  }
}

/** For a slot whose folders are about to be used by somebody who keeps no notes. */
export async function forgetNotes({ notes }: Slot): Promise<void> {
  await notes?.clear({ from: noteKey(0), to: AFTER_NOTES });
}

const NOTE = 'task ';
const MOST_NOTES = 1_000_000;
const AFTER_NOTES = Buffer.from('task!');

function noteKey(task: number): Buffer {
  const key = Buffer.alloc(NOTE.length + 4);
  key.write(NOTE);
  key.writeUInt32BE(task, NOTE.length);
  return key;
}

/** Undefined: memory is ahead of the disk. */
function contentsOf(stores: TaskStores): Contents | undefined {
  if (stores.isBehind) return undefined;
  const onDisk = stores.names.filter((name) => stores.restorable(name).directory.isOnDisk);
  return Object.fromEntries(onDisk.map((name) => [name, stores.identity(name)]));
}
