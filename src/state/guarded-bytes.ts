import { asBuffer } from '../codec/utf8';
import { MillraceError } from '../errors/millrace-error';
import { bytesAfter } from './store-layout';
import type { BytesOperation, BytesRange, BytesSnapshot, OrderedBytes } from './port';

/** Beside what directories and tables keep about themselves: no store has a name that begins with this byte. */
const LINKS = Uint8Array.of(0x00, 0x00);
const AFTER_LINKS = Uint8Array.of(0x00, 0x01);
const MOST_LINKS = 1_000;
/** Entries. */
const CLEARED_AT_ONCE = 4_096;
const NOTHING = new Uint8Array(0);
/** Put by the first batch, and never taken away. */
const ORIGIN = Uint8Array.of(0x00, 0x00, 0x00);

/**
 * Ordered bytes that notice when they are not what was written.
 *
 * Who was ever found corrupted must not be opened again. And batches form a chain: each puts a link and takes the one before away, so that
 * one link is left. LevelDB passes over a batch of its log that is damaged, also by a disk that was full in the middle of it, and goes on
 * with those behind it: a position would then speak of rows that are not there. The missing batch has not taken its predecessor's link away.
 * So nobody else may: a batch that took away two links, because the one before it was still under way, would hide that this one is missing.
 * Where CURRENT is missing it makes a new database, and reads the last log of the old one into it: then there is a link, and no origin.
 */
export class GuardedBytes implements OrderedBytes {
  isCorrupted = false;
  /** Of the batch handed over last. */
  private link = 0;
  /** Of the last one that is certainly written. */
  private certain = 0;
  /** A batch was refused, or some were: the next takes away whatever links they may have left. */
  private toMend = false;
  /** The last batch that did so. Those that were under way before it are refused with theirs. */
  private mendedBy = 0;
  /** Put, or about to be. */
  private hasOrigin = false;

  constructor(
    private readonly bytes: OrderedBytes,
    /** False: memory, which loses nothing. */
    private readonly chained = true,
  ) {}

  /** Before the first write. Gives what is wrong; undefined: nothing is missing between the first batch and the last. */
  async begin(): Promise<string | undefined> {
    const found = await this.read({ from: LINKS, to: AFTER_LINKS }, MOST_LINKS);
    this.hasOrigin = found[0]?.[0].length === ORIGIN.length;
    const links = this.hasOrigin ? found.slice(1) : found;
    if (links.length > 1) return 'batches that were written to it are missing among later ones: was a file damaged, or the disk full?';
    if (links.length === 1 && !this.hasOrigin) return 'what was written to it first is missing: was a file deleted?';
    this.link = this.certain = links.length === 0 ? 0 : numberOf(links[0]![0]);
    return undefined;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    try {
      return this.bytes.get(key);
    } catch (error) {
      throw this.noted(error);
    }
  }

  write(operations: readonly BytesOperation[]): Promise<void> {
    if (!this.chained) return this.bytes.write(operations).catch(this.rethrow);
    const link = ++this.link;
    const isFirst = !this.hasOrigin;
    this.hasOrigin = true;
    const chain: BytesOperation[] = [{ type: 'put', key: linkKey(link), value: NOTHING }];
    if (isFirst) chain.push({ type: 'put', key: ORIGIN, value: NOTHING });
    for (let before = this.firstToTake(link); before < link; before++) chain.push({ type: 'delete', key: linkKey(before) });
    return this.bytes.write(operations.concat(chain)).then(
      () => {
        this.certain = Math.max(this.certain, link);
      },
      (error: unknown) => {
        if (isFirst) this.hasOrigin = false;
        if (link >= this.mendedBy) this.toMend = true;
        throw this.noted(error);
      },
    );
  }

  private firstToTake(link: number): number {
    if (!this.toMend) return link - 1;
    this.toMend = false;
    this.mendedBy = link;
    return this.certain;
  }

  snapshot(): BytesSnapshot {
    return this.bytes.snapshot();
  }

  read(range: BytesRange, limit: number, snapshot?: BytesSnapshot): Promise<readonly (readonly [Uint8Array, Uint8Array])[]> {
    return this.bytes.read(range, limit, snapshot).catch(this.rethrow);
  }

  /** In batches of the chain: rows that came back because one of them was damaged would not be noticed otherwise. */
  async clear({ from, to }: BytesRange): Promise<void> {
    for (let next = from; ;) {
      const found = await this.read({ from: next, to }, CLEARED_AT_ONCE);
      const last = found.at(-1);
      if (last === undefined) return;
      await this.write(found.map(([key]) => ({ type: 'delete', key })));
      next = bytesAfter(last[0]);
    }
  }

  close(): Promise<void> {
    return this.bytes.close();
  }

  private readonly rethrow = (error: unknown): never => {
    throw this.noted(error);
  };

  private noted(error: unknown): Error {
    if (error instanceof MillraceError && error.code === 'STATE_CORRUPTED') this.isCorrupted = true;
    return error as Error;
  }
}

function linkKey(link: number): Uint8Array {
  const key = Buffer.alloc(LINKS.length + 6);
  key.set(LINKS);
  key.writeUIntBE(link, LINKS.length, 6);
  return key;
}

function numberOf(key: Uint8Array): number {
  return asBuffer(key).readUIntBE(LINKS.length, 6);
}

/** True of a key that belongs to the chain. */
export function isLink(key: Uint8Array): boolean {
  return key.length > 1 && key[0] === LINKS[0] && key[1] === LINKS[1];
}
