/** A topology module for worker threads: the words of test/kafka/kill/job.ts, and records that make the thread which reads them die. */
import { unlinkSync } from 'node:fs';
import path from 'node:path';
import { tap, type Observable } from 'rxjs';
import type { Topology } from '../../../src/task/topology';
import { killJob } from '../kill/job';

/** What the test tells its threads, in MILLRACE_TEST_THREADS. */
export interface ToldToThreads {
  readonly application: string;
  /** A file in it named like the value of a record makes whoever reads that record die so, once. */
  readonly deaths: string;
}

const { application, deaths } = JSON.parse(process.env['MILLRACE_TEST_THREADS'] ?? '{}') as ToldToThreads;
const kept: object[] = [];

const dying: Readonly<Record<string, () => void>> = {
  exit: () => {
    process.exit(7);
  },
  throw: () => {
    setImmediate(() => {
      throw new RangeError('nobody catches this');
    });
  },
  memory: () => {
    for (;;) kept.push(Array.from({ length: 1_000 }, (_, at) => ({ at })));
  },
  spin: () => {
    for (;;);
  },
};

function dieIfTold({ value }: { readonly value: unknown }): void {
  const die = dying[String(value)];
  if (die === undefined) return;
  try {
    unlinkSync(path.join(deaths, String(value)));
  } catch {
    return;
  }
  die();
}

const job = killJob(application);

export const topology: Topology = (task) =>
  job.topology({
    ...task,
    stream: ((...given: Parameters<typeof task.stream>) =>
      (task.stream(...given) as Observable<{ readonly value: unknown }>).pipe(tap(dieIfTold))) as typeof task.stream,
  });
