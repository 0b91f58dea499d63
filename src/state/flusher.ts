import type { LayeredStore } from './layered-store';
import { MillraceError } from '../errors/millrace-error';
import type { Logger } from '../model/logger';
import { type Clock, delay } from '../time/clock';
import { ByteSlab } from './byte-slab';
import type { BytesOperation } from './port';
import type { StoreDirectory } from './store-directory';
import type { Flush } from './write-behind';

/** Operations made before the event loop has its turn: about 2 ms. */
const SLICE = 4_096;

/** ms before each further attempt of a flush that failed. */
const RETRIES_MS = [100, 200, 400, 800];

export type AnyStore = LayeredStore<unknown, unknown, unknown>;

/** The stores that lie in one directory. */
export interface StoresInDirectory {
  readonly directory: StoreDirectory;
  readonly stores: readonly AnyStore[];
}

interface StoreFlush {
  readonly store: AnyStore;
  readonly flush: Flush<unknown, unknown>;
}

/*
 * Crashes. Disk is a checkpoint of the changelogs: it holds exactly what they say up to the positions in it, because entries and
 * positions go into one batch, and only what a transaction has committed ever gets there.
 *   active, sealed           were private, or in a transaction that a successor aborts: gone from memory and from the changelog alike.
 *   after EndTxn             the changelog has it, disk has not: the next restore reads the difference.
 *   during the batch         all of it is on disk or nothing: as before it, or after it.
 *   after the batch          disk is at the last commit that the batch took; later commits are read again.
 * A batch that failed may yet have reached the disk: what it held is written again with the next one, which changes nothing.
 */
export class Flusher {
  private last: Promise<void> = Promise.resolve();
  private running = 0;

  constructor(
    private readonly places: readonly StoresInDirectory[],
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  get isRunning(): boolean {
    return this.running > 0;
  }

  /** Writes what is committed when its turn comes, after flushes already under way. @throws STATE_IO, STATE_CORRUPTED; nothing is lost */
  flush(): Promise<void> {
    this.running++;
    const flush = this.last
      .then(() => this.flushAll())
      .finally(() => {
        this.running--;
      });
    this.last = flush.catch(() => undefined);
    return flush;
  }

  /** Settles when no flush is under way. */
  async idle(): Promise<void> {
    while (this.running > 0) await this.last;
  }

  private async flushAll(): Promise<void> {
    for (const place of this.places) await this.flushWithRetries(place);
  }

  private async flushWithRetries(place: StoresInDirectory): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.flushOnce(place);
        return;
      } catch (error) {
        const wait = RETRIES_MS[attempt];
        const canRetry = error instanceof MillraceError && error.retryable && wait !== undefined;
        const code = error instanceof MillraceError ? error.code : undefined;
        this.logger.error(
          { code, attempt, retryInMs: canRetry ? wait : undefined },
          `local state was not written: ${(error as Error).message}`,
        );
        if (!canRetry) throw error;
        await delay(this.clock, wait);
      }
    }
  }

  private async flushOnce({ directory, stores }: StoresInDirectory): Promise<void> {
    if (stores.length === 0) return;
    // One synchronous step: the entries taken and the positions are those of the same commit.
    const names = stores.map(({ name }) => name);
    if (!directory.stamp(names) && stores.every(({ behind }) => behind.isEmpty)) return;
    const flushes: StoreFlush[] = stores.map((store) => ({ store, flush: store.behind.begin() }));
    const records = directory.recordOperations(names);
    directory.moved = false;
    try {
      await directory.bytes.write([...records, ...(await this.operations(flushes))]);
    } catch (error) {
      directory.moved = true;
      for (const { store, flush } of flushes) store.behind.failed(flush);
      throw error;
    }
    for (const { store, flush } of flushes) store.flushed(store.behind.done(flush));
    for (const { store } of flushes) await store.probe();
  }

  private async operations(flushes: readonly StoreFlush[]): Promise<BytesOperation[]> {
    const operations: BytesOperation[] = [];
    const slab = new ByteSlab();
    let inSlice = 0;
    for (const { store, flush } of flushes) {
      for (let at = 0; at < flush.entries.length; at++) {
        if (inSlice++ === SLICE) {
          await new Promise<void>((resolve) => this.clock.setImmediate(resolve));
          inSlice = 0;
        }
        store.flushInto(operations, flush, at, slab);
      }
    }
    return operations;
  }
}
