import type { StoreShape } from '../model/store-definition';
import type { TimeWindows } from '../model/window';
import { BlockEncoder } from './block-encoder';
import { BlockLayers } from './block-layers';
import { type BlockFlush, BlockWriteBehind } from './block-write-behind';
import type { ByteSlab } from './byte-slab';
import { LayeredStore, type StoreContext } from './layered-store';
import type { Layers, SealedEntry } from './layers';
import type { BytesOperation } from './port';
import { type Entry, ENTRY_BYTES, type Segment } from './segment';
import type { Version } from './version';
import { blockEntry, type BlockWindow, keyWindows, lowest, type Slots, type WindowBlock } from './window-block';
import { WindowBlocks } from './window-blocks';
import { WindowVisibility } from './window-visibility';
import { findWindows, isOnDisk } from './windows-on-disk';

/** What one version takes beside its values: itself, its array. */
const VERSION_BYTES = 112;
/** A place of a value and one of a timestamp. */
const SLOT_BYTES = 16;

/**
 * A store whose entries are a key's values in the windows of a block. On disk and in the changelog each window's is one of its own, as in
 * any store of windows.
 */
export abstract class BlockStore<K, A> extends LayeredStore<K, A, Slots> {
  declare protected readonly layers: BlockLayers<K>;
  protected readonly blocks: WindowBlocks<K>;
  protected readonly visibility: WindowVisibility;
  private readonly encoder: BlockEncoder<K, A>;

  constructor(shape: StoreShape, id: number, context: StoreContext) {
    super(shape, id, context);
    this.blocks = new WindowBlocks<K>(shape.windows as TimeWindows);
    this.encoder = new BlockEncoder<K, A>(this.layout, this.codecs);
    this.visibility = new WindowVisibility(shape, context.scope);
  }

  protected override newBehind(): BlockWriteBehind<K> {
    return new BlockWriteBehind<K>();
  }

  protected override newLayers(): Layers<K, Slots> {
    return new BlockLayers<K>(this.behind, this);
  }

  // ---- layers

  /** Whatever it gives would be for the disk, where each window has its own value. */
  encode(entry: Entry<K, Slots>, version: Version<Slots>, append: SealedEntry): undefined {
    this.encoder.append(blockEntry(entry), keyWindows(version), append);
  }

  flushInto(operations: BytesOperation[], flush: BlockFlush<K>, at: number, slab: ByteSlab): void {
    this.encoder.flushInto(operations, flush, at, slab);
  }

  windowChanged(window: BlockWindow<K>): void {
    this.blocks.changed(window);
  }

  changed(segment: Segment<K, Slots>): void {
    if (segment.entries.size === 0) this.blocks.emptied(segment as unknown as WindowBlock<K>);
  }

  protected bytesOf(version: Version<Slots>): number {
    const { value, encoded, present } = keyWindows(version);
    let bytes = VERSION_BYTES + (SLOT_BYTES / 2) * value.length;
    for (let left = present; left !== 0; left &= left - 1) {
      const slot = lowest(left);
      const found = value[2 * slot];
      if (typeof found === 'string') bytes += found.length;
      else if (encoded !== undefined) bytes += encoded[slot]?.length ?? 0;
    }
    return bytes;
  }

  // ---- memory

  /** Of an entry that holds one value, or none. */
  protected bytesOfEntry(identity: string, windows: number): number {
    return ENTRY_BYTES + identity.length + 2 * (VERSION_BYTES + SLOT_BYTES * windows);
  }

  forget(entry: Entry<K, Slots>): void {
    if (entry.forgotten) return;
    entry.forgotten = true;
    const { segment: block, current } = blockEntry(entry);
    block.entries.delete(entry.identity);
    this.context.budget.used -= entry.bytes;
    for (let left = current.present; left !== 0; left &= left - 1) {
      const window = block.windows[lowest(left)]!;
      window.live--;
      window.complete = false;
      window.revive();
      this.windowChanged(window);
    }
    this.changed(block);
  }

  // ---- segments

  get isEmpty(): boolean {
    return this.blocks.next(-Infinity) === Infinity;
  }

  async reload(): Promise<void> {
    const { blocks } = this;
    this.clearSegments();
    await findWindows(this.context.bytes, this.layout, (start) => {
      const block = blocks.at(start) ?? blocks.addBlock(start);
      blocks.addWindow(block, block.slotOf(start), false);
    });
    this.visibility.floor = this.blocks.greatest;
  }

  async probe(): Promise<void> {
    const { layout, context } = this;
    const { suspects } = this.blocks;
    for (const window of suspects) {
      suspects.delete(window);
      const isStillThere = await isOnDisk(context.bytes, layout, window.start);
      if (isStillThere || window.block.entries.size > 0) continue;
      window.complete = true;
      this.changed(window.block);
    }
  }

  protected segments(): Iterable<WindowBlock<K>> {
    return this.blocks.all();
  }

  protected clearSegments(): void {
    this.blocks.clear();
  }
}
