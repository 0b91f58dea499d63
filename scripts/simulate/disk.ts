import { MillraceError } from '../../src/errors/millrace-error';
import type { OpenBytes } from '../../src/state/open-bytes';
import { OrderedMemory } from '../../src/state/ordered-memory';
import type { BytesOperation, BytesRange, BytesSnapshot, OrderedBytes } from '../../src/state/port';
import { type Clock, delay } from '../../src/time/clock';
import type { Chance } from './chance';

/** What goes wrong with a write, with a read, or with either. */
export type DiskFault = 'refused' | 'failed after it was written' | 'unread' | 'corrupted';
export const WRITE_FAULTS: readonly DiskFault[] = ['refused', 'failed after it was written', 'corrupted'];
export const READ_FAULTS: readonly DiskFault[] = ['unread', 'corrupted'];

/** ms that whoever opens a folder waits for another to let go of it. */
const WAIT_MS = 5_000;
const POLL_MS = 50;
/** Where folders of tasks and global tables say what they are. */
const RECORD = Uint8Array.of(0);

/** A process, as its disk knows it. */
export interface DiskUser {
  readonly clock: Clock;
  /** Asked at each write and each read of a range. */
  readonly fault: (isWrite: boolean) => DiskFault | undefined;
  readonly isAlive: () => boolean;
}

/**
 * The disk of one machine: what a process has written outlives it. A batch reaches it some turns after it was handed over, whole or not at
 * all; of one that the process did not live to see written nothing is left.
 */
export class Disk {
  private readonly folders = new Map<string, OrderedMemory>();
  private readonly corrupted = new Set<string>();
  /** Of the clock of all. */
  private fullUntil = 0;
  private readonly holders = new Map<string, { readonly process: DiskUser; readonly opened: ProcessBytes }>();

  /** @param slowness ms that a write takes, at most; 0: some turns */
  constructor(private readonly slowness: number) {}

  /** Opens folders for one process; one that is open is waited for. */
  opener(process: DiskUser): OpenBytes {
    return async (folder, { waitMs = WAIT_MS } = {}) => {
      const deadline = process.clock.monotonic() + waitMs;
      while (this.isHeld(folder)) {
        if (process.clock.monotonic() >= deadline) throw new MillraceError('SLOT_IN_USE', `the simulated ${folder} is open already`);
        await delay(process.clock, POLL_MS);
      }
      if (this.corrupted.has(folder)) throw corruption(folder);
      return this.open(folder, process);
    };
  }

  private open(folder: string, process: DiskUser): OrderedBytes {
    let bytes = this.folders.get(folder);
    if (bytes === undefined) this.folders.set(folder, (bytes = new OrderedMemory()));
    const { slowness } = this;
    const isCorrupted = (): boolean => this.corrupted.has(folder);
    const corrupt = (): void => void this.corrupted.add(folder);
    const isFull = (): boolean => process.clock.monotonic() < this.fullUntil;
    const opened = new ProcessBytes(bytes, { ...process, folder, slowness, isCorrupted, corrupt, isFull });
    this.holders.set(folder, { process, opened });
    return opened;
  }

  private isHeld(folder: string): boolean {
    const holder = this.holders.get(folder);
    return holder !== undefined && holder.process.isAlive() && !holder.opened.isClosed;
  }

  /** Names of the folders that begin with `prefix`. */
  foldersIn(prefix: string): string[] {
    return [...this.folders.keys()].filter((folder) => folder.startsWith(prefix));
  }

  /** False: it is open. */
  removeUnused(folder: string): boolean {
    if (this.isHeld(folder)) return false;
    this.remove(folder);
    return true;
  }

  /** For so many ms nothing more can be written. */
  fill(ms: number, clock: Clock): void {
    this.fullUntil = clock.monotonic() + ms;
  }

  /** The machine is lost, and comes back empty. */
  wipe(): void {
    this.folders.clear();
    this.corrupted.clear();
  }

  /** One folder cannot be read any more until it is removed, or what it says of itself is nonsense; gives which. */
  corruptOne(chance: Chance): string | undefined {
    const folders = [...this.folders.keys()];
    if (folders.length === 0) return undefined;
    const folder = chance.oneOf(folders);
    if (chance.below(2) === 0) this.corrupted.add(folder);
    else void this.folders.get(folder)!.write([{ type: 'put', key: RECORD, value: Buffer.from('nonsense') }]);
    return folder;
  }

