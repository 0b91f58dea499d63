import { MillraceError } from '../../src/errors/millrace-error';
import type { OpenBytes } from '../../src/state/open-bytes';
import { OrderedMemory } from '../../src/state/ordered-memory';
import type { BytesOperation, BytesRange, BytesSnapshot, OrderedBytes } from '../../src/state/port';
import type { Clock } from '../../src/time/clock';

/** What goes wrong with a write. */
export type DiskFault = 'refused' | 'failed after it was written';

/**
 * The disk of one machine: what a process has written outlives it. A batch reaches it some turns after it was handed over, whole or not at
 * all; of one that the process did not live to see written nothing is left.
 */
export class Disk {
  private readonly folders = new Map<string, OrderedMemory>();

  /** @param fault asked at each write */
  opener(clock: Clock, fault: () => DiskFault | undefined): OpenBytes {
    return (folder) => {
      let bytes = this.folders.get(folder);
      if (bytes === undefined) this.folders.set(folder, (bytes = new OrderedMemory()));
      return Promise.resolve(new ProcessBytes(bytes, clock, fault));
    };
  }

  /** The machine is lost, and comes back empty. */
  wipe(): void {
    this.folders.clear();
  }

  /** Every entry, folder by folder. */
  async content(): Promise<ReadonlyMap<string, readonly (readonly [Buffer, Buffer])[]>> {
    const all = { from: Uint8Array.of(0), to: Uint8Array.of(0xff, 0xff) };
    const found = new Map<string, readonly (readonly [Buffer, Buffer])[]>();
    for (const [folder, bytes] of this.folders) {
      const entries = await bytes.read(all, Infinity);
      found.set(
        folder,
        entries.map(([key, value]) => [Buffer.from(key), Buffer.from(value)]),
      );
    }
    return found;
  }
}

/** The disk as one process sees it, until that process dies: its clock stands still then, and nothing is written any more. */
class ProcessBytes implements OrderedBytes {
  private under: Promise<unknown> = Promise.resolve();
  private failures = 0;

  constructor(
    private readonly bytes: OrderedMemory,
    private readonly clock: Clock,
    private readonly fault: () => DiskFault | undefined,
  ) {}

  get(key: Uint8Array): Uint8Array | undefined {
    return this.bytes.get(key);
  }

  write(operations: readonly BytesOperation[]): Promise<void> {
    const fault = this.fault();
    const { failures } = this;
    return this.later(async () => {
      // One that fails takes along those handed over behind it.
      if (failures !== this.failures) throw refusal('one before it failed');
      if (fault !== undefined) this.failures++;
      if (fault !== 'refused') await this.bytes.write(operations);
      if (fault !== undefined) throw refusal(fault);
    });
  }

  snapshot(): BytesSnapshot {
    return this.bytes.snapshot();
  }

  read(range: BytesRange, limit: number, snapshot?: BytesSnapshot): Promise<readonly (readonly [Uint8Array, Uint8Array])[]> {
    const found = this.bytes.read(range, limit, snapshot);
    return this.later(() => found);
  }

  clear(range: BytesRange): Promise<void> {
    return this.later(() => this.bytes.clear(range));
  }

  async close(): Promise<void> {
    await this.under;
  }

  /** Immediates are called in the order in which they were set. */
  private later<T>(work: () => Promise<T>): Promise<T> {
    const done = new Promise<T>((resolve, reject) => {
      this.clock.setImmediate(() => void work().then(resolve, reject));
    });
    this.under = done.catch(() => undefined);
    return done;
  }
}

function refusal(why: string): MillraceError {
  return new MillraceError('STATE_IO', `the simulated disk says no: ${why}`, { retryable: true });
}
