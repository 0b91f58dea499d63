import { rm } from 'node:fs/promises';
import { LRUCache } from 'lru-cache';
import { encodedKeyOf, identityOf } from '../codec/identity';
import { writeInt64 } from '../codec/int64-bytes';
import { sliceDecoder, type SliceDecoder } from '../codec/slice-decoder';
import { asBuffer } from '../codec/utf8';
import { MillraceError } from '../errors/millrace-error';
import type { Codec } from '../model/codec';
import type { Logger } from '../model/logger';
import { ByteSlab, roomFor } from './byte-slab';
import { GuardedBytes } from './guarded-bytes';
import type { Stamped } from './handle';
import type { OpenBytes } from './open-bytes';
import { OrderedMemory } from './ordered-memory';
import type { BytesOperation, OrderedBytes } from './port';
import { timestampOf, VALUE_AT } from './store-layout';

/** What of which topic is on disk; written in one batch with the rows. */
export interface GlobalRecord {
  readonly format: number;
  readonly clusterId: string;
  readonly topicId: string;
  /** By partition: the next offset that is not in the rows. */
  readonly positions: readonly number[];
  /** Wall clock, ms: then the rows were whole. */
  readonly writtenAt: number;
}

export interface GlobalRowsOptions {
  readonly topic: string;
  readonly key: Codec<unknown>;
  readonly value: Codec<unknown>;
  /** Estimated bytes of decoded rows kept in memory. */
  readonly cacheBytes: number;
}

/*
 * Where things lie:
 *
 *   0x00         the record, as JSON
 *   0x01 ‖ key   i64 timestamp ‖ value
 */
const FORMAT = 1;
const RECORD = Uint8Array.of(0x00);
const ROWS = 0x01;
const ROW_BYTES = 120;

/** As on disk; null: the row is deleted. */
type Pending = Uint8Array | null;

const none = Symbol('no such row');
type Cached = Stamped<unknown> | typeof none;

/**
 * A whole table in one place, read by all tasks of an instance. It belongs to no transaction: what its topic has is in it as soon as it was
 * read. Rows reach the disk in batches, each with the positions up to which they were read.
 */
