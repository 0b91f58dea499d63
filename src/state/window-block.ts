import type { TimeWindows } from '../model/window';
import { Entry, Segment } from './segment';
import { absent, Version } from './version';
import type { EncodedValue } from './write-behind';

/** At least twice as many as a record meets, if these are enough: it mostly meets one block then. Far below the bits of a small integer. */
const MOST_WINDOWS = 16;

/**
 * The values of one key in the windows of one block, two places each: the value (`absent`: none; undefined: not known, the disk may have
 * one if the window is not complete) and its timestamp, in ms from the start of the window, which mostly is a small integer.
 */
export type Slots = unknown[];

/**
 * What one layer says of a key in the windows of one block. Whoever has made it may change it until the next checkpoint or seal; after
 * that it changes no more, but for what was not known and is read from the disk.
 */
export class KeyWindows extends Version<Slots> {
  declare readonly value: Slots;
  /** Bits of the windows that have a value. */
  present: number;
  /** Bits of the windows written since the last seal. */
  written: number;
  /** By window: the bytes of a value that somebody could change in place, once it was sealed. */
  encoded: (EncodedValue | undefined)[] | undefined;

  constructor(value: Slots, present: number, written: number, encoded: (EncodedValue | undefined)[] | undefined) {
    super(value, 0);
    this.present = present;
    this.written = written;
    this.encoded = encoded;
  }

  /** To be written into as a copy of `from`. */
  become({ value, present, encoded }: KeyWindows, written: number): this {
    const own = this.value;
    for (let at = 0; at < value.length; at++) own[at] = value[at];
    this.present = present;
    this.written = written;
    this.encoded = encoded?.slice();
    return this;
  }

  copy(written: number): KeyWindows {
    return new KeyWindows(this.value.slice(), this.present, written, this.encoded?.slice());
  }
}

/** All that memory holds of one key in the windows of a block. */
export class BlockEntry<K> extends Entry<K, Slots> {
  declare readonly segment: WindowBlock<K>;
  declare current: KeyWindows;
  declare committed: KeyWindows;
  declare later: BlockEntry<K> | undefined;
  /** Bits of the windows that may be on disk, or on their way there; `onDisk` says nothing. */
  onDiskIn: number;
  /** What was committed before `committed`: the next version, once it is written over, which leaves less for the garbage collector. */
  spare: KeyWindows | undefined = undefined;

  constructor(block: WindowBlock<K>, identity: string, key: K, bytes: number) {
    super(block, identity, key, block.unknown, bytes);
    this.onDiskIn = block.incompleteOnes();
  }
}

/** One window of a block: what a `Segment` knows of its entries. */
export class BlockWindow<K> {
  /** See `Segment`. */
  complete: boolean;
  live = 0;
  listed = false;
  emptied = false;
  revivals = 0;

  constructor(
    readonly block: WindowBlock<K>,
    readonly slot: number,
    readonly start: number,
    complete: boolean,
  ) {
    this.complete = complete;
  }

  get hasEntries(): boolean {
    return this.live > 0 || !(this.complete || this.emptied);
  }

  revive(): void {
    this.emptied = false;
    this.revivals++;
  }
}

/**
 * Neighbouring windows whose values lie together, key by key: a record of overlapping windows, which changes many of them, has one entry
 * to find and to write, or two.
 */
export class WindowBlock<K> extends Segment<K, Slots> {
  /** Undefined: the window has no entries, not on disk either. */
  readonly windows: (BlockWindow<K> | undefined)[];
  /** What every entry begins with. Never changed. */
  readonly unknown: KeyWindows;
  private readonly count: number;
  private readonly advance: number;

  constructor(start: number, count: number, advance: number) {
    super(start, false);
    this.count = count;
    this.advance = advance;
    this.windows = new Array<BlockWindow<K> | undefined>(count).fill(undefined);
    this.unknown = new KeyWindows(new Array<unknown>(2 * count).fill(undefined), 0, 0, undefined);
  }

  /** The place of the window that starts at `start`; -1: it is not in this block. */
  slotOf(start: number): number {
    const slot = (start - this.start) / this.advance;
    return slot >= 0 && slot < this.count && (slot | 0) === slot ? slot : -1;
  }

  startOf(slot: number): number {
    return this.start + slot * this.advance;
  }

  newWindow(slot: number, complete: boolean): BlockWindow<K> {
    const window = new BlockWindow<K>(this, slot, this.startOf(slot), complete);
    this.windows[slot] = window;
    return window;
  }

  add(identity: string, key: K, bytes: number): BlockEntry<K> {
    const entry = new BlockEntry<K>(this, identity, key, bytes);
    this.entries.set(identity, entry);
    return entry;
  }

  entryOf(identity: string): BlockEntry<K> | undefined {
    return this.entries.get(identity) as unknown as BlockEntry<K> | undefined;
  }

  /** `version` says that there is nothing. */
  isKnownAbsent({ value }: KeyWindows, slot: number): boolean {
    const known = value[2 * slot];
    return known === absent || (known === undefined && this.windows[slot]?.complete !== false);
  }

  incompleteOnes(): number {
    let bits = 0;
    for (const window of this.windows) if (window?.complete === false) bits |= 1 << window.slot;
    return bits;
  }
}

/** Where the blocks of windows begin, and how many windows each has. */
export class BlockLayout {
  /** Windows in a block. */
  readonly count: number;
  private readonly advance: number;
  private readonly span: number;

  constructor({ size, advance = size }: TimeWindows) {
    let count = 2;
    while (count < MOST_WINDOWS && count * advance < 2 * size) count *= 2;
    this.count = count;
    this.advance = advance;
    this.span = count * advance;
  }

  /** A window that starts where none should has a block of its own. */
  startOfBlock(start: number): number {
    return start % this.advance === 0 ? start - (start % this.span) : start;
  }

  newBlock<K>(start: number): WindowBlock<K> {
    return start % this.span === 0 ? new WindowBlock(start, this.count, this.advance) : new WindowBlock(start, 1, this.advance);
  }
}

/** The place of the lowest bit that is set. Of each in turn: `for (let left = bits; left !== 0; left &= left - 1) lowest(left)`. */
export function lowest(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

/** Is there a value of the window in `slot`? */
export function has({ present }: KeyWindows, slot: number): boolean {
  return (present & (1 << slot)) !== 0;
}

/** Every version of an entry of a block is one. */
export function keyWindows(version: Version<Slots>): KeyWindows {
  return version as unknown as KeyWindows;
}

/** Every entry of a block is one. */
export function blockEntry<K>(entry: Entry<K, Slots>): BlockEntry<K> {
  return entry as unknown as BlockEntry<K>;
}
