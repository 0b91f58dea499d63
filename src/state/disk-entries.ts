import type { BytesRange, BytesSnapshot, OrderedBytes } from './port';
import { bytesAfter } from './store-layout';

/** Entries read at once: about 1 ms of decoding and half a page of memory each. */
const CHUNK = 1_000;

type Chunk = readonly (readonly [Uint8Array, Uint8Array])[];

const END: Chunk = [];

/** Walks a range of one moment of the disk, reading the next entries while the last ones are used. */
export class DiskEntries {
  private readonly snapshot: BytesSnapshot;
  private from: Uint8Array;
  private chunk: Chunk = [];
  private at = 0;
  /** The chunk behind `chunk`, once it has been read. */
  private ahead: Chunk | undefined;
  private reading: Promise<void> | undefined;
  private failure: { readonly cause: unknown } | undefined;
  private closed: Promise<void> | undefined;

  /** Takes the moment, synchronously. */
  constructor(
    private readonly bytes: OrderedBytes,
    private readonly range: BytesRange,
  ) {
    this.snapshot = bytes.snapshot();
    this.from = range.from;
    this.readAhead();
  }

  /** Undefined: `peek` may be asked. A promise: ask again after it. @throws what reading threw */
  ready(): Promise<void> | undefined {
    if (this.at < this.chunk.length) return undefined;
    if (this.failure !== undefined) throw this.failure.cause as Error;
    if (this.ahead === undefined) return this.reading;
    this.chunk = this.ahead;
    this.at = 0;
    if (this.chunk.length === CHUNK) this.readAhead();
    else this.ahead = END;
    return undefined;
  }

  /** The next entry, not taken yet; undefined: no more. */
  peek(): readonly [Uint8Array, Uint8Array] | undefined {
    return this.chunk[this.at];
  }

  take(): void {
    this.at++;
  }

  /** Waits for a read under way: a snapshot must outlive it. */
  close(): Promise<void> {
    this.closed ??= (this.reading ?? Promise.resolve()).then(() => this.snapshot.close());
    return this.closed;
  }

  private readAhead(): void {
    this.ahead = undefined;
    this.reading = this.bytes.read({ from: this.from, to: this.range.to }, CHUNK, this.snapshot).then(
      (chunk) => {
        const last = chunk.at(-1);
        if (last !== undefined) this.from = bytesAfter(last[0]);
        this.ahead = chunk;
        this.reading = undefined;
      },
      (cause: unknown) => {
        this.failure = { cause };
        this.reading = undefined;
      },
    );
  }
}
