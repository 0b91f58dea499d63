import type { BatchReader } from '../kafka/batch-decode';
import type { StoreShape } from '../model/store-definition';
import { encodeInPassing, PassingBytes } from '../codec/passing-bytes';
import { toBytes } from '../codec/utf8';
import type { Codec } from '../model/codec';
import { ClosingIndex } from './closing-index';
import { DueIndex } from './due-index';
import type { StoreContext } from './layered-store';
import type { RowRuntime } from './handle';
import { KeyValueEntries } from './key-value-entries';
import type { SealedEntry } from './layers';
import type { RestoringBatch } from './restore-entries';
import { restoreRows } from './restore-rows';
import { type RowKind, rowKindOf } from './row-kind';
import { bytesOfRows, decodeRows, type Row, rowsCodec } from './rows';
import { roomFor } from './byte-slab';
import type { Cell } from './scope';
import { Scratch } from './scratch';
import type { Entry } from './segment';
import { StoreCodecs } from './store-codecs';
import { VALUE_AT } from './store-layout';
import { absent, type Version } from './version';
import type { EncodedValue } from './write-behind';

const noRows: readonly never[] = [];

/**
 * A store whose windows belong to their key: sliding and counted windows, sessions. All of a key's rows lie in one entry, so that a
 * record needs one point read; the changelog has a record for each row, as Kafka Streams writes it.
 */
export class RowEntries<K, A> extends KeyValueEntries<K, readonly Row<A>[]> implements RowRuntime<K, A> {
  /** By the time of the first row: what retention may remove. Undefined: nothing is done by time. */
  override readonly due: DueIndex | undefined;
  private closings: ClosingIndex | undefined;
  private readonly kind: RowKind;
  private readonly room = new PassingBytes();
  private readonly keyRoom = new Scratch();
  private readonly retention: number;
  /** The greatest time of a row written, kept with the offsets; a restart without it falls back on `floor`. */
  private readonly greatest: Pick<Cell<number>, 'value'>;
  private floor = -Infinity;

  constructor(shape: StoreShape, id: number, context: StoreContext) {
    const codecs = new StoreCodecs<K, readonly Row<A>[]>({ ...shape, value: rowsCodec(shape.value) as never });
    super(shape, id, context, codecs);
    this.kind = rowKindOf(shape);
    const { retention = Infinity } = shape;
    this.retention = retention;
    if (retention === Infinity) {
      this.due = undefined;
      this.greatest = { value: -Infinity };
    } else {
      this.due = new DueIndex();
      this.greatest = context.scope.cell(shape.name, 'greatestTime', -Infinity);
    }
  }

  get invisibleUpTo(): number {
    const { value } = this.greatest;
    return (value > this.floor ? value : this.floor) - this.retention;
  }

  rows(key: K): readonly Row<A>[] {
    return this.find(key)?.value ?? noRows;
  }

  rowsOf(identity: string): readonly Row<A>[] {
    return this.rows(this.keyOf(identity));
  }

  keyOf(identity: string): K {
    const known = this.segment.entries.get(identity);
    return known !== undefined ? known.key : this.codecs.decodeKey(this.codecs.identityBytes(identity), 0);
  }

  identityOf(key: K): string {
    return this.codecs.identityOf(key);
  }

  compare(a: string, b: string): number {
    return this.codecs.compare(a, b);
  }

  timeOf(row: Row<unknown>): number {
    return this.kind.timeOf(row);
  }

  order(a: Row<unknown>, b: Row<unknown>): number {
    return this.kind.order(a, b);
  }

  /** Kept from the first call on: with what every key has, since nobody knows how far its rows have been closed. */
  closingIndex(): ClosingIndex {
    if (this.closings === undefined) {
      this.closings = new ClosingIndex();
      this.closeEverything(this.closings);
    }
    return this.closings;
  }

  private closeEverything(closings: ClosingIndex): void {
    for (const [identity, time] of this.due?.entries() ?? []) closings.add(identity, time);
  }

  replace(key: K, rows: readonly Row<A>[], timestamp: number): void {
    const before = this.rows(key);
    const last = rows.at(-1);
    if (last === undefined) {
      if (before.length > 0) this.remove(key, timestamp);
      return;
    }
    this.wrote(this.kind.timeOf(last));
    // What is frozen cannot take its bytes any more.
    if (this.context.freeze) this.codecs.encodeValue(key, rows);
    this.put(key, 0, rows, timestamp);
    if (this.due !== undefined) this.index(this.due, key, before, rows);
  }

  wrote(time: number): void {
    if (time > this.greatest.value) this.greatest.value = time;
  }

