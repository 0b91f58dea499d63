import { BoundedReader } from '../kafka/bounded-reader';
import type { Fetcher } from '../kafka/fetcher';
import type { FetchedChunk, PartitionProgress, PartitionSink } from '../kafka/partition-sink';
import { MillraceError } from '../errors/millrace-error';
import { ChangelogWriter } from '../state/changelog-writer';
import type { Changelog } from '../state/restore';
import type { RestorableStore } from '../state/task-stores';
import type { Clock } from '../time/clock';

export interface ChangelogTailOptions {
  readonly changelog: Changelog;
  readonly partition: number;
  readonly store: RestorableStore;
  readonly fetcher: Fetcher;
  readonly clock: Clock;
  /** It has something to apply: `applyNext` is to be called. */
  readonly ready: (tail: ChangelogTail) => void;
  /** Nothing more comes of it: the store has to be brought to the end of its changelog anew. */
  readonly failed: (reason: MillraceError) => void;
}

/**
 * ms before an answer came within which the broker may have given it: what an answer calls the end of the log was that then, at the latest.
 */
const ANSWER_MAY_BE_OLD_MS = 60_000;

/**
 * Follows one changelog partition: what is committed there goes to disk, batch by batch, with the position behind it. Of a table's topic
 * only what the group has committed, as far as `allow` says.
 */
export class ChangelogTail implements PartitionSink {
  /** Next offset that was not applied. */
  position: number;
  /** Where the log ended, or what may be read of it, when last heard; undefined: not yet heard. */
  end: number | undefined;
  private limit: number;
  private readonly writer: ChangelogWriter;
  private readonly reader: BoundedReader;
  /** Fetched and not applied: at most two, then fetching pauses. */
  private readonly chunks: FetchedChunk[] = [];
  private counted = 0;
  /** Wall clock: then `position` was the end. */
  private wholeAt = -Infinity;
  /** Applied since disk was last known to have it all. */
  private isUnsure = false;
  private applying: Promise<void> | undefined;
  private stopped = false;

  constructor(private readonly options: ChangelogTailOptions) {
    const { changelog, store, partition } = options;
    const { topic, rowOf, end } = changelog;
    this.position = store.record.position;
    this.limit = rowOf === undefined ? Infinity : end;
    this.writer = new ChangelogWriter(store, topic, partition, rowOf);
    this.reader = new BoundedReader({ topic, partition });
  }

  start(): void {
    const { fetcher, changelog, partition } = this.options;
    fetcher.add({ topic: changelog.topic, partition, offset: this.position, sink: this });
  }

  /** Ends fetching; settles when nothing is being written. Then the store's record says what disk has. */
  async stop(): Promise<void> {
    const { fetcher, changelog, partition } = this.options;
    if (!this.stopped) fetcher.remove(changelog.topic, partition);
    this.stopped = true;
    this.chunks.length = 0;
    await this.applying;
    await this.writer.settle();
  }

  get topic(): string {
    return this.options.changelog.topic;
  }

  get isTable(): boolean {
    return this.options.changelog.rowOf !== undefined;
  }

  /** Offsets behind; undefined: not yet known. */
  get lag(): number | undefined {
    return this.end === undefined ? undefined : Math.max(0, this.end - this.position);
  }

  /** Records applied since this was last asked. */
  takeCount(): number {
    const count = this.writer.records - this.counted;
    this.counted = this.writer.records;
    return count;
  }

  /** The group has committed up to here, `askedAt` wall clock: the rest of the topic is still to be pushed. */
  allow(limit: number, askedAt: number): void {
    if (limit < this.limit) return;
    this.limit = limit;
    this.end = limit;
    if (this.position >= limit) this.wholeAt = askedAt;
    else if (this.isReady) this.options.ready(this);
  }

  // ---- as fetched

  chunk(chunk: FetchedChunk): void {
    if (this.stopped) return;
    this.heard(chunk);
    this.chunks.push(chunk);
    if (this.chunks.length > 1 || chunk.next > this.limit) this.options.fetcher.pause(this.topic, this.options.partition);
    if (this.isReady) this.options.ready(this);
  }

  progress(progress: PartitionProgress): void {
    if (this.stopped) return;
    this.heard(progress);
    if (!this.isTable && this.chunks.length === 0 && this.position >= progress.lastStableOffset) this.isWhole();
  }

  outOfRange({ requested, logStart, logEnd }: { requested: number; logStart: number; logEnd: number }): void {
    const { partition } = this.options;
    const what = `${this.topic}-${partition} was followed up to offset ${requested}, but its log goes from ${logStart} to ${logEnd}`;
    this.fail(new MillraceError('POSITION_OUT_OF_RANGE', what, { where: { topic: this.topic, partition, offset: requested } }));
  }

  failed(reason: MillraceError): void {
    this.fail(reason);
  }

  private heard({ lastStableOffset }: PartitionProgress): void {
    this.end = this.isTable ? this.limit : lastStableOffset;
  }

  private isWhole(): void {
    this.wholeAt = this.options.clock.now() - ANSWER_MAY_BE_OLD_MS;
  }

  private fail(reason: MillraceError): void {
    if (this.stopped) return;
    this.options.failed(reason);
  }

  // ---- applying

  get isReady(): boolean {
    return !this.stopped && this.applying === undefined && this.chunks.length > 0 && this.position < this.limit;
  }

  /** Applies what one answer brought, as far as is allowed. Settles when there may be more of it; never rejects. */
  applyNext(): Promise<void> | undefined {
    const [chunk] = this.chunks;
    if (chunk === undefined || !this.isReady) return undefined;
    this.applying = this.apply(chunk)
      .catch((cause: unknown) => {
        this.fail(cause instanceof MillraceError ? cause : new MillraceError('STATE_IO', String(cause), { cause, retryable: true }));
      })
      .finally(() => {
        this.applying = undefined;
      });
    return this.applying;
  }

  private async apply(chunk: FetchedChunk): Promise<void> {
    const { fetcher, partition } = this.options;
    this.reader.until = this.limit;
    this.reader.reset(chunk.records, { aborted: chunk.aborted, from: Math.max(chunk.from, this.position), readCommitted: true });
    this.isUnsure = true;
    const applied = this.writer.apply(this.reader);
    if (applied !== undefined) await applied;
    this.position = Math.max(this.position, Math.min(chunk.next, this.reader.until));
    if (this.position < chunk.next || this.stopped) return;
    this.chunks.shift();
    if (this.chunks.length === 0 && !this.isTable && this.position >= chunk.lastStableOffset) this.isWhole();
    fetcher.resume(this.topic, partition);
  }

  /**
   * Markers, aborted records and what compaction removed move the position without a write; so does time alone what a restart will think of
   * the store's age. Now and then both go to disk, and a write that has failed meanwhile is noticed.
   */
  async note(): Promise<void> {
    const { record } = this.options.store;
    if (this.stopped || this.applying !== undefined) return;
    if (!this.isUnsure && this.position === record.position && this.wholeAt - record.writtenAt < ANSWER_MAY_BE_OLD_MS) return;
    const { position } = this;
    this.isUnsure = false;
    this.applying = this.writer
      .finish(position, Math.max(this.wholeAt, record.writtenAt))
      .catch((cause: unknown) => {
        this.fail(cause instanceof MillraceError ? cause : new MillraceError('STATE_IO', String(cause), { cause, retryable: true }));
      })
      .finally(() => {
        this.applying = undefined;
        if (this.isReady) this.options.ready(this);
      });
    await this.applying;
  }
}
