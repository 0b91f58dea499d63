import { MillraceError } from '../errors/millrace-error';
import type { Logger } from '../model/logger';
import type { Clock, TimerHandle } from '../time/clock';
import type { BatchReader } from './batch-decode';
import { BoundedReader } from './bounded-reader';
import type { ClusterView } from './cluster-view';
import { Fetcher } from './fetcher';
import type { FetchedChunk, PartitionProgress, PartitionSink } from './partition-sink';
import type { FetchLane, KafkaPort, TopicPartition } from './port';

export interface LogReaderOptions {
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface LogToRead extends TopicPartition {
  readonly from: number;
  /** Read until the position is at or behind this; records from it on are not given. */
  readonly until: number;
  readonly lane: FetchLane;
  /** Default true: up to `until` nothing may be open any more, or reading waits for its end. */
  readonly readCommitted?: boolean;
  /**
   * Takes the records of one answer, each at most once and in order. The next answer is fetched meanwhile, at most one more; the bytes stay
   * valid, and in memory, for as long as something refers to them.
   */
  readonly apply: (reader: BatchReader) => void | Promise<void>;
  readonly signal?: AbortSignal;
  /** How long the position may stand still before this is an error, ms. Default 120,000: an open transaction of a dead process ends before. */
  readonly stallAfterMs?: number;
  /** Default 1 MiB. */
  readonly maxBytesPerPartition?: number;
}

/**
 * Reads a partition from `from` until its position is at `until`, counted by batches: markers, aborted records and what compaction removed
 * take up offsets, too, so that the last record may lie far before it.
 *
 * @returns the position behind what was applied, at least `until`
 * @throws POSITION_OUT_OF_RANGE when the log no longer has `from`, or ends before `until`; BROKERS_UNREACHABLE when the position stands still;
 *   whatever `apply` throws; the signal's reason
 */
export async function readLog(options: LogReaderOptions, log: LogToRead): Promise<number> {
  if (log.from >= log.until) return log.from;
  log.signal?.throwIfAborted();
  return new LogReading(options, log).run();
}

class LogReading implements PartitionSink {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #log: LogToRead;
  readonly #fetcher: Fetcher;
  readonly #reader: BoundedReader;
  /** What was fetched and not applied yet: at most two, then fetching pauses. */
  readonly #chunks: FetchedChunk[] = [];
  #position: number;
  #applying = false;
  #stall: TimerHandle | undefined;
  #lastSeen: PartitionProgress | undefined;
  #resolve: (position: number) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #ended = false;

  constructor(options: LogReaderOptions, log: LogToRead) {
    const readCommitted = log.readCommitted ?? true;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#log = log;
    this.#position = log.from;
    // Several logs are read through one lane, on which a request that waits for data holds up all others.
    this.#fetcher = new Fetcher({
      ...options,
      lane: log.lane,
      readCommitted,
      maxWaitMs: 100,
      ...(log.maxBytesPerPartition === undefined ? {} : { maxBytesPerPartition: log.maxBytesPerPartition }),
    });
    this.#reader = new BoundedReader({ topic: log.topic, partition: log.partition });
    this.#reader.until = log.until;
  }

  run(): Promise<number> {
    const { topic, partition, from, signal } = this.#log;
    const abort = (): void => this.#end(() => this.#reject(signal?.reason));
    const reading = new Promise<number>((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    signal?.addEventListener('abort', abort, { once: true });
    this.#watchForStall();
    this.#fetcher.add({ topic, partition, offset: from, sink: this });
    return reading.finally(() => signal?.removeEventListener('abort', abort));
  }

  chunk(chunk: FetchedChunk): void {
    this.#lastSeen = chunk;
    this.#chunks.push(chunk);
    if (chunk.next >= this.#log.until) this.#fetcher.close();
    else if (this.#chunks.length > 1) this.#fetcher.pause(this.#log.topic, this.#log.partition);
    if (!this.#applying) void this.#applyAll();
  }

  progress(progress: PartitionProgress): void {
    this.#lastSeen = progress;
  }

  outOfRange({ requested, logStart, logEnd }: { requested: number; logStart: number; logEnd: number }): void {
    const { topic, partition, until } = this.#log;
    const what = `${topic}-${partition} was to be read from offset ${requested} to ${until}, but its log goes from ${logStart} to ${logEnd}.`;
    this.#end(() => this.#reject(new MillraceError('POSITION_OUT_OF_RANGE', what, { where: { topic, partition, offset: requested } })));
  }

  failed(error: MillraceError): void {
    this.#end(() => this.#reject(error));
  }

  async #applyAll(): Promise<void> {
    this.#applying = true;
    try {
      for (let chunk = this.#chunks[0]; chunk !== undefined && !this.#isOver(); chunk = this.#chunks[0]) {
        this.#reader.reset(chunk.records, { aborted: chunk.aborted, from: chunk.from, readCommitted: this.#log.readCommitted ?? true });
        const applied = this.#log.apply(this.#reader);
        if (applied !== undefined) await applied;
        this.#chunks.shift();
        this.#position = chunk.next;
        this.#watchForStall();
        this.#fetcher.resume(this.#log.topic, this.#log.partition);
      }
      if (this.#position >= this.#log.until) this.#end(() => this.#resolve(this.#position));
    } catch (error) {
      this.#end(() => this.#reject(error));
    } finally {
      this.#applying = false;
    }
  }

  #isOver(): boolean {
    return this.#ended;
  }

  #watchForStall(): void {
    if (this.#ended) return;
    this.#stall?.cancel();
    const { topic, partition, stallAfterMs = 120_000 } = this.#log;
    this.#stall = this.#clock.setTimer(stallAfterMs, () => {
      if (this.#applying) {
        this.#logger.warn({ topic, partition, position: this.#position }, `a log is being applied for ${stallAfterMs} ms`);
        this.#watchForStall();
        return;
      }
      this.failed(this.#stalled(stallAfterMs));
    });
  }

  #stalled(afterMs: number): MillraceError {
    const { topic, partition, until } = this.#log;
    const seen = this.#lastSeen;
    const why =
      seen === undefined
        ? 'No answer came.'
        : seen.highWatermark < until
          ? `The log ends at ${seen.highWatermark}: was the topic deleted and created anew?`
          : seen.lastStableOffset < until
            ? `Its last stable offset is ${seen.lastStableOffset}: a transaction is open there.`
            : 'The broker has no more to give below that offset.';
    return new MillraceError(
      seen !== undefined && seen.highWatermark < until ? 'POSITION_OUT_OF_RANGE' : 'BROKERS_UNREACHABLE',
      `Reading ${topic}-${partition} stood still for ${afterMs} ms at offset ${this.#position}, waiting for ${until}. ${why}`,
      { where: { topic, partition, offset: this.#position }, retryable: true },
    );
  }

  #end(settle: () => void): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stall?.cancel();
    this.#fetcher.close();
    settle();
  }
}
