import type { BatchReader } from '../kafka/batch-decode';
import { silentLogger, type Logger } from '../model/logger';
import type { Clock } from '../time/clock';
import { ChangelogWriter } from './changelog-writer';
import type { ReadRow } from './restore-table';
import type { StoreRecord } from './store-directory';
import type { RestorableStore, TaskStores } from './task-stores';

/** Reads what is committed from `from` up to `until`, counted by batches; gives a position from `until` on. */
export type ReadLog = (
  topic: string,
  partition: number,
  from: number,
  until: number,
  apply: (reader: BatchReader) => void | Promise<void>,
) => Promise<number>;

/** The changelog partition of one store, as the broker describes it now. */
export interface Changelog {
  readonly store: string;
  readonly topic: string;
  readonly topicId: string;
  readonly logStart: number;
  /**
   * Where restoring ends: the high watermark, asked for after the committed offsets were; of a table's topic what is committed of it.
   */
  readonly end: number;
  /** `delete.retention.ms`: how long the topic keeps tombstones. */
  readonly tombstoneRetentionMs: number;
  /** Tables: how a record of the topic is read. Its keys need not be the store's, and what does not decode was passed over. */
  readonly rowOf?: ReadRow;
}

/** How far one store has come. The first report comes before the first record, the last when all is on disk. */
export interface StoreProgress {
  readonly store: string;
  readonly topic: string;
  /** Records applied so far. */
  readonly records: number;
  /** Offsets still to read; there may be fewer records. */
  readonly left: number;
  readonly done: boolean;
}

export interface RestoreOptions {
  readonly stores: TaskStores;
  readonly clusterId: string;
  /** One for each store. */
  readonly changelogs: readonly Changelog[];
  readonly read: ReadLog;
  readonly clock: Clock;
  readonly logger?: Logger;
  /** Not called for a store that has nothing to read. */
  readonly progress?: (progress: StoreProgress) => void;
}

export interface RestoreResult {
  /** Changelog records applied. */
  readonly records: number;
  /** There is committed state in a store that is no table: records were applied, or it holds some from before. */
  readonly hasState: boolean;
}

/**
 * Brings every store to the end of its changelog. What is on disk is kept, also after an unclean stop, and only the difference is read;
 * unless its identity does not hold: then that store alone is cleared, and a line in the log says why.
 * Nothing may be active or sealed. If it rejects, what was restored so far is kept, and the next restore goes on from there.
 */
export async function restoreStores(options: RestoreOptions): Promise<RestoreResult> {
  const { stores, changelogs, clock } = options;
  const startedAt = clock.now();
  if (stores.hasSealed || stores.activeBytes > 0) throw new Error('stores are restored on committed ground only');
  // Entries in memory that disk does not have would hide what is restored beneath them.
  await stores.flush();
  const restored = await Promise.allSettled(changelogs.map((changelog) => restoreStore(options, changelog, startedAt)));
  const failed = restored.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason as Error;
  stores.whole(startedAt);
  const records = restored.map((result) => (result.status === 'fulfilled' ? result.value : 0));
  const holdsState = ({ store, rowOf }: Changelog, at: number): boolean =>
    rowOf === undefined && (records[at]! > 0 || !stores.restorable(store).entries.isEmpty);
  return { records: records.reduce((sum, each) => sum + each, 0), hasState: changelogs.some(holdsState) };
}

async function restoreStore(options: RestoreOptions, changelog: Changelog, startedAt: number): Promise<number> {
  const { stores, clusterId, logger = silentLogger } = options;
  const store = stores.restorable(changelog.store);
  const { record, entries, directory } = store;
  const reason = whyRebuild(record, changelog, clusterId, startedAt);
  if (reason !== undefined) {
    const from = { store: changelog.store, partition: stores.partition, topic: changelog.topic, position: record.position };
    logger.warn({ ...from, reason }, `the local state of store "${changelog.store}" is cleared and rebuilt from its changelog: ${reason}`);
    entries.reset();
    await directory.clear(changelog.store);
  }
  if (record.position === 0) record.writtenAt = startedAt;
  record.clusterId = clusterId;
  record.topicId = changelog.topicId;
  const records = await readChangelog(options, changelog, store, startedAt);
  if (records > 0 || reason !== undefined) {
    entries.reset();
    await entries.reload();
  }
  return records;
}

async function readChangelog(options: RestoreOptions, changelog: Changelog, store: RestorableStore, startedAt: number): Promise<number> {
  const { stores, read, progress } = options;
  const { topic, end } = changelog;
  const from = Math.max(store.record.position, changelog.logStart);
  if (from >= end && from === store.record.position) return 0;
  const writer = new ChangelogWriter(store, topic, stores.partition, changelog.rowOf);
  const report = (position: number, done = false): void => {
    progress?.({ store: changelog.store, topic, records: writer.records, left: Math.max(0, end - position), done });
  };
  report(from);
  try {
    if (from < end) {
      await read(topic, stores.partition, from, end, (reader) => {
        const wait = writer.apply(reader);
        report(reader.nextOffset);
        return wait;
      });
    }
    // Not what `read` gives: behind `end` there may be records by now that were not applied.
    await writer.finish(Math.max(from, end), startedAt);
  } finally {
    await writer.settle();
  }
  report(end, true);
  return writer.records;
}

/** By so much, ms, clocks are set back without anybody's doing: then an age is wrong by no more. */
const CLOCK_SLACK_MS = 600_000;

/** Undefined: what is on disk may be kept. A store that was never restored has nothing to keep. */
function whyRebuild(record: StoreRecord, changelog: Changelog, clusterId: string, now: number): string | undefined {
  const { position } = record;
  if (record.topicId === '' && position === 0) return undefined;
  if (record.clusterId !== clusterId) return `it belongs to cluster ${record.clusterId}, this is ${clusterId}`;
  if (record.topicId !== changelog.topicId) return `its changelog ${changelog.topic} was deleted and created anew`;
  if (position > changelog.end) return `it is at offset ${position}, its changelog ends at ${changelog.end}`;
  if (position > 0 && position < changelog.logStart) {
    return `it is at offset ${position}, its changelog begins at ${changelog.logStart}`;
  }
  // The last offset of a log is never compacted: who lacks no more than that, a commit marker mostly, lacks nothing.
  if (changelog.end - position <= 1) return undefined;
  const age = now - record.writtenAt;
  const limit = changelog.tombstoneRetentionMs / 2;
  if (age > limit) {
    return `it was written ${Math.round(age / 1000)} s ago; tombstones since then may have been compacted away after ${Math.round(limit / 1000)} s`;
  }
  if (age < -CLOCK_SLACK_MS) {
    return `it was written ${Math.round(-age / 1000)} s in the future: the clock was set, and nobody knows how old it is`;
  }
  return undefined;
}
