import type { ByteSlab } from './byte-slab';
import type { BlockFlush } from './block-write-behind';
import type { SealedEntry } from './layers';
import type { BytesOperation } from './port';
import type { StoreCodecs } from './store-codecs';
import { diskValue, type StoreLayout } from './store-layout';
import { absent } from './version';
import { type BlockEntry, blockEntry, type KeyWindows, keyWindows, lowest } from './window-block';
import type { EncodedValue } from './write-behind';

/** Turns what entries hold of their windows into changelog records and into what lies on disk: one for each window. */
export class BlockEncoder<K, A> {
  constructor(
    private readonly layout: StoreLayout,
    private readonly codecs: StoreCodecs<K, A>,
  ) {}

  /** The changelog records of what was written since the last seal. @throws ENCODE */
  append({ segment: block, committed, identity, key }: BlockEntry<K>, version: KeyWindows, append: SealedEntry): void {
    const { value, written } = version;
    let keyLength = -1;
    for (let left = written; left !== 0; left &= left - 1) {
      const slot = lowest(left);
      const isGone = value[2 * slot] === absent;
      // Written and removed again: nobody needs to hear of it.
      if (isGone && block.isKnownAbsent(committed, slot)) continue;
      const start = block.startOf(slot);
      const bytes = isGone ? null : this.sealedValue(key, version, slot);
      const keyBytes =
        keyLength < 0 ? this.layout.changelogKey(this.codecs.keyOf(identity), start) : this.layout.changelogKeyAgain(keyLength, start);
      keyLength = keyBytes.length;
      append(keyBytes, bytes, start + (value[2 * slot + 1] as number));
    }
  }

  /** What could be changed in place is kept, until it is on disk. */
  private sealedValue(key: K, version: KeyWindows, slot: number): EncodedValue {
    const value = version.value[2 * slot] as A;
    if (typeof value !== 'object') return this.codecs.encodeValueInPassing(key, value);
    version.encoded ??= [];
    while (version.encoded.length <= slot) version.encoded.push(undefined);
    return (version.encoded[slot] = this.codecs.encodeValue(key, value));
  }

  /** What brings the disk to what `flush` has of its entry at `at`. */
  flushInto(operations: BytesOperation[], flush: BlockFlush<K>, at: number, slab: ByteSlab): void {
    const { identity, key, segment: block, onDiskIn } = blockEntry(flush.entries[at]!);
    const { value, encoded } = keyWindows(flush.versions[at]!);
    const keyBytes = this.codecs.keyOf(identity);
    for (let left = flush.windows[at]!; left !== 0; left &= left - 1) {
      const slot = lowest(left);
      const start = block.startOf(slot);
      if (value[2 * slot] !== absent) {
        const bytes = encoded?.[slot] ?? this.codecs.encodeValue(key, value[2 * slot] as A);
        const timestamp = start + (value[2 * slot + 1] as number);
        operations.push({ type: 'put', key: this.layout.diskKey(keyBytes, start, slab), value: diskValue(slab, bytes, timestamp) });
      } else if ((onDiskIn & (1 << slot)) !== 0) operations.push({ type: 'delete', key: this.layout.diskKey(keyBytes, start, slab) });
    }
  }
}
