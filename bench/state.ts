import { Observable } from 'rxjs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { int64, string } from '../src/codec/primitives';
import { windowStoreKey } from '../src/codec/store-key';
import { BatchReader } from '../src/kafka/batch-decode';
import { BatchBuilder, PartitionBatches, stamp } from '../src/kafka/batch-encode';
import { openLevelBytes } from '../src/level/level-bytes';
import { noOrigin } from '../src/model/origin';
import { CellTable } from '../src/state/cells';
import { windowStore } from '../src/state/definition';
import { runtime, type WindowRuntime } from '../src/state/handle';
import { restoreStores } from '../src/state/restore';
import { StreamTime } from '../src/state/event-time';
import type { Scope } from '../src/state/scope';
import { openTaskStores, type TaskStores } from '../src/state/task-stores';
import { systemClock } from '../src/time/system-clock';
import { numberOption } from './rounds';

const SIZE = 60_000;
const START = 1_700_000_040_000;
const counts = windowStore('page-counts', { key: string, value: int64, windows: { size: SIZE, grace: 10 * SIZE } });
const NAME = counts.name;
const SOURCE = { topic: 'page-counts-changelog', partition: 0 };

type Counts = WindowRuntime<string, number>;

function scopeOver(cells: CellTable): Scope {
  return {
    partition: 0,
    origin: noOrigin,
    timestamp: 0,
    wallTime: 0,
    failed: false,
    cell: (store, name, initial) => cells.cell(store, name, initial),
    eventTime: (store, _advanced, name = 'streamTime') => new StreamTime(cells.cell(store, name, -1)),
    counter: () => ({ value: 0 }),
    begin: () => true,
    end: () => undefined,
    repartition: () => () => new Observable(),
    drive: () => undefined,
    wakeAt: () => undefined,
    hold: () => undefined,
    letGo: () => undefined,
  };
}

async function open(directory: string): Promise<{ stores: TaskStores; store: Counts }> {
  const stores = await openTaskStores({
    shapes: [counts.shape],
    partition: 0,
    directory,
    openBytes: (folder, options) => openLevelBytes(folder, { clock: systemClock, ...options }),
    scope: scopeOver(new CellTable([NAME])),
    clock: systemClock,
    cacheBytes: 512 * 1024 * 1024,
  });
  return { stores, store: stores.handle(NAME)[runtime] as Counts };
}

/** Keys as a decoder gives them: each a text of its own, never hashed before. */
function decodedKeys(count: number, distinct: number): string[] {
  return Array.from({ length: count }, (_, i) => Buffer.from(`page-${(i * 7_919 + ((i * 31) % 97)) % distinct}`).toString('latin1'));
}

function count(store: Counts, key: string, start: number): void {
  const found = store.find(key, start);
  store.write(key, start, found === undefined ? 1 : found.value + 1, start);
}

/** One core, no commit between: find and write of a count. */
async function measurePairs(directory: string, records: number, windows: number): Promise<{ first: number; again: number }> {
  const { stores, store } = await open(join(directory, 'pairs'));
  const rates: number[] = [];
  for (let round = 0; round < 2; round++) {
    const keys = decodedKeys(records, 100_000);
    const began = performance.now();
    for (let i = 0; i < records; i++) count(store, keys[i]!, START + (i % windows) * SIZE);
    rates.push(Math.round((records / (performance.now() - began)) * 1_000));
  }
  await stores.close();
  return { first: rates[0]!, again: rates[1]! };
}

interface CommitCost {
  readonly seal: number;
  readonly commit: number;
  readonly flush: number;
  readonly total: number;
}

