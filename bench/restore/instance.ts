/** An application in a process of its own, from its start until it has caught up: what restoring its store took, one line of JSON. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filter, firstValueFrom, lastValueFrom } from 'rxjs';
import { millrace, type RestoreProgress } from '../../src';
import { openLevelBytes } from '../../src/level/level-bytes';
import { systemClock } from '../../src/time/system-clock';
import { peakMegabytes } from '../contest/proc';
import { type KindName, kinds } from './kinds';
import { ExpectedRows } from './rows';

export interface Life {
  readonly kind: KindName;
  readonly brokers: readonly string[];
  readonly applicationId: string;
  readonly input: string;
  readonly stateDirectory: string;
  /** Rows in the input. */
  readonly rows: number;
  readonly keys: number;
  /** 'input': all of it is processed; 'changelog': there is nothing to process, and it ends when the task has begun. */
  readonly until: 'input' | 'changelog';
}

export interface Restored {
  /** Changelog records applied. */
  readonly records: number;
  /** From the first request for them until all are on disk. */
  readonly ms: number;
  readonly recordsPerSecond: number;
  /** Of all threads. */
  readonly cpuMicros: number;
  /** Of the thread that runs JavaScript. */
  readonly mainThreadMicros: number;
  /** From `run` on until the task began. */
  readonly startedAfterMs: number;
  /** Of the process, until the task began. */
  readonly peakMiB: number;
  /** Rows found in LevelDB, each compared with the last row of its key. */
  readonly rows: number;
}

interface Reading {
  readonly at: number;
  readonly cpu: number;
  readonly mainThread: number;
}

function read(): Reading {
  const { user, system } = process.cpuUsage();
  // ns that the main thread has run.
  const mainThread = Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1_000;
  return { at: performance.now(), cpu: user + system, mainThread };
}

async function live({ kind, brokers, applicationId, input, stateDirectory, rows, keys, until }: Life): Promise<Restored> {
  const app = millrace({ applicationId, brokers, stateDirectory });
  const began = read();
  let first = began;
  let last = began;
  let records = 0;
  app.restores$.subscribe((event: RestoreProgress) => {
    if (event.records === 0 && !event.done) first = read();
    if (!event.done) return;
    last = read();
    records = event.records;
  });
  const running = firstValueFrom(app.state$.pipe(filter((state) => state === 'running')));
  const topology = kinds[kind].topology(input);
  const ended = lastValueFrom(app.run(topology, until === 'input' ? { until: 'caught-up' } : {}), { defaultValue: undefined });
  await Promise.race([running, ended]);
  const started = read();
  const peakMiB = peakMegabytes(process.pid);
  if (until === 'input') await ended;
  await app.close();
  await ended;
  const each = (of: keyof Reading): number => Number(((last[of] - first[of]) / Math.max(1, records)).toFixed(3));
  return {
    records,
    ms: Math.round(last.at - first.at),
    recordsPerSecond: Math.round((1_000 * records) / Math.max(1, last.at - first.at)),
    cpuMicros: each('cpu'),
    mainThreadMicros: each('mainThread'),
    startedAfterMs: Math.round(started.at - began.at),
    peakMiB,
    rows: await check(join(stateDirectory, applicationId, 'slot-0', 'task-0'), kinds[kind].keyAt, new ExpectedRows(rows, keys)),
  };
}

/** Compares what LevelDB holds, read past all of ours but its folder, with what was written. */
async function check(folder: string, keyAt: number, expected: ExpectedRows): Promise<number> {
  const bytes = await openLevelBytes(folder, { clock: systemClock });
  try {
    const to = Uint8Array.of(2);
    for (let from = Uint8Array.of(1); ;) {
      const found = await bytes.read({ from, to }, 10_000);
      for (const [key, value] of found) expected.check(Buffer.from(key).toString('utf8', keyAt), Buffer.from(value).toString('utf8', 8));
      const end = found.at(-1)?.[0];
      if (end === undefined) return expected.end();
      from = Uint8Array.from([...end, 0]);
    }
  } finally {
    await bytes.close();
  }
}

live(JSON.parse(process.argv[2]!) as Life).then(
  (restored) => {
    console.log(JSON.stringify(restored));
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
