import { DiskEntries } from './disk-entries';
import { absent } from './version';
import { type EntryCursor, Pinned } from './entry-cursor';
import { EntryStore } from './entry-store';
import type { StoreContext } from './layered-store';
import type { Stamped, WindowRuntime } from './handle';
import { Segment } from './segment';
import { bytesAfter } from './store-layout';
import { Unsorted } from './unsorted';
import { WindowIndex } from './window-index';
import type { StoreShape } from '../model/store-definition';
import { WindowVisibility } from './window-visibility';
import { findWindows, isOnDisk } from './windows-on-disk';

/** A store with one value a key and window: a segment for each start. */
export class WindowEntries<K, A> extends EntryStore<K, A> implements WindowRuntime<K, A> {
  private readonly index = new WindowIndex<Segment<K, A>>();
  private readonly visibility: WindowVisibility;
  /** Nothing of these is in memory any more; perhaps nothing is on disk either. */
  private readonly suspects = new Set<Segment<K, A>>();

  constructor(shape: StoreShape, id: number, context: StoreContext) {
    super(shape, id, context);
    this.visibility = new WindowVisibility(shape, context.scope);
  }

  get invisibleUpTo(): number {
    return this.visibility.invisibleUpTo;
  }

  find(key: K, start: number): Stamped<A> | undefined {
    return this.visibility.shows(start) ? this.read(key, start) : undefined;
  }

  override read(key: K, start: number): Stamped<A> | undefined {
    return super.read(key, start);
  }

  isRemovable(start: number): boolean {
    return this.visibility.isRemovable(start);
  }

  /** A null or undefined value removes, as Kafka's null does. */
  write(key: K, start: number, value: A, timestamp: number): void {
    this.visibility.wrote(start);
    if (value === null || value === undefined) this.bury(key, start, timestamp);
    else this.put(key, start, value, timestamp);
  }

  remove(key: K, start: number, timestamp: number): void {
    this.bury(key, start, timestamp);
  }

  nextStart(from: number): number {
    return this.index.next(from);
  }

  open(start: number, after?: string): EntryCursor<K, A> {
    const segment = this.index.get(start);
    if (segment === undefined) return this.cursorOver(new Segment<K, A>(start, true), this.sorted([]), undefined);
    const pinned = this.sorted(this.pin(segment, after));
    if (segment.complete) return this.cursorOver(segment, pinned, undefined);
    const { layout, codecs } = this;
    const from = after === undefined ? layout.windowBound(start) : bytesAfter(layout.keyBound(codecs.identityBytes(after), start));
    const disk = new DiskEntries(this.context.bytes, { from, to: layout.windowBound(start + 1) });
    return this.cursorOver(segment, pinned, disk, after === undefined);
  }

  openUnordered(start: number): EntryCursor<K, A> {
    const segment = this.index.get(start);
    if (segment?.complete !== true) return this.open(start);
    return this.cursorOver(segment, new Unsorted(this.pin(segment, undefined)), undefined);
  }

  /** All of a complete window; of another what a snapshot of the disk does not show, tombstones too. */
  private pin(segment: Segment<K, A>, after: string | undefined): Pinned<K, A>[] {
    const { compare } = this.codecs;
    const pinned: Pinned<K, A>[] = [];
    for (const entry of segment.entries.values()) {
      const { identity, current } = entry;
      if (segment.complete ? current.value === absent : !this.layers.needs(entry)) continue;
      if (after !== undefined && compare(identity, after) <= 0) continue;
      pinned.push(new Pinned(identity, entry, current));
    }
    return pinned;
  }

  get isEmpty(): boolean {
    return this.index.next(-Infinity) === Infinity;
  }

  async reload(): Promise<void> {
    this.clearSegments();
    await findWindows(this.context.bytes, this.layout, (start) => {
      this.index.add(new Segment<K, A>(start, false));
    });
    this.visibility.floor = this.index.greatest;
  }

  changed(segment: Segment<K, A>): void {
    this.index.relist(segment);
    if (segment.entries.size > 0) return;
    if (segment.complete || segment.emptied) this.index.remove(segment);
    else this.suspects.add(segment);
  }

  async probe(): Promise<void> {
    const { layout, context, suspects } = this;
    for (const segment of suspects) {
      suspects.delete(segment);
      const isStillThere = await isOnDisk(context.bytes, layout, segment.start);
      if (isStillThere || segment.entries.size > 0) continue;
      segment.complete = true;
      this.changed(segment);
    }
  }

  protected segments(): Iterable<Segment<K, A>> {
    return this.index.windows();
  }

  protected segmentAt(start: number): Segment<K, A> | undefined {
    return this.index.get(start);
  }

  /** What the index does not know is not on disk either. */
  protected newSegment(start: number): Segment<K, A> {
    const segment = new Segment<K, A>(start, true);
    this.index.add(segment);
    return segment;
  }

  protected clearSegments(): void {
    this.index.clear();
    this.suspects.clear();
  }
}