  /** A key that has rows has a bound in `due` that is at most the time of the first, whoever has taken it out sees to that. */
  private index(due: DueIndex, key: K, before: readonly Row<A>[], rows: readonly Row<A>[]): void {
    const { closings, kind } = this;
    const first = kind.timeOf(rows[0]!);
    const isKnown = before.length > 0 && kind.timeOf(before[0]!) <= first;
    if (isKnown && closings === undefined) return;
    const identity = this.codecs.identityOf(key);
    if (!isKnown) due.add(identity, first);
    if (closings === undefined) return;
    for (const row of rows) {
      const time = this.kind.timeOf(row);
      if (time < closings.openFrom) continue;
      closings.add(identity, time);
      return;
    }
  }

  // ---- layers

  /** What was closed since may be open again: by its first row, whatever the index says of earlier ones. */
  override reverted(entry: Entry<K, readonly Row<A>[]>): void {
    const rows = entry.current.value;
    if (rows === absent || this.due === undefined) return;
    const time = this.kind.timeOf(rows[0]!);
    this.due.add(entry.identity, time);
    this.closings?.add(entry.identity, time);
  }

  override checkpoint(): void {
    super.checkpoint();
    this.closings?.checkpoint();
  }

  override rollback(): void {
    super.rollback();
    this.closings?.rollback();
  }

  override seal(): void {
    super.seal();
    this.closings?.seal();
  }

  override commit(): void {
    super.commit();
    this.closings?.commit();
  }

  override abort(): void {
    super.abort();
    this.closings?.abort();
  }

  // ---- changelog

  /** Rows keep the bytes of what could be changed in place: the disk gets them from there. */
  override encode(
    entry: Entry<K, readonly Row<A>[]>,
    version: Version<readonly Row<A>[]>,
    append: SealedEntry,
  ): EncodedValue | null | undefined {
    const isGone = version.value === absent;
    const committed = entry.committed?.value ?? absent;
    const before = committed === absent ? noRows : committed;
    this.appendChanges(entry, before, version.value === absent ? noRows : version.value, { append, removedAt: version.timestamp });
    return isGone ? null : undefined;
  }

  protected override bytesOfValue(rows: readonly Row<A>[]): number {
    return bytesOfRows(rows);
  }

  /** Both in order: what is gone, what is new. A row that was not touched is the same object. */
  private appendChanges(
    entry: Entry<K, readonly Row<A>[]>,
    before: readonly Row<A>[],
    after: readonly Row<A>[],
    { append, removedAt }: { readonly append: SealedEntry; readonly removedAt: number },
  ): void {
    const { kind } = this;
    const key = this.keyBytes(entry.identity);
    let at = 0;
    for (const row of after) {
      for (; at < before.length && kind.order(before[at]!, row) < 0; at++) {
        append(kind.changelogKey(key, before[at]!), null, removedAt);
      }
      const known = at < before.length && kind.order(before[at]!, row) === 0 ? before[at++] : undefined;
      if (known !== row) append(kind.changelogKey(key, row), this.sealedBytes(entry.key, row), row.timestamp);
    }
    for (; at < before.length; at++) append(kind.changelogKey(key, before[at]!), null, removedAt);
  }

  /** Valid until the next call. */
  private keyBytes(identity: string): Uint8Array {
    const { keyRoom } = this;
    const key = this.codecs.keyOf(identity);
    keyRoom.reserve(roomFor(key));
    return keyRoom.upTo(keyRoom.write(key, 0));
  }

  /** @throws ENCODE */
  private sealedBytes(key: K, row: Row<A>): EncodedValue {
    if (row.encoded !== undefined) return row.encoded;
    const { value } = this.shape as { readonly value: Codec<A> };
    try {
      if (typeof row.value !== 'object') return encodeInPassing(value, row.value, this.room);
      return (row.encoded = toBytes(value.encode(row.value)));
    } catch (cause) {
      throw this.codecs.unwritableValue(key, cause);
    }
  }

  override get restoresOverDisk(): boolean {
    return true;
  }

  override restoring(reader: BatchReader, foreignKey: () => Error): RestoringBatch {
    return restoreRows({ layout: this.layout, kind: this.kind, bytes: this.context.bytes }, reader, foreignKey);
  }

  // ---- loading

  override async reload(): Promise<void> {
    await super.reload();
    if (this.closings !== undefined) this.closeEverything(this.closings);
  }

  protected override clearSegments(): void {
    super.clearSegments();
    this.closings?.clear();
    this.floor = -Infinity;
  }

  protected override dueTimeOnDisk(value: Uint8Array): number {
    const rows = decodeRows(value, VALUE_AT);
    for (const row of rows) this.floor = Math.max(this.floor, this.kind.timeOf(row));
    const [first] = rows;
    return first === undefined ? Infinity : this.kind.timeOf(first);
  }
}
