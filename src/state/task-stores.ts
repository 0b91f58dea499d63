import { MillraceError } from '../errors/millrace-error';
import { silentLogger, type Logger } from '../model/logger';
import type { StoreShape } from '../model/store-definition';
import type { Clock } from '../time/clock';
import { CacheBudget } from './cache-budget';
import type { StoreContext } from './layered-store';
import { type AnyStore, Flusher, type StoresInDirectory } from './flusher';
import type { OpenBytes } from './open-bytes';
import { type AnyHandle, openStore } from './open-store';
import type { Scope } from './scope';
import { StoreDirectory, type StoreRecord } from './store-directory';

export interface TaskStoresOptions {
  readonly shapes: readonly StoreShape[];
  readonly partition: number;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Folder of the task's persistent stores; without it, or without `openBytes`, every store is in memory. */
  readonly directory?: string | undefined;
  readonly openBytes?: OpenBytes | undefined;
  /** Bytes of entries kept in memory, estimated; default 64 MiB. What is not on disk yet is kept whatever it takes. */
  readonly cacheBytes?: number;
  /** A flush is due when this many bytes are committed and not on disk (default 32 MiB, at most `cacheBytes`), … */
  readonly flushBytes?: number;
  /** … or when something has not been on disk for this long, ms (default 5,000). */
  readonly flushIntervalMs?: number;
  /** Freeze values deeply and encode each when it is written, so that mistakes show where they are made. For development. */
  readonly freeze?: boolean;
}

/** `key` is valid during the call only. */
export type AppendChangelog = (store: string, key: Uint8Array, value: Uint8Array | string | null, timestamp: number) => void;

/** What restoring needs of one store. */
export interface RestorableStore {
  readonly entries: AnyStore;
  readonly record: StoreRecord;
  readonly directory: StoreDirectory;
}

const CACHE_BYTES = 64 * 1024 * 1024;
const FLUSH_BYTES = 32 * 1024 * 1024;
/**
 * What is written again or removed before the flush never meets the disk: windows of a job that runs at full speed, above all. What is
 * committed and not flushed is read again after a crash. Against 2 s: 13 % less CPU a record in bench/windowed-count, 90 MiB less memory.
 */
const FLUSH_INTERVAL_MS = 5_000;

/** The changelog of a table has each row already: it came from there. */
const notWritten = (): void => undefined;

/** ms before a flush is due again after one that failed for good. */
const FAILED_FLUSH_MS = 5_000;

/** Entries the cache looks at after a flush. */
const SWEEP_PER_FLUSH = 50_000;

/** Opens the stores of one task. What they hold is valid only after `restoreStores`. @throws SLOT_IN_USE, STATE_IO */
export async function openTaskStores(options: TaskStoresOptions): Promise<TaskStores> {
  const { shapes, partition, directory, openBytes, clock, logger = silentLogger } = options;
  const onDisk = directory === undefined || openBytes === undefined ? [] : shapes.filter(({ persistent }) => persistent);
  const disk = onDisk.length === 0 ? undefined : await StoreDirectory.open(directory!, partition, openBytes!, logger);
  try {
    await disk?.removeUnused(new Set(onDisk.map(({ name }) => name)), clock.now(), logger);
    const stores = new TaskStores(options, disk);
    for (const { name } of onDisk) {
      const { entries, record, directory: place } = stores.restorable(name);
      if (record.position < 0) await place.clear(name);
      await entries.reload();
    }
    return stores;
  } catch (cause) {
    // Nobody else would, and the folder could not be opened again in this process.
    await disk?.close();
    throw cause;
  }
}

/**
 * All stores of one task, in one rhythm: what the loop writes is private until `seal`, uncertain until `committed` or `abort`, and
 * reaches the disk later, several commits in one batch.
 */
