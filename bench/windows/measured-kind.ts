/** One kind of window in a process of its own: kind, keys, emit and number of records as arguments, one line of figures as JSON. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Emit } from '../../operators';
import { fetchedRecords } from '../without-broker/fetched-records';
import { TaskAlone } from '../without-broker/task-alone';
import { clicks, type Spread } from './clicks';
import { type KindName, kinds } from './kinds';

/** The first quarter warms up. */
const WARM_UP = 0.25;

export interface Case {
  readonly kind: KindName;
  readonly spread: Spread;
  readonly emit: Emit;
  readonly records: number;
}

export interface Figures {
  readonly recordsPerSecond: number;
  readonly cpuMicroseconds: number;
  readonly outputsPerRecord: number;
  readonly changelogPerRecord: number;
  readonly peakMiB: number;
}

async function measure({ kind, spread, emit, records }: Case): Promise<Figures> {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
  const { topology, pace } = kinds[kind];
  let began: { readonly records: number; readonly at: number; readonly cpu: NodeJS.CpuUsage } | undefined;
  const committed = (done: number): void => {
    if (began === undefined && done >= WARM_UP * records) began = { records: done, at: performance.now(), cpu: process.cpuUsage() };
  };
  // All of it beforehand: what it costs to make records up is nobody's concern.
  const chunks = [...fetchedRecords(clicks({ records, spread, pace }))];
  const task = await TaskAlone.open({ topology: topology(emit), directory, committed });
  try {
    await task.run(chunks[Symbol.iterator]());
    const { user, system } = process.cpuUsage(began!.cpu);
    const seconds = (performance.now() - began!.at) / 1000;
    const steady = task.records - began!.records;
    return {
      recordsPerSecond: Math.round(steady / seconds),
      cpuMicroseconds: (user + system) / steady,
      outputsPerRecord: task.outputs / task.records,
      changelogPerRecord: task.changelogRecords / task.records,
      peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    };
  } finally {
    await task.close();
    await rm(directory, { recursive: true, force: true });
  }
}

const [kind, spread, emit, records] = process.argv.slice(2);
measure({ kind: kind as KindName, spread: spread as Spread, emit: emit as Emit, records: Number(records) }).then(
  (figures) => {
    console.log(JSON.stringify(figures));
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
