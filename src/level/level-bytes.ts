import { ClassicLevel } from 'classic-level';
import { silentLogger, type Logger } from '../model/logger';
import type { OpenBytesOptions } from '../state/open-bytes';
import type { BytesOperation, BytesRange, BytesSnapshot, OrderedBytes } from '../state/port';
import { type Clock, delay } from '../time/clock';
import { isLocked, levelError } from './level-errors';

const WAIT_MS = 5_000;
const RETRY_MS = 100;

/** Operations handed to LevelDB before the event loop has its turn: about 3 ms. */
const SLICE = 4_096;

/** Restoring writes hundreds of thousands of entries a second: larger buffers and files mean fewer compactions. */
const OPTIONS = {
  keyEncoding: 'view',
  valueEncoding: 'view',
  writeBufferSize: 16 * 1024 * 1024,
  maxFileSize: 8 * 1024 * 1024,
} as const;

/** Bytes an iterator may read ahead in one call. */
const READ_AHEAD_BYTES = 1024 * 1024;

export interface LevelOptions extends OpenBytesOptions {
  readonly clock: Clock;
  readonly logger?: Logger;
}

type Database = ClassicLevel<Uint8Array, Uint8Array>;
type LevelSnapshot = ReturnType<Database['snapshot']>;

/**
 * LevelDB in a folder, behind the state port. A folder another process holds is asked for again for up to `waitMs` (default 5,000):
 * a dying process needs that long to let go.
 */
export async function openLevelBytes(directory: string, options: LevelOptions): Promise<OrderedBytes> {
  const { clock, logger = silentLogger, waitMs = WAIT_MS } = options;
  const deadline = clock.monotonic() + waitMs;
  for (let attempt = 0; ; attempt++) {
    const database: Database = new ClassicLevel<Uint8Array, Uint8Array>(directory, OPTIONS);
    try {
      await database.open();
      return new LevelBytes(database, clock);
    } catch (error) {
      if (!isLocked(error) || clock.monotonic() >= deadline) throw levelError(error, directory, 'opening the local state');
      if (attempt === 0) logger.info({ directory, waitMs }, 'the state folder is still held by another process: waiting for it');
    }
    await delay(clock, Math.min(RETRY_MS, Math.max(1, deadline - clock.monotonic())));
  }
}

class LevelBytes implements OrderedBytes {
  /** Settles when the batches handed over so far are written; rejects if one of them failed and they have not all settled yet. */
  private written: Promise<unknown> = Promise.resolve();
  /** Settles, never rejects, when the native batches handed over so far are built, which runs ahead of the writing. */
  private built: Promise<unknown> = Promise.resolve();
  private readonly reads = new Set<Promise<unknown>>();

  constructor(
    private readonly database: Database,
    private readonly clock: Clock,
  ) {}

  get(key: Uint8Array): Uint8Array | undefined {
    try {
      return this.database.getSync(key);
    } catch (error) {
      throw this.error(error, 'reading the local state');
    }
  }

  /**
   * LevelDB's worker threads may run two batches in either order, so each waits for the one before; meanwhile the next is built, in
   * slices: a batch may have a hundred thousand operations.
   */
  write(operations: readonly BytesOperation[]): Promise<void> {
    if (operations.length === 0) return Promise.resolve();
    const before = this.written;
    const batch = this.built.then(() => this.build(operations));
    this.built = settled(batch);
    const write = Promise.all([batch, before]).then(([ready]) => ready.write());
    this.written = write;
    return write.catch((error: unknown) => {
      if (this.written === write) this.written = Promise.resolve();
      throw this.error(error, 'writing the local state');
    });
  }

  private async build(operations: readonly BytesOperation[]): Promise<ReturnType<Database['batch']>> {
    const batch = this.database.batch();
    for (let at = 0; at < operations.length; at++) {
      if (at > 0 && at % SLICE === 0) await new Promise<void>((resolve) => this.clock.setImmediate(resolve));
      const operation = operations[at]!;
      if (operation.type === 'put') batch.put(operation.key, operation.value);
      else batch.del(operation.key);
    }
    return batch;
  }

  snapshot(): BytesSnapshot {
    return this.database.snapshot();
  }

  read(range: BytesRange, limit: number, snapshot?: BytesSnapshot): Promise<readonly (readonly [Uint8Array, Uint8Array])[]> {
    return this.reading(() => this.readRange(range, limit, snapshot as LevelSnapshot | undefined));
  }

  private async readRange(
    range: BytesRange,
    limit: number,
    snapshot: LevelSnapshot | undefined,
  ): Promise<readonly (readonly [Uint8Array, Uint8Array])[]> {
    const bounds = { gte: range.from, lt: range.to, limit, highWaterMarkBytes: READ_AHEAD_BYTES };
    const iterator = this.database.iterator(snapshot === undefined ? bounds : { ...bounds, snapshot });
    try {
      const found: [Uint8Array, Uint8Array][] = [];
      while (found.length < limit) {
        const chunk = await iterator.nextv(limit - found.length);
        if (chunk.length === 0) break;
        for (const entry of chunk) found.push(entry);
      }
      return found;
    } finally {
      await iterator.close();
    }
  }

  clear(range: BytesRange): Promise<void> {
    return this.reading(() => this.database.clear({ gte: range.from, lt: range.to }));
  }

  /** LevelDB frees snapshots that are still open itself. */
  async close(): Promise<void> {
    await this.built;
    await settled(this.written);
    await Promise.allSettled(this.reads);
    try {
      await this.database.close();
    } catch (error) {
      throw this.error(error, 'closing the local state');
    }
  }

  private reading<T>(read: () => Promise<T>): Promise<T> {
    const reading = read().catch((error: unknown) => {
      throw this.error(error, 'reading the local state');
    });
    this.reads.add(reading);
    const done = (): void => void this.reads.delete(reading);
    reading.then(done, done);
    return reading;
  }

  private error(error: unknown, doing: string): Error {
    return levelError(error, this.database.location, doing);
  }
}

function settled(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch(() => undefined);
}
