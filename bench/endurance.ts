import { readdirSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { countWithStore, to, windowTumbling } from '../operators';
import { int64, string } from '../src/codec/primitives';
import { topic } from '../src/codec/topic';
import { minutes, seconds } from '../src/model/duration';
import { windowStore } from '../src/state/definition';
import type { Topology } from '../src/task/topology';
import { fetchedRecords } from './without-broker/fetched-records';
import { TaskAlone } from './without-broker/task-alone';

const WINDOWS = 10_000;
/** Records in turn that share their keys, each of which comes four times among them and never again. */
const BLOCK = 1_000;
const KEYS_PER_BLOCK = BLOCK / 4;
const BEGIN = Date.UTC(2026, 0, 1);
const MIB = 1024 * 1024;

const perMinute = { size: minutes(1), grace: seconds(10) };
const clicks = topic('clicks', { key: string, value: int64 });
/** Kept for long enough that windows reach the disk, leave the cache, and are removed from the disk. */
const counts = windowStore('counts', { key: string, value: int64, windows: perMinute, retention: minutes(50) });
const topology: Topology = ({ stream, store }) =>
  stream(clicks).pipe(windowTumbling(perMinute), countWithStore(store(counts), { emit: 'close' }), to(topic('results', counts.output)));

interface Sample {
  readonly records: number;
  readonly rssMiB: number;
  readonly heapMiB: number;
  readonly diskMiB: number;
}

/** Ever-new keys through 10,000 windows: memory and disk must not grow. */
export async function run(args: readonly string[]): Promise<object> {
  const { values } = parseArgs({ args: [...args], options: { records: { type: 'string', default: '50000000' } } });
  const records = Number(values.records);
  const every = Math.max(1, Math.min(1_000_000, Math.floor(records / 30)));
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const samples: Sample[] = [];
  const committed = (done: number): void => {
    if (done >= (samples.length + 1) * every) samples.push(sample(done, directory));
  };
  const task = await TaskAlone.open({ topology, directory, committed });
  const began = performance.now();
  try {
    await task.run(fetchedRecords(everNewKeys(records)));
    const thirds = { first: greatest(samples.slice(0, samples.length / 3)), last: greatest(samples.slice((-samples.length / 3) | 0)) };
    return {
      records: task.records,
      results: task.outputs,
      windows: WINDOWS,
      seconds: Math.round((performance.now() - began) / 1000),
      ...thirds,
    };
  } finally {
    await task.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function everNewKeys(records: number): Parameters<typeof fetchedRecords>[0] {
  const msPerRecord = (WINDOWS * perMinute.size) / records;
  return {
    records,
    keyOf: (number) => Buffer.from(`order-${Math.floor(number / BLOCK) * KEYS_PER_BLOCK + ((number * 7_919) % KEYS_PER_BLOCK)}`),
    timeOf: (number) => BEGIN + Math.floor(number * msPerRecord),
  };
}

function sample(records: number, directory: string): Sample {
  const { rss, heapUsed } = process.memoryUsage();
  const mib = (bytes: number): number => Math.round(bytes / MIB);
  const taken = { records, rssMiB: mib(rss), heapMiB: mib(heapUsed), diskMiB: mib(bytesIn(directory)) };
  console.log(`${String(records).padStart(10)} records  RSS ${taken.rssMiB} MiB  heap ${taken.heapMiB} MiB  LevelDB ${taken.diskMiB} MiB`);
  return taken;
}

function bytesIn(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    // A compaction may remove a file meanwhile.
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

function greatest(samples: readonly Sample[]): Omit<Sample, 'records'> {
  const of = (field: keyof Sample): number => Math.max(...samples.map((sample) => sample[field]));
  return { rssMiB: of('rssMiB'), heapMiB: of('heapMiB'), diskMiB: of('diskMiB') };
}
