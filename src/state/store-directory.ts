import { rm } from 'node:fs/promises';
import { MillraceError } from '../errors/millrace-error';
import type { Logger } from '../model/logger';
import type { StoreShape } from '../model/store-definition';
import { GuardedBytes, isLink } from './guarded-bytes';
import type { OpenBytes } from './open-bytes';
import { OrderedMemory } from './ordered-memory';
import type { PutBytes } from './port';
import { StoreLayout } from './store-layout';

/** Grows when the layout of entries or records changes: what an older version wrote is then rebuilt from the changelogs. */
const FORMAT = 1;

const RECORDS = 0x00;
const MOST_STORES = 0xffff;

/** Stores that the topology no longer has are kept this long, for a deploy that goes back. */
const KEEP_REMOVED_MS = 86_400_000;

/** What the directory knows of one store: written in the same batch as its entries, so that the two never disagree. */
export interface StoreRecord {
  /** Number of the store in keys. */
  readonly id: number;
  kind: StoreShape['kind'];
  /** Kafka's ids of what the store mirrors; '' before its first restore. */
  clusterId: string;
  topicId: string;
  /** Next offset of the changelog that is not in the store. -1: entries without a known position; they must be cleared first. */
  position: number;
  /**
   * Wall clock, ms: then the store was whole. What the changelog has beyond `position` came later, so that no tombstone can have been
   * compacted away before half the changelog's tombstone retention has passed.
   */
  writtenAt: number;
}

interface DirectoryRecord {
  readonly format: number;
  readonly partition: number;
}

/** The stores of a task that lie in one place: on disk, or in memory. */
export class StoreDirectory {
  private readonly records = new Map<string, StoreRecord>();
  /** A position has moved since the last write. */
  moved = false;
  /** When everything committed up to then was known to be in the stores, ms; -Infinity: not yet known. */
  wholeAt = -Infinity;

  private constructor(
    readonly bytes: GuardedBytes,
    private readonly partition: number,
    /** Undefined: in memory. */
    private readonly folder: string | undefined,
  ) {}

  static inMemory(partition: number): StoreDirectory {
    return new StoreDirectory(new GuardedBytes(new OrderedMemory(), false), partition, undefined);
  }

  /** What is there but cannot be read, or was another partition's, is removed: the changelogs hold it all. */
  static async open(folder: string, partition: number, openBytes: OpenBytes, logger: Logger): Promise<StoreDirectory> {
    const remove = async (reason: string): Promise<void> => {
      logger.warn({ folder, partition, reason }, `the local state of task ${partition} is rebuilt from its changelogs: ${reason}`);
      await rm(folder, { recursive: true, force: true });
    };
    const bytes = await openBytes(folder).catch(async (error: unknown) => {
      if (!(error instanceof MillraceError) || error.code !== 'STATE_CORRUPTED') throw error;
      await remove(error.message);
      return openBytes(folder);
    });
    const directory = new StoreDirectory(new GuardedBytes(bytes), partition, folder);
    const problem = await directory.load().catch(async (cause: unknown) => {
      await bytes.close();
      throw cause;
    });
    if (problem === undefined) return directory;
    await bytes.close();
    await remove(problem);
    return new StoreDirectory(new GuardedBytes(await openBytes(folder)), partition, folder);
  }

  /** Reads the records; gives what is wrong with them. */
  private async load(): Promise<string | undefined> {
    try {
      const gap = await this.bytes.begin();
      if (gap !== undefined) return gap;
      const found = await this.bytes.read({ from: Uint8Array.of(RECORDS), to: Uint8Array.of(RECORDS + 1) }, MOST_STORES + 1);
      for (const [key, value] of found) {
        if (isLink(key)) continue;
        const name = Buffer.from(key).toString('utf8', 1);
        const record = JSON.parse(Buffer.from(value).toString('utf8')) as unknown;
        if (name !== '') {
          this.records.set(name, record as StoreRecord);
          continue;
        }
        const { format, partition } = record as DirectoryRecord;
        if (format !== FORMAT) return `it is in format ${format}, this version of millrace writes ${FORMAT}`;
        if (partition !== this.partition) return `it is that of task ${partition}`;
      }
      return undefined;
    } catch (error) {
      if (error instanceof MillraceError && error.code !== 'STATE_CORRUPTED') throw error;
      return (error as Error).message;
    }
  }

  get isOnDisk(): boolean {
    return this.folder !== undefined;
  }

  /** What lies here, by name of the store. */
  get contents(): ReadonlyMap<string, Readonly<StoreRecord>> {
    return this.records;
  }

  /** The record of a store, made if there is none. A store that has become another kind begins anew. */
  recordOf(shape: StoreShape): StoreRecord {
    let record = this.records.get(shape.name);
    if (record === undefined) {
      record = { id: this.freeId(), kind: shape.kind, clusterId: '', topicId: '', position: 0, writtenAt: 0 };
      this.records.set(shape.name, record);
    } else if (record.kind !== shape.kind) {
      record.kind = shape.kind;
      record.position = -1;
    }
    return record;
  }

  /** Notes in the records when the stores were last known to be whole. False: they say nothing new. */
  stamp(stores: readonly string[]): boolean {
    let isNew = this.moved;
    for (const name of stores) {
      const record = this.records.get(name);
      if (record === undefined || this.wholeAt <= record.writtenAt) continue;
      record.writtenAt = this.wholeAt;
      isNew = true;
    }
    return isNew;
  }

  private freeId(): number {
    const taken = new Set([...this.records.values()].map(({ id }) => id));
    let id = 1;
    while (taken.has(id)) id++;
    return id;
  }

  /** Removes stores that no topology has used for a day. */
  async removeUnused(used: ReadonlySet<string>, now: number, logger: Logger): Promise<void> {
    for (const [name, record] of this.records) {
      if (used.has(name) || now - record.writtenAt < KEEP_REMOVED_MS) continue;
      logger.info(
        { store: name, partition: this.partition },
        `the local state of store "${name}" is removed: the topology no longer has it`,
      );
      await this.clear(name);
      await this.bytes.write([{ type: 'delete', key: recordKey(name) }]);
      this.records.delete(name);
    }
  }

  /**
   * Removes the entries of a store. Before the first goes, its record says that none may be relied upon: a crash halfway leads here
   * again. After the last, the store is empty at offset 0.
   */
  async clear(name: string): Promise<void> {
    const record = this.records.get(name);
    if (record === undefined) return;
    record.position = -1;
    await this.bytes.write(this.recordOperations([name]));
    const layout = new StoreLayout(record.id, record.kind === 'window');
    await this.bytes.clear({ from: layout.first, to: layout.last });
    record.position = 0;
  }

  /** The records of the given stores as they are now; to be written with their entries. */
  recordOperations(stores: readonly string[]): PutBytes[] {
    const operations: PutBytes[] = [];
    const directory: DirectoryRecord = { format: FORMAT, partition: this.partition };
    operations.push(putJson('', directory));
    for (const name of stores) {
      const record = this.records.get(name);
      if (record !== undefined) operations.push(putJson(name, record));
    }
    return operations;
  }

  /** A folder whose bytes were found corrupted is removed: the next opening rebuilds it. */
  async close(): Promise<void> {
    await this.bytes.close();
    if (this.bytes.isCorrupted && this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
  }
}

function recordKey(name: string): Uint8Array {
  return Buffer.concat([Uint8Array.of(RECORDS), Buffer.from(name, 'utf8')]);
}

function putJson(name: string, content: object): PutBytes {
  return { type: 'put', key: recordKey(name), value: Buffer.from(JSON.stringify(content), 'utf8') };
}
