import { BlockStore } from './block-store';
import { DiskEntries } from './disk-entries';
import { type EntryCursor, Pinned, type PinnedEntries } from './entry-cursor';
import { nowhere } from './entry-store';
import type { Stamped, WindowRuntime } from './handle';
import type { Entry } from './segment';
import { bytesAfter } from './store-layout';
import { Unsorted } from './unsorted';
import { absent, Version } from './version';
import { type BlockEntry, type BlockWindow, blockEntry, has, type Slots, type WindowBlock } from './window-block';

/**
 * A store with one value a key and window, whose windows overlap: in memory a key's values in neighbouring windows are one entry, since
 * a record writes all of them. On disk and in the changelog each is one of its own, as in any store of windows.
 */
export class OverlappingEntries<K, A> extends BlockStore<K, A> implements WindowRuntime<K, A> {
  /** What was looked for last, where, and the entry found. */
  private lastKey: unknown = nowhere;
  private keyBlock: WindowBlock<K> | undefined;
  private lastEntry: BlockEntry<K> | undefined;

  // ---- what operators see

  get invisibleUpTo(): number {
    return this.visibility.invisibleUpTo;
  }

  isRemovable(start: number): boolean {
    return this.visibility.isRemovable(start);
  }

  find(key: K, start: number): Stamped<A> | undefined {
    return this.visibility.shows(start) ? this.read(key, start) : undefined;
  }

  read(key: K, start: number): Stamped<A> | undefined {
    const block = this.blocks.at(start);
    if (block === undefined) return undefined;
    const slot = block.slotOf(start);
    let entry = this.locate(key, block);
    if (entry === undefined) {
      if (block.windows[slot]?.complete !== false) return undefined;
      entry = this.add(key, block);
    }
    if (!entry.used) entry.used = true;
    let value = entry.current.value[2 * slot];
    if (value === undefined) value = this.load(entry, slot);
    if (value === absent || value === undefined) return undefined;
    return new Version<A>(value as A, start + (entry.current.value[2 * slot + 1] as number)) as Stamped<A>;
  }

  /** A null or undefined value removes, as Kafka's null does. */
  write(key: K, start: number, value: A, timestamp: number): void {
    this.visibility.wrote(start);
    if (value === null || value === undefined) this.remove(key, start, timestamp);
    else this.put(key, start, value, timestamp);
  }

  /** A tombstone, unless the key is known to have nothing. */
  remove(key: K, start: number, timestamp: number): void {
    const block = this.blocks.at(start);
    if (block === undefined) return;
    const slot = block.slotOf(start);
    const window = block.windows[slot];
    if (window === undefined) return;
    let entry = this.locate(key, block);
    if (entry === undefined) {
      if (window.complete) return;
      entry = this.add(key, block);
    }
    const value = entry.current.value[2 * slot];
    if (value === absent || (value === undefined && window.complete)) return;
    this.set(entry, window, absent, timestamp - start);
  }

  private put(key: K, start: number, value: A, timestamp: number): void {
    if (this.context.freeze) this.freeze(key, value);
    const known = this.blocks.at(start);
    const entry = (known && this.locate(key, known)) ?? this.add(key, known ?? start);
    const { segment: block } = entry;
    const slot = block.slotOf(start);
    // What the index does not know is not on disk either.
    const window = block.windows[slot] ?? this.blocks.addWindow(block, slot, true);
    this.set(entry, window, value, timestamp - start);
  }

  private set(entry: BlockEntry<K>, window: BlockWindow<K>, value: unknown, offset: number): void {
    const version = this.layers.versionToWrite(entry);
    const { slot } = window;
    version.value[2 * slot] = value;
    version.value[2 * slot + 1] = offset;
    version.written |= 1 << slot;
    if (version.encoded !== undefined) version.encoded[slot] = undefined;
    if (has(version, slot) === (value !== absent)) return;
    version.present ^= 1 << slot;
    window.live += value === absent ? -1 : 1;
    if (window.live === 0 || (window.live === 1 && value !== absent)) this.windowChanged(window);
  }

  nextStart(from: number): number {
    return this.blocks.next(from);
  }

  open(start: number, after?: string): EntryCursor<K, A> {
    const window = this.blocks.window(start);
    if (window === undefined) return this.cursor(this.sorted([]), undefined, noWindow);
    const pinned = this.sorted(this.pin(window, after));
    if (window.complete) return this.cursorOver(window, pinned, undefined);
    const { layout, codecs } = this;
    const from = after === undefined ? layout.windowBound(start) : bytesAfter(layout.keyBound(codecs.identityBytes(after), start));
    const disk = new DiskEntries(this.context.bytes, { from, to: layout.windowBound(start + 1) });
    return this.cursorOver(window, pinned, disk, after === undefined);
  }

  openUnordered(start: number): EntryCursor<K, A> {
    const window = this.blocks.window(start);
    if (window?.complete !== true) return this.open(start);
    return this.cursorOver(window, new Unsorted(this.pin(window, undefined)), undefined);
  }