export class TaskStores {
  readonly partition: number;
  private readonly places: readonly StoresInDirectory[];
  private readonly stores: readonly AnyStore[];
  private readonly byName = new Map<string, RestorableStore>();
  private readonly handles = new Map<string, AnyHandle>();
  private readonly flusher: Flusher;
  private readonly budget: CacheBudget;
  private readonly flushBytes: number;
  private readonly flushIntervalMs: number;
  private readonly clock: Clock;
  private isSealed = false;
  /** Monotonic time since when something waits for the disk. */
  private waitingSince = Infinity;
  private notBefore = -Infinity;
  private closing: Promise<void> | undefined;

  /** Use `openTaskStores`; directly for stores in memory alone. */
  constructor(options: TaskStoresOptions, disk?: StoreDirectory) {
    const { shapes, partition, clock, logger = silentLogger, scope, freeze = false } = options;
    this.partition = partition;
    this.clock = clock;
    this.budget = new CacheBudget(options.cacheBytes ?? CACHE_BYTES);
    this.flushBytes = Math.min(options.flushBytes ?? FLUSH_BYTES, this.budget.limit);
    this.flushIntervalMs = options.flushIntervalMs ?? FLUSH_INTERVAL_MS;
    const memory = StoreDirectory.inMemory(partition);
    const shared = { scope, clock, logger, freeze, budget: this.budget };
    for (const shape of shapes) {
      const directory = disk !== undefined && shape.persistent ? disk : memory;
      this.open(shape, directory, { ...shared, bytes: directory.bytes });
    }
    const all = [...this.byName.values()];
    this.stores = all.map(({ entries }) => entries);
    const directories = disk === undefined ? [memory] : [disk, memory];
    this.places = directories.map((directory) => ({
      directory,
      stores: all.filter((store) => store.directory === directory).map(({ entries }) => entries),
    }));
    this.flusher = new Flusher(this.places, clock, logger);
  }

  private open(shape: StoreShape, directory: StoreDirectory, context: StoreContext): void {
    if (this.byName.has(shape.name))
      throw new MillraceError('CONFIG', `two stores are named "${shape.name}"`, { where: { store: shape.name } });
    const record = directory.recordOf(shape);
    const opened = openStore(shape, record.id, context);
    this.byName.set(shape.name, { entries: opened.entries, record, directory });
    this.handles.set(shape.name, opened.handle);
  }

  get names(): readonly string[] {
    return [...this.byName.keys()];
  }

  /** The same handle at every call. */
  handle(name: string): AnyHandle {
    const handle = this.handles.get(name);
    if (handle === undefined) throw new MillraceError('CONFIG', `there is no store "${name}" in this task`, { where: { store: name } });
    return handle;
  }

  /** True while no store holds a committed or uncommitted entry. */
  get isEmpty(): boolean {
    return this.stores.every(({ isEmpty }) => isEmpty);
  }

  /** @internal For restoring. */
  restorable(name: string): RestorableStore {
    const store = this.byName.get(name);
    if (store === undefined) throw new MillraceError('CONFIG', `there is no store "${name}" in this task`, { where: { store: name } });
    return store;
  }

  /** Next changelog offset that the store does not hold. -1: it is about to be rebuilt. */
  position(name: string): number {
    return this.restorable(name).record.position;
  }

  /** What a store mirrors and how far; `writtenAt` is wall clock, ms. */
  identity(name: string): Readonly<StoreRecord> {
    return { ...this.restorable(name).record };
  }

  // ---- layers

  /** Bytes of work that no seal has taken yet, estimated. */
  get activeBytes(): number {
    let bytes = 0;
    for (const store of this.stores) bytes += store.activeBytes;
    return bytes;
  }

  /** From `seal` to `committed` or `abort`. */
  get hasSealed(): boolean {
    return this.isSealed;
  }

  /** Bytes committed and not on disk yet, estimated. */
  get unflushedBytes(): number {
    let bytes = 0;
    for (const store of this.stores) bytes += store.behind.bytes;
    return bytes;
  }

  /** Bytes of memory that entries take, estimated, dirty ones included. */
  get cachedBytes(): number {
    return this.budget.used;
  }

  checkpoint(): void {
    for (const store of this.stores) store.checkpoint();
  }

  /** Drops what was written since the last checkpoint or seal. */
  rollback(): void {
    for (const store of this.stores) store.rollback();
  }