  remove(folder: string): void {
    this.folders.delete(folder);
    this.corrupted.delete(folder);
  }

  /** Every entry that can be read, folder by folder. */
  async content(): Promise<ReadonlyMap<string, readonly (readonly [Buffer, Buffer])[]>> {
    const all = { from: Uint8Array.of(0), to: Uint8Array.of(0xff, 0xff) };
    const found = new Map<string, readonly (readonly [Buffer, Buffer])[]>();
    for (const [folder, bytes] of this.folders) {
      if (this.corrupted.has(folder)) continue;
      const entries = await bytes.read(all, Infinity);
      found.set(
        folder,
        entries.map(([key, value]) => [Buffer.from(key), Buffer.from(value)]),
      );
    }
    return found;
  }
}

interface ProcessBytesOptions extends DiskUser {
  readonly folder: string;
  readonly isCorrupted: () => boolean;
  readonly corrupt: () => void;
  readonly isFull: () => boolean;
  readonly slowness: number;
}

/** The disk as one process sees it, until that process dies: its clock stands still then, and nothing is written any more. */
class ProcessBytes implements OrderedBytes {
  private under: Promise<unknown> = Promise.resolve();
  private failures = 0;
  private writtenAt = 0;
  isClosed = false;

  constructor(
    private readonly bytes: OrderedMemory,
    private readonly options: ProcessBytesOptions,
  ) {}

  get(key: Uint8Array): Uint8Array | undefined {
    this.check();
    return this.bytes.get(key);
  }

  write(operations: readonly BytesOperation[]): Promise<void> {
    const given = this.options.fault(true);
    const { failures } = this;
    return this.slowly(async () => {
      this.check();
      const fault = given ?? (this.options.isFull() ? 'refused' : undefined);
      // One that fails takes along those handed over behind it.
      if (failures !== this.failures) throw refusal('one before it failed');
      if (fault !== undefined) this.failures++;
      if (fault === 'corrupted') {
        this.options.corrupt();
        this.check();
      }
      if (fault === undefined || fault === 'failed after it was written') await this.bytes.write(operations);
      if (fault !== undefined) throw refusal(fault);
    });
  }

  snapshot(): BytesSnapshot {
    return this.bytes.snapshot();
  }

  read(range: BytesRange, limit: number, snapshot?: BytesSnapshot): Promise<readonly (readonly [Uint8Array, Uint8Array])[]> {
    const found = this.bytes.read(range, limit, snapshot);
    const fault = this.options.fault(false);
    return this.later(() => {
      if (fault === 'corrupted') this.options.corrupt();
      this.check();
      if (fault === 'unread') throw refusal(fault);
      return found;
    });
  }

  clear(range: BytesRange): Promise<void> {
    return this.slowly(() => {
      this.check();
      return this.bytes.clear(range);
    });
  }

  async close(): Promise<void> {
    await this.under;
    this.isClosed = true;
  }

  private check(): void {
    if (this.options.isCorrupted()) throw corruption(this.options.folder);
  }

  /** Immediates are called in the order in which they were set. */
  private later<T>(work: () => Promise<T>): Promise<T> {
    const { clock } = this.options;
    return this.done((call) => void clock.setImmediate(call), work);
  }

  /** Writes are not overtaken by other writes. */
  private slowly<T>(work: () => Promise<T>): Promise<T> {
    const { clock, slowness } = this.options;
    if (slowness === 0) return this.later(work);
    const now = clock.monotonic();
    // A moment apart: what is due at one time is called in the order in which it was set, by whoever set it.
    this.writtenAt = Math.max(this.writtenAt + 0.001, now + Math.floor(clock.random() * slowness));
    return this.done((call) => void clock.setTimer(this.writtenAt - now, call), work);
  }

  private done<T>(set: (call: () => void) => void, work: () => Promise<T>): Promise<T> {
    const done = new Promise<T>((resolve, reject) => {
      set(() => void Promise.resolve().then(work).then(resolve, reject));
    });
    this.under = Promise.all([this.under, done.catch(() => undefined)]);
    return done;
  }
}

function corruption(folder: string): MillraceError {
  return new MillraceError('STATE_CORRUPTED', `the simulated disk cannot read ${folder} any more`);
}

function refusal(why: string): MillraceError {
  return new MillraceError('STATE_IO', `the simulated disk says no: ${why}`, { retryable: true });
}
