import { MillraceError } from '../errors/millrace-error';
import type { BatchReader } from '../kafka/batch-decode';
import type { BytesOperation } from './port';
import type { RestoringBatch } from './restore-entries';
import { type ReadRow, restoreTable } from './restore-table';
import type { RestorableStore } from './task-stores';

/** Batches handed to the disk and not written yet: one is being written while the next is read. */
const MOST_PENDING = 2;

/**
 * Puts a changelog into a store's bytes, without decoding keys or values: the last value of each key in what is read at once, in one
 * batch with the position behind it, so that a restore that is cut off goes on from there.
 */
export class ChangelogWriter {
  /** Records applied. */
  records = 0;
  private readonly pending: Promise<void>[] = [];
  private written: number;
  private failure: { readonly cause: unknown } | undefined;

  constructor(
    private readonly store: RestorableStore,
    private readonly topic: string,
    private readonly partition: number,
    private readonly rowOf?: ReadRow,
  ) {
    this.written = store.record.position;
  }

  /** Takes what the reader has; a promise asks for patience. @throws PROTOCOL for a record that is none of this changelog's */
  apply(reader: BatchReader): void | Promise<void> {
    this.rethrow();
    if (this.store.entries.restoresOverDisk && this.pending.length > 0) return Promise.all(this.pending).then(() => this.apply(reader));
    const { operations, records } = this.restoring(reader);
    this.records += records;
    if (operations.length === 0) return;
    this.write(operations, reader.nextOffset);
    if (this.pending.length >= MOST_PENDING) return this.pending[0];
  }

  private restoring(reader: BatchReader): RestoringBatch {
    const { rowOf } = this;
    const { entries } = this.store;
    if (rowOf !== undefined) return restoreTable(entries.layout, reader, rowOf);
    return entries.restoring(reader, () => this.foreignKey(reader.offset));
  }

  /** All that was applied is on disk, with `position`. */
  async finish(position: number, writtenAt: number): Promise<void> {
    // A position that goes to disk behind a batch that has failed would say of its rows that they are there.
    await this.settle();
    this.rethrow();
    this.store.record.writtenAt = writtenAt;
    this.write([], position);
    await this.settle();
    this.rethrow();
  }

  /** Settles when nothing is being written any more; afterwards the record says what disk certainly has. */
  async settle(): Promise<void> {
    await Promise.all(this.pending);
    this.store.record.position = this.written;
  }

  private write(operations: readonly BytesOperation[], position: number): void {
    const { record, directory, entries } = this.store;
    record.position = position;
    const write = directory.bytes.write([...directory.recordOperations([entries.name]), ...operations]).then(
      () => {
        if (this.failure === undefined) this.written = position;
      },
      (cause: unknown) => {
        this.failure ??= { cause };
      },
    );
    this.pending.push(write);
    void write.then(() => this.pending.shift());
  }

  private foreignKey(offset: number): MillraceError {
    const { topic, partition } = this;
    const { name } = this.store.entries;
    return new MillraceError(
      'PROTOCOL',
      `the record at offset ${offset} of changelog ${topic}-${partition} has a key that is none of store "${name}": ` +
        'did something else write to this topic, or was the store another kind before? Reset the application',
      { where: { topic, partition, offset, store: name } },
    );
  }

  private rethrow(): void {
    if (this.failure !== undefined) throw this.failure.cause as Error;
  }
}
