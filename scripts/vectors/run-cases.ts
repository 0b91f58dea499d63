import { aggregateJob } from './aggregate-job';
import { cogroupJob } from './cogroup-job';
import { differences } from './differences';
import type { Case, CaseFile, Expected, Job } from './format';
import { joinStreamJob } from './join-stream-job';
import { joinTableJob } from './join-table-job';
import type { Outcome } from './outcome';
import { NotBuilt, type RunningJob } from './running-job';
import { sessionJob } from './session-job';
import { slidingJob } from './sliding-job';
import { suppressJob } from './suppress-job';
import { foreignKeyJob } from './foreign-key-job';
import { globalTableJob } from './global-table-job';
import { groupTableJob, joinTablesJob, tableJob, toTableJob } from './table-jobs';
import { hoppingJob, tumblingJob } from './time-windows-job';

const JOBS: Readonly<Record<string, (job: Job) => RunningJob>> = {
  windowTumbling: tumblingJob,
  windowHopping: hoppingJob,
  windowSliding: slidingJob,
  sessionize: sessionJob,
  aggregate: aggregateJob,
  cogroup: cogroupJob,
  table: tableJob,
  toTable: toTableJob,
  groupTable: groupTableJob,
  joinTable: joinTableJob,
  joinGlobalTable: globalTableJob,
  joinTables: joinTablesJob,
  joinTableByForeignKey: foreignKeyJob,
  joinStream: joinStreamJob,
};

/** Every case, then every known defect of Kafka Streams: by the rule where the file says what the rule gives, else not at all. */
export async function runCases({ family, cases, knownDefects }: CaseFile): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const vector of cases) outcomes.push(await runCase(`${family}/${vector.name}`, vector, vector));
  for (const vector of knownDefects) {
    const name = `${family}/${vector.name}`;
    if (vector.byRule !== undefined) outcomes.push(await runCase(`${name} (by the rule)`, vector, vector.byRule));
    else
      outcomes.push({
        name,
        result: 'skipped',
        lines: [`a known defect, and the file does not say what the rule gives: ${vector.defect}`],
      });
  }
  return outcomes;
}

async function runCase(name: string, { job, inputs, why }: Case, expected: Expected): Promise<Outcome> {
  try {
    const lines = await differences(assemble(job), inputs, expected);
    return lines.length === 0 ? { name, result: 'passed', lines } : { name, result: 'failed', lines: [why, ...lines] };
  } catch (error) {
    return { name, result: 'failed', lines: [error instanceof NotBuilt ? error.message : String((error as Error).stack)] };
  }
}

function assemble(job: Job): RunningJob {
  if (job['suppress'] !== undefined) return suppressJob(job);
  const known = Object.hasOwn(JOBS, job.operator) ? JOBS[job.operator] : undefined;
  if (known === undefined) throw new NotBuilt(`${job.operator} is not built yet`);
  return known(job);
}
