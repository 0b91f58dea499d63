import type { Entry } from './segment';
import { blockEntry, keyWindows, type Slots } from './window-block';
import { type EncodedValue, Flush, WriteBehind } from './write-behind';

/** With bits for the windows of each entry that are to be written. */
export class BlockFlush<K> extends Flush<K, Slots> {
  readonly windows: number[] = [];

  override push(entry: Entry<K, Slots>, encoded: EncodedValue | undefined): void {
    super.push(entry, encoded);
    this.windows.push(0);
  }

  override remove(entry: Entry<K, Slots>, bytes: number): void {
    const { windows } = this;
    const { slot } = entry;
    super.remove(entry, bytes);
    const last = windows.pop()!;
    if (slot < windows.length) windows[slot] = last;
  }
}

/** What is committed and not on disk of entries that hold several windows: some of them. */
export class BlockWriteBehind<K> extends WriteBehind<K, Slots> {
  declare protected waiting: BlockFlush<K>;

  override add(entry: Entry<K, Slots>, _encoded: EncodedValue | undefined, bytes: number): void {
    const { waiting } = this;
    const { committed, onDiskIn } = blockEntry(entry);
    const waits = entry.flushIn === waiting.round;
    const unneeded = committed.written & ~committed.present & ~onDiskIn;
    const windows = ((waits ? waiting.windows[entry.slot]! : 0) | committed.written) & ~unneeded;
    if (windows === 0) {
      // A flush under way may have other windows of it: until that is on disk the entry must say that it is held.
      if (waits && this.flushing === undefined) waiting.remove(entry, bytes);
      else if (waits) this.replace(entry, 0, bytes);
      return;
    }
    if (!waits) waiting.push(entry, undefined);
    this.replace(entry, windows, waits ? bytes : entry.bytes);
  }

  private replace(entry: Entry<K, Slots>, windows: number, bytes: number): void {
    const { waiting } = this;
    waiting.replace(entry, undefined, bytes);
    waiting.windows[entry.slot] = windows;
  }

  protected override newFlush(round: number): BlockFlush<K> {
    return new BlockFlush<K>(round);
  }

  protected override writes(flush: BlockFlush<K>, at: number): void {
    const { present } = keyWindows(flush.versions[at]!);
    blockEntry(flush.entries[at]!).onDiskIn |= flush.windows[at]! & present;
  }

  protected override wrote(flush: BlockFlush<K>, at: number): boolean {
    const { present } = keyWindows(flush.versions[at]!);
    blockEntry(flush.entries[at]!).onDiskIn &= ~(flush.windows[at]! & ~present);
    return present === 0;
  }

  protected override takeBack(flush: BlockFlush<K>, at: number): void {
    const entry = flush.entries[at]!;
    super.takeBack(flush, at);
    this.waiting.windows[entry.slot]! |= flush.windows[at]!;
  }
}
