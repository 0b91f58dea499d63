import { MillraceError } from '../../src/errors/millrace-error';
import type { OpenBytes } from '../../src/state/open-bytes';
import { OrderedMemory } from '../../src/state/ordered-memory';
import type { BytesOperation, BytesRange, BytesSnapshot, OrderedBytes } from '../../src/state/port';

interface HeldWrite {
  readonly operations: readonly BytesOperation[];
  readonly settle: (error?: Error) => void;
}

const NEVER = new Promise<never>(() => undefined);

/** A disk that outlives those who open it, and whose writes can be held back, lost or refused. */
export class FakeDisk {
  readonly contents = new OrderedMemory();
  /** Writes wait for `release`. */
  holding = false;
  /** How many of the next writes are refused. */
  failing = 0;
  writes = 0;
  reads = 0;
  gets = 0;
  openSnapshots = 0;
  /** Snapshots closed while they were being read, which LevelDB does not survive. */
  tornSnapshots = 0;
  private held: HeldWrite[] = [];

  private processes = 0;
  private last: Promise<void> = Promise.resolve();

  readonly open: OpenBytes = async () => new DiskBytes(this, this.processes);

  isAlive(process: number): boolean {
    return process === this.processes;
  }

  /** As the port has it: a write that fails takes along those handed over behind it. */
  write(operations: readonly BytesOperation[], process: number): Promise<void> {
    // What a dead process still asks for happens nowhere, and nobody hears of it.
    const write = this.last.then(() => (this.isAlive(process) ? this.writeNow(operations) : NEVER));
    this.last = write;
    return write.catch((error: unknown) => {
      if (this.last === write) this.last = Promise.resolve();
      throw error as Error;
    });
  }

  private writeNow(operations: readonly BytesOperation[]): Promise<void> {
    this.writes++;
    if (this.failing > 0) {
      this.failing--;
      return Promise.reject(new MillraceError('STATE_IO', 'the disk is full', { retryable: true }));
    }
    if (!this.holding) return this.contents.write(operations);
    return new Promise((resolve, reject) => {
      this.held.push({ operations, settle: (error) => (error === undefined ? resolve() : reject(error)) });
    });
  }

  get heldWrites(): number {
    return this.held.length;
  }

  /** Held writes take effect, in order. */
  async release(): Promise<void> {
    this.holding = false;
    for (const { operations, settle } of this.held.splice(0)) {
      await this.contents.write(operations);
      settle();
    }
  }

  /** Held writes are refused. */
  refuse(): void {
    for (const { settle } of this.held.splice(0)) settle(new MillraceError('STATE_IO', 'the disk is full', { retryable: true }));
  }

  /** The process dies: the first `survivors` of the held writes have reached the disk, nobody hears of any. */
  async crash(survivors: number): Promise<void> {
    for (const { operations } of this.held.splice(0).slice(0, survivors)) await this.contents.write(operations);
    this.processes++;
    this.last = Promise.resolve();
    this.holding = false;
    this.failing = 0;
    this.openSnapshots = 0;
  }
}

class DiskBytes implements OrderedBytes {
  constructor(
    private readonly disk: FakeDisk,
    private readonly process: number,
  ) {}

  get(key: Uint8Array): Uint8Array | undefined {
    this.disk.gets++;
    return this.disk.contents.get(key);
  }

  write(operations: readonly BytesOperation[]): Promise<void> {
    return this.disk.isAlive(this.process) ? this.disk.write(operations, this.process) : NEVER;
  }

  snapshot(): BytesSnapshot {
    const { disk } = this;
    disk.openSnapshots++;
    return new DiskSnapshot(disk.contents.snapshot(), (torn) => {
      if (disk.isAlive(this.process)) disk.openSnapshots--;
      if (torn) disk.tornSnapshots++;
    });
  }

  async read(range: BytesRange, limit: number, snapshot?: BytesSnapshot): Promise<readonly (readonly [Uint8Array, Uint8Array])[]> {
    this.disk.reads++;
    if (!(snapshot instanceof DiskSnapshot)) return this.disk.contents.read(range, limit);
    snapshot.reading++;
    for (let turns = 0; turns < 5; turns++) await Promise.resolve();
    snapshot.reading--;
    return this.disk.contents.read(range, limit, snapshot.of);
  }

  clear(range: BytesRange): Promise<void> {
    return this.disk.contents.clear(range);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class DiskSnapshot implements BytesSnapshot {
  reading = 0;

  constructor(
    readonly of: BytesSnapshot,
    private readonly closed: (torn: boolean) => void,
  ) {}

  async close(): Promise<void> {
    this.closed(this.reading > 0);
    await this.of.close();
  }
}
