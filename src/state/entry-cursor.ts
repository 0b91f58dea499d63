import { absent, type Version } from './version';
import type { DiskEntries } from './disk-entries';
import type { Stamped, WindowCursor } from './handle';

/** The entry that a version was pinned of. */
interface PinnedEntry<K> {
  readonly key: K;
  readonly forgotten: boolean;
}

/** What memory held of one key when a cursor was opened. */
export class Pinned<K, A> {
  constructor(
    readonly identity: string,
    readonly entry: PinnedEntry<K>,
    readonly version: Version<A>,
  ) {}
}

/** What was pinned, one after the other. */
export interface PinnedEntries<K, A> {
  /** The next, not taken yet; undefined: no more. */
  peek(): Pinned<K, A> | undefined;
  take(): void;
}

/** What a cursor needs of the store it walks. */
export interface CursorSource<K, A> {
  compare(a: string, b: string): number;
  identityOnDisk(diskKey: Uint8Array): string;
  keyOnDisk(diskKey: Uint8Array): K;
  valueOnDisk(value: Uint8Array): Stamped<A>;
  /** The cursor stands at it: what stands there is likely to be removed. */
  taken(held: Pinned<K, A>): void;
  /** Reads see nothing of this key now. */
  isRemoved(identity: string): boolean;
  /** The cursor came to its end; `allRemoved`: whatever it met on disk has been removed since. */
  ended(allRemoved: boolean): void;
  closed(cursor: EntryCursor<K, A>): void;
}

/**
 * Walks the entries of a window or a range as they were at one moment: what memory held of them, merged over a snapshot of the disk.
 * Where all is in memory there is no disk, and no promise.
 */
export class EntryCursor<K, A> implements WindowCursor<K, A> {
  key!: K;
  identity = '';
  entry!: Stamped<A>;
  private isOpen = true;
  private allRemoved = true;
  private fromDisk = false;

  constructor(
    private readonly source: CursorSource<K, A>,
    private readonly pinned: PinnedEntries<K, A>,
    private readonly disk: DiskEntries | undefined,
  ) {}

  next(): boolean | Promise<void> {
    if (!this.isOpen) return false;
    const waiting = this.disk?.ready();
    if (waiting !== undefined) return waiting;
    this.checkRemoved();
    while (this.isOpen) {
      const step = this.step();
      if (step !== undefined) return step;
    }
    return false;
  }

  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    void this.whenClosed();
    this.source.closed(this);
  }

  /** Rejects never: a snapshot that a closing store has freed already is no news. */
  whenClosed(): Promise<void> {
    return this.disk === undefined ? Promise.resolve() : this.disk.close().catch(() => undefined);
  }

  /** One of the two sides moves on; undefined: what it stood at does not show. */
  private step(): boolean | Promise<void> | undefined {
    const waiting = this.disk?.ready();
    if (waiting !== undefined) return waiting;
    const found = this.disk?.peek();
    const held = this.pinned.peek();
    if (found === undefined) return held === undefined ? this.end() : this.takePinned(held);
    const identity = this.source.identityOnDisk(found[0]);
    const order = held === undefined ? 1 : this.source.compare(held.identity, identity);
    if (held === undefined || order > 0) return this.takeDisk(identity, found);
    // Of one key on both sides memory has the newer version.
    if (order === 0) this.disk?.take();
    return this.takePinned(held);
  }

  private takePinned(held: Pinned<K, A>): true | undefined {
    this.pinned.take();
    if (held.version.value === absent) return undefined;
    this.source.taken(held);
    this.key = held.entry.key;
    this.identity = held.identity;
    this.entry = held.version as Stamped<A>;
    return true;
  }

  private takeDisk(identity: string, [key, value]: readonly [Uint8Array, Uint8Array]): true {
    this.disk?.take();
    this.key = this.source.keyOnDisk(key);
    this.identity = identity;
    this.entry = this.source.valueOnDisk(value);
    this.fromDisk = true;
    return true;
  }

  private checkRemoved(): void {
    if (!this.fromDisk) return;
    this.fromDisk = false;
    if (!this.source.isRemoved(this.identity)) this.allRemoved = false;
  }

  private end(): false {
    this.source.ended(this.allRemoved);
    this.close();
    return false;
  }
}