  /** All of a complete window; of another what a snapshot of the disk does not show, tombstones too. */
  private pin({ block, slot, start, complete }: BlockWindow<K>, after: string | undefined): Pinned<K, A>[] {
    const { compare } = this.codecs;
    const pinned: Pinned<K, A>[] = [];
    for (const entry of block.entries.values()) {
      const { identity, current } = blockEntry(entry);
      const value = current.value[2 * slot];
      if (complete ? !has(current, slot) : value === undefined || !this.layers.needs(entry)) continue;
      if (after !== undefined && compare(identity, after) <= 0) continue;
      pinned.push(new Pinned(identity, entry, new Version<A>(value as A, start + (current.value[2 * slot + 1] as number))));
    }
    return pinned;
  }

  private cursorOver(
    window: BlockWindow<K>,
    pinned: PinnedEntries<K, A>,
    disk: DiskEntries | undefined,
    fromTheFirst = false,
  ): EntryCursor<K, A> {
    const { revivals, block, slot } = window;
    return this.cursor(pinned, disk, {
      taken: ({ entry }) => {
        if (!entry.forgotten) this.remember(entry.key, block, entry as unknown as BlockEntry<K>);
      },
      isRemoved: (identity) => block.entryOf(identity)?.current.value[2 * slot] === absent,
      ended: (allRemoved) => {
        if (!allRemoved || !fromTheFirst || window.revivals !== revivals) return;
        window.emptied = true;
        this.windowChanged(window);
        this.changed(block);
      },
    });
  }

  // ---- entries

  private locate(key: K, block: WindowBlock<K>): BlockEntry<K> | undefined {
    if (key === this.lastKey) {
      if (block === this.keyBlock) return this.lastEntry;
      const later = this.lastEntry?.later;
      if (later !== undefined && later.segment === block && !later.forgotten) {
        this.keyBlock = block;
        return (this.lastEntry = later);
      }
    }
    const entry = block.entryOf(this.codecs.identityOf(key));
    this.remember(key, block, entry);
    return entry;
  }

  /** Not for keys that are objects: one changed in place would find the entry of what it was. Nor for 0, which is equal to -0. */
  private remember(key: K, block: WindowBlock<K> | undefined, entry: BlockEntry<K> | undefined): void {
    const { lastEntry } = this;
    if (entry !== undefined && lastEntry !== undefined && key === this.lastKey && lastEntry.segment.start < entry.segment.start) {
      lastEntry.later = entry;
    }
    this.lastKey = typeof key === 'object' || key === 0 ? nowhere : key;
    this.keyBlock = block;
    this.lastEntry = entry;
  }

  /** @throws ENCODE when the key has no bytes */
  private add(key: K, where: WindowBlock<K> | number): BlockEntry<K> {
    this.codecs.encodeKey(key);
    const block = typeof where === 'number' ? this.blocks.addBlock(where) : where;
    const identity = this.codecs.identityOf(key);
    const bytes = this.bytesOfEntry(identity, block.windows.length);
    this.context.budget.used += bytes;
    const entry = block.add(identity, key, bytes);
    this.remember(key, block, entry);
    return entry;
  }

  /** Reads what is committed from disk; only where memory knows nothing of the window. Undefined: there is nothing to read. */
  private load(entry: BlockEntry<K>, slot: number): unknown {
    const { segment: block } = entry;
    const window = block.windows[slot];
    if (window === undefined || window.complete) return undefined;
    const bytes = this.context.bytes.get(this.layout.lookupKey(this.codecs.encodeKey(entry.key), window.start));
    const found = bytes === undefined ? undefined : this.versionOf(bytes);
    this.learn(entry, slot, found);
    if (found !== undefined && ++window.live === 1) this.windowChanged(window);
    this.makeRoomFor(entry);
    return found === undefined ? absent : found.value;
  }

  /** What the disk says of a window holds for every version that does not know it; an older one that is shown again reads it again. */
  private learn(entry: BlockEntry<K>, slot: number, found: Version<A> | undefined): void {
    const { unknown } = entry.segment;
    const isCommitted = entry.committed === entry.current;
    if (entry.current === unknown) entry.current = unknown.copy(0);
    if (isCommitted) entry.committed = entry.current;
    else if (entry.committed === unknown) entry.committed = unknown.copy(0);
    for (const version of isCommitted ? [entry.current] : [entry.current, entry.committed]) {
      if (version.value[2 * slot] !== undefined) continue;
      version.value[2 * slot] = found === undefined ? absent : found.value;
      version.value[2 * slot + 1] = found === undefined ? 0 : found.timestamp - entry.segment.startOf(slot);
      if (found !== undefined) version.present |= 1 << slot;
    }
    const bit = 1 << slot;
    entry.onDiskIn = found === undefined ? entry.onDiskIn & ~bit : entry.onDiskIn | bit;
    if (!this.layers.needs(entry)) this.sized(entry, entry.current, undefined);
  }

  override forget(entry: Entry<K, Slots>): void {
    if (entry === this.lastEntry) this.remember(nowhere as K, undefined, undefined);
    super.forget(entry);
  }

  protected override clearSegments(): void {
    super.clearSegments();
    this.remember(nowhere as K, undefined, undefined);
  }
}

const nothingToSay = (): void => undefined;
const noWindow = { taken: nothingToSay, isRemoved: () => false, ended: nothingToSay };
