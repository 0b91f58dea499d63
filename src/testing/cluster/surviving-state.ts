import type { OpenBytes } from '../../state/open-bytes';
import { OrderedMemory } from '../../state/ordered-memory';
import type { BytesOperation, BytesRange, BytesSnapshot, OrderedBytes } from '../../state/port';
import type { Clock } from '../../time/clock';

/**
 * The disk of one machine, in memory: what a process has written outlives it. A batch reaches it a turn after it was handed over, whole or
 * not at all, so that who dies in between has not written it.
 */
export class SurvivingState {
  private readonly folders = new Map<string, OrderedMemory>();

  /** @param onWrite told as each batch is handed over */
  opener(clock: Clock, onWrite: () => void): OpenBytes {
    return (folder) => {
      let disk = this.folders.get(folder);
      if (disk === undefined) this.folders.set(folder, (disk = new OrderedMemory()));
      return Promise.resolve(new ProcessBytes(disk, clock, onWrite));
    };
  }

  /** Entries on it, over all folders. */
  get size(): number {
    let size = 0;
    for (const disk of this.folders.values()) size += disk.size;
    return size;
  }
}

/** The disk as one process sees it, until that process dies: its clock stands still then, and nothing is written any more. */
class ProcessBytes implements OrderedBytes {
  private under: Promise<void> = Promise.resolve();

  constructor(
    private readonly disk: OrderedMemory,
    private readonly clock: Clock,
    private readonly onWrite: () => void,
  ) {}

  get(key: Uint8Array): Uint8Array | undefined {
    return this.disk.get(key);
  }

  write(operations: readonly BytesOperation[]): Promise<void> {
    this.onWrite();
    return this.later(() => this.disk.write(operations));
  }

  snapshot(): BytesSnapshot {
    return this.disk.snapshot();
  }

  read(range: BytesRange, limit: number, snapshot?: BytesSnapshot): Promise<readonly (readonly [Uint8Array, Uint8Array])[]> {
    return this.disk.read(range, limit, snapshot);
  }

  clear(range: BytesRange): Promise<void> {
    return this.later(() => this.disk.clear(range));
  }

  async close(): Promise<void> {
    await this.under;
  }

  /** Immediates are called in the order in which they were set. */
  private later(work: () => Promise<void>): Promise<void> {
    const written = new Promise<void>((resolve) => {
      this.clock.setImmediate(() => {
        void work().then(resolve);
      });
    });
    this.under = written;
    return written;
  }
}