/** µs per dirty entry: changelog records into batches, the commit, LevelDB. All entries are new, each commit is flushed. */
async function measureCommits(directory: string, entries: number, rounds: number): Promise<CommitCost> {
  const { stores, store } = await open(join(directory, 'commits'));
  const batches = new PartitionBatches(SOURCE, { maxBytes: 1_048_588 });
  const spent = { seal: 0, commit: 0, flush: 0 };
  for (let round = 0; round < rounds; round++) {
    const keys = decodedKeys(entries, entries);
    for (const key of keys) count(store, key, START + round * SIZE);
    const times = [performance.now()];
    stores.seal((_, key, value, timestamp) => batches.append(timestamp, key, value));
    batches.drain({ compression: 'none', transactional: true });
    times.push(performance.now());
    stores.committed(new Map([[NAME, (round + 1) * entries]]));
    times.push(performance.now());
    await stores.flush();
    times.push(performance.now());
    if (round === 0) continue;
    spent.seal += times[1]! - times[0]!;
    spent.commit += times[2]! - times[1]!;
    spent.flush += times[3]! - times[2]!;
  }
  await stores.close();
  const each = (ms: number): number => Math.round((ms * 1e6) / (entries * (rounds - 1))) / 1000;
  return {
    seal: each(spent.seal),
    commit: each(spent.commit),
    flush: each(spent.flush),
    total: each(spent.seal + spent.commit + spent.flush),
  };
}

function fetched(records: number, from: number): Buffer {
  const batches: Buffer[] = [];
  for (let base = 0; base < records; base += 1_000) {
    const builder = new BatchBuilder();
    for (let i = base; i < Math.min(records, base + 1_000); i++) {
      const key = windowStoreKey(Buffer.from(`page-${(from + i) % 250_000}`), START + ((from + i) % 4) * SIZE);
      builder.append(START, key, int64.encode(i));
    }
    const encoded = builder.finish({ compression: 'none', transactional: true });
    stamp(encoded, 1n, 0, 0);
    encoded.bytes.writeBigInt64BE(BigInt(from + base), 0);
    batches.push(encoded.bytes);
  }
  return Buffer.concat(batches);
}

/** Changelog records a second into LevelDB, from answers that are in memory already. */
async function measureRestore(directory: string, records: number): Promise<number> {
  const { stores } = await open(join(directory, 'restore'));
  const perAnswer = 20_000;
  const answers = Array.from({ length: Math.ceil(records / perAnswer) }, (_, i) => fetched(perAnswer, i * perAnswer));
  const reader = new BatchReader(SOURCE);
  const began = performance.now();
  await restoreStores({
    stores,
    clusterId: 'bench',
    clock: systemClock,
    changelogs: [
      { store: NAME, topic: SOURCE.topic, topicId: 't', logStart: 0, end: answers.length * perAnswer, tombstoneRetentionMs: 1e9 },
    ],
    read: async (_topic, _partition, from, until, apply) => {
      for (let at = from; at < until; at += perAnswer) {
        reader.reset(answers[at / perAnswer]!, { aborted: [], from: at, readCommitted: true });
        await apply(reader);
      }
      return until;
    },
  });
  const seconds = (performance.now() - began) / 1000;
  await stores.close();
  return Math.round((answers.length * perAnswer) / seconds);
}

/** State alone: no broker, LevelDB in a temporary folder. Pin it to one core to compare (`taskset -c 1`). */
export async function run(args: readonly string[] = []): Promise<object> {
  const records = numberOption(args, 'records', 1_000_000);
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  try {
    const pairs = await measurePairs(directory, records, 3);
    console.log(
      `window store, find and write    ${(pairs.first / 1e6).toFixed(2)} million/s with new entries, ${(pairs.again / 1e6).toFixed(2)} million/s after`,
    );
    const commits = await measureCommits(directory, 40_000, 8);
    console.log(
      `per dirty entry                 seal ${commits.seal} + commit ${commits.commit} + flush ${commits.flush} = ${commits.total} µs`,
    );
    const restored = await measureRestore(directory, records);
    console.log(`restore into LevelDB            ${restored} changelog records/s`);
    return { pairsPerSecond: pairs, microsecondsPerDirtyEntry: commits, restoredPerSecond: restored };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
