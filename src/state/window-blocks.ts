import type { TimeWindows } from '../model/window';
import { BlockLayout, type BlockWindow, type WindowBlock } from './window-block';
import { WindowIndex } from './window-index';

/** The blocks of a store and their windows. What they do not know is not on disk either. */
export class WindowBlocks<K> {
  private readonly index = new WindowIndex<BlockWindow<K>>();
  private readonly byStart = new Map<number, WindowBlock<K>>();
  private readonly layout: BlockLayout;
  /** Nothing of these is in memory any more; perhaps nothing is on disk either. */
  readonly suspects = new Set<BlockWindow<K>>();
  /** Asked for last: a record mostly meets two. */
  private last: WindowBlock<K> | undefined;
  private other: WindowBlock<K> | undefined;

  constructor(windows: TimeWindows) {
    this.layout = new BlockLayout(windows);
  }

  /** The block of the window that starts at `start`, which need not be known. */
  at(start: number): WindowBlock<K> | undefined {
    const { last, other } = this;
    if (last !== undefined && last.slotOf(start) >= 0) return last;
    const found = other !== undefined && other.slotOf(start) >= 0 ? other : this.byStart.get(this.layout.startOfBlock(start));
    if (found === undefined) return undefined;
    this.other = last;
    this.last = found;
    return found;
  }

  addBlock(start: number): WindowBlock<K> {
    const block = this.layout.newBlock<K>(this.layout.startOfBlock(start));
    this.byStart.set(block.start, block);
    return block;
  }

  addWindow(block: WindowBlock<K>, slot: number, complete: boolean): BlockWindow<K> {
    const window = block.newWindow(slot, complete);
    this.index.add(window);
    return window;
  }

  window(start: number): BlockWindow<K> | undefined {
    return this.index.get(start);
  }

  /** The smallest start >= `from` of a window that has entries, or Infinity. */
  next(from: number): number {
    return this.index.next(from);
  }

  /** The greatest start of a window that has entries, or -Infinity. */
  get greatest(): number {
    return this.index.greatest;
  }

  all(): Iterable<WindowBlock<K>> {
    return this.byStart.values();
  }

  /** Its `hasEntries` may have changed. */
  changed(window: BlockWindow<K>): void {
    this.index.relist(window);
  }

  /** Lets go of the windows of a block that has no entries. */
  emptied(block: WindowBlock<K>): void {
    let left = 0;
    for (const window of block.windows) {
      if (window === undefined) continue;
      if (window.complete || window.emptied) {
        this.drop(window);
        continue;
      }
      this.suspects.add(window);
      left++;
    }
    if (left > 0 || this.byStart.get(block.start) !== block) return;
    this.byStart.delete(block.start);
    if (this.last === block) this.last = undefined;
    if (this.other === block) this.other = undefined;
  }

  private drop(window: BlockWindow<K>): void {
    this.index.relist(window);
    this.index.remove(window);
    window.block.windows[window.slot] = undefined;
  }

  clear(): void {
    this.index.clear();
    this.byStart.clear();
    this.suspects.clear();
    this.last = this.other = undefined;
  }
}