  /**
   * Gives every entry of the active layer to `append`, once, as changelog records, and makes it the sealed layer; also a checkpoint.
   * If a codec or `append` throws, nothing is sealed, and what was appended must be dropped.
   * @throws ENCODE naming store and key
   */
  seal(append: AppendChangelog): void {
    if (this.isSealed) throw new Error('the last sealed layer is neither committed nor aborted');
    for (const store of this.stores) {
      if (store.shape.sourceTopic !== undefined) store.prepare(notWritten);
      else {
        store.prepare((key, value, timestamp) => {
          append(store.name, key, value, timestamp);
        });
      }
    }
    for (const store of this.stores) store.seal();
    this.isSealed = true;
  }

  /** How far offsets of input topics bring the stores that these topics feed and restore. */
  positionsIn(offsets: readonly { readonly topic: string; readonly offset: number }[]): Map<string, number> {
    const positions = new Map<string, number>();
    for (const { shape } of this.stores) {
      const offset = shape.sourceTopic === undefined ? undefined : offsets.find(({ topic }) => topic === shape.sourceTopic)?.offset;
      if (offset !== undefined) positions.set(shape.name, offset);
    }
    return positions;
  }

  /** The transaction of the sealed layer has committed. `positions`: next changelog offset of each store that was written to. */
  committed(positions: ReadonlyMap<string, number>): void {
    this.isSealed = false;
    for (const store of this.stores) store.commit();
    for (const [name, next] of positions) {
      const { record, directory } = this.restorable(name);
      if (next <= record.position) continue;
      record.position = next;
      directory.moved = true;
    }
    this.whole(this.clock.now());
    if (this.waitingSince === Infinity && this.isBehind) this.waitingSince = this.clock.monotonic();
  }

  /** @internal Nothing that others have committed before `at`, wall clock, is missing: a commit or a restore has proved it. */
  whole(at: number): void {
    for (const { directory } of this.places) directory.wholeAt = at;
  }

  /** Drops active and sealed: reads see what is committed. */
  abort(): void {
    this.isSealed = false;
    for (const store of this.stores) store.abort();
  }

  // ---- disk

  /** Something that is committed is not on disk yet. */
  get isBehind(): boolean {
    return this.places.some(({ directory, stores }) => directory.moved || stores.some(({ behind }) => !behind.isEmpty));
  }

  /** Ask after commits. */
  flushDue(): boolean {
    const now = this.clock.monotonic();
    if (this.flusher.isRunning || now < this.notBefore || this.closing !== undefined) return false;
    if (!this.isBehind) return false;
    return now - this.waitingSince >= this.flushIntervalMs || this.unflushedBytes >= this.flushBytes;
  }

  /**
   * Writes what is committed, with the positions, in one atomic batch; waits for flushes already under way. Tries again a few times;
   * if it rejects nothing is lost, and the next flush writes it.
   * @throws STATE_IO (retryable), STATE_CORRUPTED
   */
  async flush(): Promise<void> {
    if (this.closing !== undefined) return;
    this.waitingSince = Infinity;
    try {
      await this.flusher.flush();
      this.notBefore = -Infinity;
    } catch (error) {
      this.notBefore = this.clock.monotonic() + FAILED_FLUSH_MS;
      this.waitingSince = -Infinity;
      throw error;
    }
    this.trim();
  }

  /** Lets the cache shrink to its budget, as far as entries are on disk. */
  private trim(): void {
    const share = Math.ceil(SWEEP_PER_FLUSH / Math.max(1, this.stores.length));
    for (const store of this.stores) store.evict(share);
  }

  /** Ends open scans, waits for a flush under way, and closes the folder. Does not flush: what is not on disk is restored. */
  close(): Promise<void> {
    this.closing ??= this.closeAll();
    return this.closing;
  }

  private async closeAll(): Promise<void> {
    await this.flusher.idle();
    await Promise.all(this.stores.map((store) => store.closeCursors()));
    for (const { directory } of this.places) await directory.close();
  }
}
