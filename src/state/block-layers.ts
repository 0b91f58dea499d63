import { type EntryKeeper, Layers } from './layers';
import type { WriteBehind } from './write-behind';
import { type BlockEntry, blockEntry, type BlockWindow, type KeyWindows, keyWindows, lowest, type Slots } from './window-block';
import type { Entry } from './segment';
import type { Version } from './version';

interface WindowKeeper<K> extends EntryKeeper<K, Slots> {
  /** The window's `hasEntries` may have changed. */
  windowChanged(window: BlockWindow<K>): void;
}

/** Layers over entries that hold a key's values in several windows: of each, a layer says what was written in it. */
export class BlockLayers<K> extends Layers<K, Slots> {
  constructor(
    private readonly disk: WriteBehind<K, Slots>,
    private readonly windows: WindowKeeper<K>,
  ) {
    super(disk, windows);
  }

  /** The version of `entry` to write into, which is nobody else's. */
  versionToWrite(entry: BlockEntry<K>): KeyWindows {
    const { current, spare } = entry;
    if (this.isTouched(entry)) return current;
    const written = this.isActive(entry) ? current.written : 0;
    const version = spare === undefined ? current.copy(written) : spare.become(current, written);
    entry.spare = undefined;
    this.write(entry, version);
    return version;
  }

  /** A flush under way may be about to write it; nobody else has it any more. */
  protected override replaced(entry: Entry<K, Slots>, committed: Version<Slots>): void {
    const { segment } = blockEntry(entry);
    if (this.disk.isFlushing || committed === entry.committed || committed === segment.unknown) return;
    blockEntry(entry).spare = keyWindows(committed);
  }

  protected override saysNothing(version: Version<Slots>): boolean {
    return keyWindows(version).present === 0;
  }

  /** Who encodes looks at each window. */
  protected override isUnneeded(): boolean {
    return false;
  }

  /** What lies below what was written unread, nobody knows. */
  protected override revert(entry: Entry<K, Slots>, version: Version<Slots>): void {
    const { current, segment } = blockEntry(entry);
    const { value } = keyWindows(version);
    super.revert(entry, version);
    for (const window of segment.windows) {
      if (window === undefined) continue;
      const at = 2 * window.slot;
      if (current.value[at] === undefined || value[at] !== undefined) continue;
      window.revive();
      this.windows.windowChanged(window);
    }
  }

  protected override show(entry: Entry<K, Slots>, version: Version<Slots>): void {
    const was = keyWindows(entry.current).present;
    const is = keyWindows(version).present;
    entry.current = version;
    if (was === is) return;
    const { windows } = blockEntry(entry).segment;
    for (let left = was ^ is; left !== 0; left &= left - 1) {
      const slot = lowest(left);
      const window = windows[slot]!;
      window.live += (is & (1 << slot)) === 0 ? -1 : 1;
      this.windows.windowChanged(window);
    }
  }
}
