import { joinGlobalTable } from '../../operators';
import type { Table } from '../../src/model/table';
import { tableOf } from '../../src/state/table';
import { knowsOnly } from './aggregates';
import type { Job, Json, Row } from './format';
import { NotBuilt, type RunningJob } from './running-job';
import { fieldOf } from './table-jobs';
import { jobTopic, topologyJob } from './topology-job';

/** A stream with a global table, looked up by a field of the value. */
export function globalTableJob(job: Job): RunningJob {
  knowsOnly(job, ['kind', 'mapper']);
  const [rows, records] = [jobTopic('table'), jobTopic('stream')];
  const keyOf = fieldOf(job, 'mapper') as (value: Json) => string | null;
  const kind = job['kind'] as 'left';
  if (!['inner', 'left'].includes(kind)) throw new NotBuilt(`a join of the kind ${kind} is not built yet`);
  const both = (value: Json, row: Json | undefined): Json => [value, row ?? null];
  let table: Table<string, Json> | undefined;
  const running = topologyJob([rows, records], ({ stream, globalTable }) => {
    table = globalTable(rows);
    return stream(records).pipe(joinGlobalTable(table, keyOf, both, { kind }));
  });
  const keys = new Set<string>();
  return {
    ...running,
    step: (step) => {
      if ('topic' in step && step.topic === rows.name && step.key !== null) keys.add(step.key);
      return running.step(step);
    },
    // A global table can be looked up in, not listed: its keys are those that were written.
    store: () => Promise.resolve([...keys].sort().flatMap((key) => rowOf(table!, key))),
  };
}

function rowOf(table: Table<string, Json>, key: string): Row[] {
  const found = tableOf(table, 'vectors').find(key);
  return found === undefined ? [] : [{ key, ...found }];
}