export class GlobalRows {
  private positions: number[] = [];
  private readonly identityOf: (key: unknown) => string;
  private readonly encodedKeyOf: (identity: string) => string | Uint8Array;
  private readonly decode: SliceDecoder<unknown>;
  private readonly cache: LRUCache<string, Cached>;
  private waiting = new Map<string, Pending>();
  /** While it is loaded nothing is looked up: what was read is kept as it goes to disk, in order; a later row of a key overwrites. */
  private loading: BytesOperation[] | undefined;
  private slab = new ByteSlab();
  private readonly lookupSlab = new ByteSlab();
  private writing: ReadonlyMap<string, Pending> | undefined;
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly options: GlobalRowsOptions,
    private readonly bytes: OrderedBytes = new OrderedMemory(),
  ) {
    const { key, value, cacheBytes } = options;
    this.identityOf = identityOf(key);
    this.encodedKeyOf = encodedKeyOf(key);
    this.decode = sliceDecoder(value);
    this.cache = new LRUCache({ maxSize: Math.max(1, cacheBytes) });
  }

  /** What is there but damaged is removed: the topic has it all. */
  static async open(options: GlobalRowsOptions, folder: string, openBytes: OpenBytes, logger: Logger): Promise<GlobalRows> {
    const remove = async (reason: string): Promise<void> => {
      logger.warn({ folder }, `the local rows of global table "${options.topic}" are read anew from its topic: ${reason}`);
      await rm(folder, { recursive: true, force: true });
    };
    const opened = async (): Promise<GuardedBytes> => new GuardedBytes(await openBytes(folder));
    const bytes = await opened().catch(async (error: unknown) => {
      if (!isCorruption(error)) throw error;
      await remove(error.message);
      return opened();
    });
    const problem = await bytes.begin().catch(async (error: unknown) => {
      if (isCorruption(error)) return error.message;
      await bytes.close();
      throw error;
    });
    if (problem === undefined) return new GlobalRows(options, bytes);
    await bytes.close();
    await remove(problem);
    return new GlobalRows(options, await opened());
  }

  /** What the disk says of itself; undefined: nothing that could be read. */
  record(): GlobalRecord | undefined {
    const found = this.bytes.get(RECORD);
    if (found === undefined) return undefined;
    try {
      const record = JSON.parse(Buffer.from(found).toString('utf8')) as GlobalRecord;
      return record.format === FORMAT ? record : undefined;
    } catch {
      return undefined;
    }
  }

  /** Goes on at these positions. Nothing is looked up until `loaded`. */
  begin(positions: readonly number[]): void {
    this.positions = [...positions];
    this.loading = [];
  }

  /** All that was read while loading is written. */
  loaded(): void {
    this.loading = undefined;
  }

  /** Forgets every row. Before the first goes, so does the record: a crash halfway leads here again. */
  async clear(): Promise<void> {
    await this.last;
    this.cache.clear();
    this.waiting.clear();
    this.loading = undefined;
    await this.bytes.write([{ type: 'delete', key: RECORD }]);
    await this.bytes.clear({ from: Uint8Array.of(ROWS), to: Uint8Array.of(ROWS + 1) });
  }

  position(partition: number): number {
    return this.positions[partition] ?? 0;
  }

  find(key: unknown): Stamped<unknown> | undefined {
    const identity = this.identityOf(key);
    const cached = this.cache.get(identity);
    if (cached !== undefined) return cached === none ? undefined : cached;
    const found = this.load(identity);
    this.cache.set(identity, found?.row ?? none, { size: ROW_BYTES + identity.length + 2 * (found?.bytes ?? 0) });
    return found?.row;
  }

  private load(identity: string): { readonly row: Stamped<unknown>; readonly bytes: number } | undefined {
    const bytes = this.bytesOf(identity);
    if (bytes === null || bytes === undefined) return undefined;
    return { row: { value: this.decoded(bytes), timestamp: timestampOf(bytes) }, bytes: bytes.length };
  }

  private bytesOf(identity: string): Pending | undefined {
    const waiting = this.waiting.get(identity);
    if (waiting !== undefined) return waiting;
    const writing = this.writing?.get(identity);
    if (writing !== undefined) return writing;
    this.lookupSlab.at = 0;
    return this.bytes.get(this.diskKey(this.lookupSlab, identity));
  }

  private decoded(bytes: Uint8Array): unknown {
    const decoded = this.decode(asBuffer(bytes), VALUE_AT, bytes.length);
    if (decoded._tag === 'Right') return decoded.right;
    const { topic } = this.options;
    throw new MillraceError('DECODE', `a row of global table "${topic}" that was read before does not decode now: was its codec changed?`, {
      cause: decoded.left,
      where: { topic },
    });
  }

  /** The row of a key is what lies in [start, end) of `buffer`, which is copied; the rows of a partition come in their order. */
  put(key: unknown, buffer: Buffer, start: number, end: number, timestamp: number): void {
    const { slab } = this;
    slab.reserve(VALUE_AT + end - start);
    const { at } = slab;
    writeInt64(slab.buffer, timestamp, at);
    buffer.copy(slab.buffer, at + VALUE_AT, start, end);
    slab.at = at + VALUE_AT + end - start;
    this.change(key, slab.view(at, slab.at));
  }

  delete(key: unknown): void {
    this.change(key, null);
  }

  private change(key: unknown, pending: Pending): void {
    const identity = this.identityOf(key);
    if (this.loading !== undefined) {
      this.loading.push(this.operation(this.slab, identity, pending));
      return;
    }
    this.waiting.set(identity, pending);
    if (this.cache.size > 0) this.cache.delete(identity);
  }

  /** All rows of a partition before `next` have been put or deleted. */
  hasReadTo(partition: number, next: number): void {
    this.positions[partition] = next;
  }

  /** Rows that are not on their way to disk yet. */
  get unwritten(): number {
    return this.loading?.length ?? this.waiting.size;
  }

  /** Writes what was applied, after writes under way. If it rejects nothing is lost, and the next one writes it. @throws STATE_IO */
  flush(of: Omit<GlobalRecord, 'format' | 'positions'>): Promise<void> {
    const flush = this.last.then(() => this.write(of));
    this.last = flush.catch(() => undefined);
    return flush;
  }

  private async write(of: Omit<GlobalRecord, 'format' | 'positions'>): Promise<void> {
    const record: GlobalRecord = { format: FORMAT, ...of, positions: [...this.positions] };
    const recording: BytesOperation = { type: 'put', key: RECORD, value: Buffer.from(JSON.stringify(record)) };
    if (this.loading !== undefined) {
      await this.writeLoaded(this.loading, recording);
      return;
    }
    const taken = this.waiting;
    this.waiting = new Map();
    this.slab = new ByteSlab();
    this.writing = taken;
    try {
      await this.bytes.write([...this.operations(taken), recording]);
    } catch (error) {
      for (const [identity, pending] of this.waiting) taken.set(identity, pending);
      this.waiting = taken;
      throw error;
    } finally {
      this.writing = undefined;
    }
  }

  private async writeLoaded(taken: BytesOperation[], recording: BytesOperation): Promise<void> {
    this.loading = [];
    try {
      await this.bytes.write([...taken, recording]);
    } catch (error) {
      this.loading = [...taken, ...this.loading];
      throw error;
    }
  }

  private operations(pending: ReadonlyMap<string, Pending>): BytesOperation[] {
    const slab = new ByteSlab();
    return Array.from(pending, ([identity, value]) => this.operation(slab, identity, value));
  }

  private operation(slab: ByteSlab, identity: string, value: Pending): BytesOperation {
    const key = this.diskKey(slab, identity);
    return value === null ? { type: 'delete', key } : { type: 'put', key, value };
  }

  private diskKey(slab: ByteSlab, identity: string): Uint8Array {
    const key = this.encodedKeyOf(identity);
    slab.reserve(1 + roomFor(key));
    const { at } = slab;
    slab.buffer[at] = ROWS;
    slab.at = at + 1 + slab.write(key, at + 1);
    return slab.view(at, slab.at);
  }

  async close(): Promise<void> {
    await this.last;
    await this.bytes.close();
  }
}

function isCorruption(error: unknown): error is MillraceError {
  return error instanceof MillraceError && error.code === 'STATE_CORRUPTED';
}
