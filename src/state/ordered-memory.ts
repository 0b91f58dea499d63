import { asBuffer, readLatin1 } from '../codec/utf8';
import type { BytesOperation, BytesRange, BytesSnapshot, OrderedBytes } from './port';
import { SortedTexts } from './sorted-texts';

/**
 * The state port in memory: stores that are not persistent, and tests. Bytes are kept as latin1 texts, which compare as bytes do,
 * hash well and take less room than a Buffer each.
 */
export class OrderedMemory implements OrderedBytes {
  private readonly values = new Map<string, string>();
  private readonly order = new SortedTexts();
  private readonly snapshots = new Set<MemorySnapshot>();

  /** Number of entries. */
  get size(): number {
    return this.values.size;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    const value = this.values.get(textOf(key));
    return value === undefined ? undefined : Buffer.from(value, 'latin1');
  }

  write(operations: readonly BytesOperation[]): Promise<void> {
    for (const operation of operations) {
      this.set(textOf(operation.key), operation.type === 'put' ? textOf(operation.value) : undefined);
    }
    return Promise.resolve();
  }

  snapshot(): BytesSnapshot {
    const snapshot = new MemorySnapshot((closed) => this.snapshots.delete(closed));
    this.snapshots.add(snapshot);
    return snapshot;
  }

  read(range: BytesRange, limit: number, snapshot?: BytesSnapshot): Promise<readonly (readonly [Uint8Array, Uint8Array])[]> {
    const from = textOf(range.from);
    const to = textOf(range.to);
    const replaced = snapshot instanceof MemorySnapshot ? snapshot.replaced : undefined;
    const found: (readonly [Uint8Array, Uint8Array])[] = [];
    for (const key of replaced === undefined ? this.order.between(from, to) : this.keysBetween(from, to, replaced)) {
      if (found.length >= limit) break;
      const value = replaced?.has(key) === true ? replaced.get(key) : this.values.get(key);
      if (value !== undefined) found.push([Buffer.from(key, 'latin1'), Buffer.from(value, 'latin1')]);
    }
    return Promise.resolve(found);
  }

  clear(range: BytesRange): Promise<void> {
    for (const key of [...this.order.between(textOf(range.from), textOf(range.to))]) this.set(key, undefined);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private set(key: string, value: string | undefined): void {
    const before = this.values.get(key);
    for (const snapshot of this.snapshots) snapshot.keep(key, before);
    if (value === undefined) {
      if (this.values.delete(key)) this.order.delete(key);
    } else {
      this.values.set(key, value);
      if (before === undefined) this.order.add(key);
    }
  }

  /** The keys there are, and those there were when a snapshot was taken, ascending. */
  private *keysBetween(from: string, to: string, replaced: ReadonlyMap<string, unknown>): Generator<string, void> {
    const gone = [...replaced.keys()].filter((key) => key >= from && key < to && !this.values.has(key)).sort();
    let at = 0;
    for (const key of this.order.between(from, to)) {
      while (at < gone.length && gone[at]! < key) yield gone[at++]!;
      yield key;
    }
    while (at < gone.length) yield gone[at++]!;
  }
}

/** Remembers what was overwritten since it was taken. */
class MemorySnapshot implements BytesSnapshot {
  readonly replaced = new Map<string, string | undefined>();

  constructor(private readonly closed: (self: MemorySnapshot) => void) {}

  keep(key: string, value: string | undefined): void {
    if (!this.replaced.has(key)) this.replaced.set(key, value);
  }

  close(): Promise<void> {
    this.closed(this);
    this.replaced.clear();
    return Promise.resolve();
  }
}

function textOf(bytes: Uint8Array): string {
  return readLatin1(asBuffer(bytes), 0, bytes.length);
}
