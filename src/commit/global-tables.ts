import type { CheckedConfig } from '../config';
import { MillraceError } from '../errors/millrace-error';
import type { ClusterView } from '../kafka/cluster-view';
import { Fetcher } from '../kafka/fetcher';
import { readLog } from '../kafka/log-reader';
import { OffsetReader } from '../kafka/offsets';
import type { KafkaPort } from '../kafka/port';
import type { RestoreProgress } from '../model/restore-progress';
import type { Topic } from '../model/topic';
import { GlobalRows, type GlobalRecord } from '../state/global-rows';
import type { OpenBytes } from '../state/open-bytes';
import type { Slot } from '../state/slot';
import type { Clock, TimerHandle } from '../time/clock';
import { GlobalRowReader } from './global-row';
import { RestoreReport } from './restore-report';

export interface GlobalTablesOptions {
  readonly config: Pick<CheckedConfig, 'logger' | 'metrics' | 'cacheBytes'>;
  readonly topics: readonly Topic<unknown, unknown>[];
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly slot: Slot;
  readonly openBytes: OpenBytes | undefined;
  /** `delete.retention.ms` of a topic. */
  readonly tombstoneRetention: ReadonlyMap<string, number>;
  readonly failed: (reason: MillraceError) => void;
  readonly restoring?: (progress: RestoreProgress) => void;
}

/** Rows that are applied and not on disk: more are written at once, … */
const MOST_UNWRITTEN = 20_000;
/** … fewer after this long, ms. */
const FLUSH_INTERVAL_MS = 5_000;
/** ms a broker may hold a fetch for rows that are not there yet. */
const FETCH_WAIT_MS = 500;

/**
 * The global tables of one instance: each whole, from every partition of its topic. Loaded up to the last stable offset before any task
 * runs, then followed; kept on disk, so that a restart reads the difference.
 */
export class GlobalTables {
  private readonly tables = new Map<string, GlobalTable>();
  private readonly fetcher: Fetcher;

  private constructor(private readonly options: GlobalTablesOptions) {
    const { port, view, clock, config } = options;
    this.fetcher = new Fetcher({ port, view, clock, logger: config.logger, lane: 'global', readCommitted: true, maxWaitMs: FETCH_WAIT_MS });
  }

  /** Settles when all are loaded. @throws what reading a topic throws, DECODE, STATE_IO */
  static async load(options: GlobalTablesOptions): Promise<GlobalTables> {
    const tables = new GlobalTables(options);
    try {
      await tables.loadAll();
      return tables;
    } catch (cause) {
      await tables.close();
      throw cause;
    }
  }

  private async loadAll(): Promise<void> {
    for (const topic of this.options.topics) {
      const table = await GlobalTable.open(this.options, topic);
      this.tables.set(topic.name, table);
      await table.load();
    }
    for (const table of this.tables.values()) table.follow(this.fetcher);
  }

  readonly rows = (topic: string): GlobalRows => (this.tables.get(topic) as GlobalTable).rows;

  async close(): Promise<void> {
    this.fetcher.close();
    await Promise.all([...this.tables.values()].map((table) => table.close()));
  }
}

class GlobalTable {
  private readonly readers: readonly GlobalRowReader[];
  private timer: TimerHandle | undefined;
  private closed = false;
  private behind: Promise<void> = Promise.resolve();

  private constructor(
    private readonly options: GlobalTablesOptions,
    private readonly topic: Topic<unknown, unknown>,
    readonly rows: GlobalRows,
    private readonly of: { readonly clusterId: string; readonly topicId: string },
    private readonly partitions: number,
  ) {
    const { metrics } = options.config;
    const dropped = (reason: string): void => {
      metrics.add('dropped-records-total', 1, { operator: 'globalTable', reason, table: topic.name });
    };
    this.readers = Array.from({ length: partitions }, (_, partition) => new GlobalRowReader(topic, partition, dropped));
  }

  static async open(options: GlobalTablesOptions, topic: Topic<unknown, unknown>): Promise<GlobalTable> {
    const { view, slot, openBytes, config } = options;
    const described = (await view.topics([topic.name])).get(topic.name);
    const of = { clusterId: await view.clusterId(), topicId: described?.topicId ?? '' };
    const rowsOptions = { topic: topic.name, key: topic.key, value: topic.value, cacheBytes: config.cacheBytes };
    const folder = slot.globalDirectory(topic.name);
    const rows =
      folder === undefined || openBytes === undefined
        ? new GlobalRows(rowsOptions)
        : await GlobalRows.open(rowsOptions, folder, openBytes, config.logger);
    return new GlobalTable(options, topic, rows, of, described?.partitions ?? 0);
  }

  /** Up to the last stable offsets of now: what an open transaction has written is not waited for. */
  async load(): Promise<void> {
    const { port, view, clock, config, restoring = () => undefined } = this.options;
    const { logger, metrics } = config;
    const at = Array.from({ length: this.partitions }, (_, partition) => ({ topic: this.topic.name, partition }));
    const offsets = new OffsetReader({ port, view, clock });
    const ends = (await offsets.endOffsets(at, true)).map(({ offset }) => offset);
    const starts = (await offsets.startOffsets(at)).map(({ offset }) => offset);
    await this.begin(starts, ends);
    const left = (): number => ends.reduce((sum, end, partition) => sum + Math.max(0, end - this.rows.position(partition)), 0);
    const hasMore = left() > 0;
    const { progress } = new RestoreReport({ clock, logger, emit: restoring });
    let rows = 0;
    const report = (done = false): void => {
      if (hasMore) progress({ store: this.topic.name, topic: this.topic.name, records: rows, left: left(), done });
    };
    report();
    await Promise.all(
      at.map(({ topic, partition }) =>
        readLog(
          { port, view, clock, logger },
          {
            topic,
            partition,
            from: this.rows.position(partition),
            until: ends[partition]!,
            lane: 'restore',
            apply: (reader) => {
              rows += this.readers[partition]!.applyAll(reader, this.rows);
              this.rows.hasReadTo(partition, reader.nextOffset);
              report();
              return this.rows.unwritten >= MOST_UNWRITTEN ? this.writeBehind() : undefined;
            },
          },
        ),
      ),
    );
    // Up to the end there may be nothing but markers.
    ends.forEach((end, partition) => {
      if (this.rows.position(partition) < end) this.rows.hasReadTo(partition, end);
    });
    await this.write();
    this.rows.loaded();
    report(true);
    metrics.add('restore-records-total', rows, { table: this.topic.name });
    logger.info({ table: this.topic.name, rows }, `global table "${this.topic.name}" is loaded`);
  }

  private async begin(starts: readonly number[], ends: readonly number[]): Promise<void> {
    const record = this.rows.record();
    const reason = record === undefined ? undefined : this.whyAnew(record, starts, ends);
    if (record !== undefined && reason === undefined) {
      this.rows.begin(starts.map((start, partition) => Math.max(start, record.positions[partition] ?? 0)));
      return;
    }
    if (reason !== undefined) {
      const { logger } = this.options.config;
      logger.warn({ table: this.topic.name, reason }, `global table "${this.topic.name}" is read anew from its topic: ${reason}`);
    }
    await this.rows.clear();
    this.rows.begin(starts);
  }

  /** Undefined: what is on disk may be kept. */
  private whyAnew(record: GlobalRecord, starts: readonly number[], ends: readonly number[]): string | undefined {
    const { clock, tombstoneRetention } = this.options;
    const { clusterId, topicId } = this.of;
    if (record.clusterId !== clusterId) return `it belongs to cluster ${record.clusterId}, this is ${clusterId}`;
    if (record.topicId !== topicId) return 'its topic was deleted and created anew';
    const ahead = record.positions.findIndex((position, partition) => position > (ends[partition] ?? 0));
    if (ahead >= 0) return `it is at offset ${record.positions[ahead]!} of partition ${ahead}, which ends at ${ends[ahead] ?? 0}`;
    const behind = record.positions.findIndex((position, partition) => position > 0 && position < (starts[partition] ?? 0));
    if (behind >= 0) return `it is at offset ${record.positions[behind]!} of partition ${behind}, which begins at ${starts[behind]!}`;
    const isBehind = ends.some((end, partition) => end - (record.positions[partition] ?? 0) > 1);
    const age = clock.now() - record.writtenAt;
    const limit = (tombstoneRetention.get(this.topic.name) ?? Infinity) / 2;
    if (!isBehind || age <= limit) return undefined;
    return `it was written ${Math.round(age / 1000)} s ago; tombstones since then may have been compacted away after ${Math.round(limit / 1000)} s`;
  }

  follow(fetcher: Fetcher): void {
    const { failed } = this.options;
    this.readers.forEach((reader, partition) => {
      fetcher.add({
        topic: this.topic.name,
        partition,
        offset: this.rows.position(partition),
        sink: {
          chunk: (chunk) => {
            try {
              reader.applyChunk(chunk, this.rows);
              this.flushLater();
            } catch (cause) {
              failed(asMillraceError(cause, this.topic.name));
            }
          },
          progress: ({ next }) => {
            if (next > this.rows.position(partition)) this.rows.hasReadTo(partition, next);
          },
          outOfRange: ({ requested, logStart, logEnd }) => {
            failed(positionGone(this.topic.name, partition, requested, logStart, logEnd));
          },
          failed,
        },
      });
    });
  }

  private flushLater(): void {
    const { clock, failed } = this.options;
    if (this.closed) return;
    const flush = (): void => {
      this.timer = undefined;
      this.write().catch((cause: unknown) => {
        failed(asMillraceError(cause, this.topic.name));
      });
    };
    if (this.rows.unwritten >= MOST_UNWRITTEN) {
      this.timer?.cancel();
      flush();
    } else this.timer ??= clock.setTimer(FLUSH_INTERVAL_MS, flush);
  }

  /** Begins a write and settles with the one before: meanwhile more is read. */
  private writeBehind(): Promise<void> {
    const before = this.behind;
    this.behind = this.write();
    this.behind.catch(() => undefined);
    return before;
  }

  private write(): Promise<void> {
    return this.rows.flush({ ...this.of, writtenAt: this.options.clock.now() });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.timer?.cancel();
    await this.write().catch((cause: unknown) => {
      const { logger } = this.options.config;
      logger.warn({ table: this.topic.name, cause: String(cause) }, 'rows of a global table were not written; its topic has them');
    });
    await this.rows.close();
  }
}

function positionGone(topic: string, partition: number, requested: number, logStart: number, logEnd: number): MillraceError {
  return new MillraceError(
    'POSITION_OUT_OF_RANGE',
    `global table "${topic}", partition ${partition}: offset ${requested} is outside the log, which goes from ${logStart} to ${logEnd}; ` +
      'started again, the table is read anew',
    { where: { topic, partition, offset: requested } },
  );
}

function asMillraceError(cause: unknown, topic: string): MillraceError {
  if (cause instanceof MillraceError) return cause;
  return new MillraceError('STATE_IO', `global table "${topic}": ${String(cause)}`, { cause, where: { topic } });
}
