import { joinTablesByForeignKey } from '../../operators';
import type { Table } from '../../src/model/table';
import { keyValueStore } from '../../src/state/definition';
import { foreignKeyStore } from '../../src/state/foreign-key-definition';
import { knowsOnly } from './aggregates';
import type { Job, Json } from './format';
import { jobCodecs } from './job-codecs';
import { NotBuilt, type RunningJob } from './running-job';
import { fieldOf } from './table-jobs';
import { jobTopic, topologyJob } from './topology-job';

type JobTable = Table<string, Json>;

/** A table whose rows refer to those of another by a field of their value. */
export function foreignKeyJob(job: Job): RunningJob {
  knowsOnly(job, ['kind', 'foreignKey']);
  const [left, right] = [jobTopic('left'), jobTopic('right')];
  const joined = keyValueStore('joined', jobCodecs);
  const pairs = foreignKeyStore('pairs', { key: jobCodecs.key, foreignKey: jobCodecs.key });
  const foreignKey = fieldOf(job, 'foreignKey') as (row: Json) => string | null;
  const kind = job['kind'] as 'left';
  if (!['inner', 'left'].includes(kind)) throw new NotBuilt(`a foreign-key join of the kind ${kind} is not built yet`);
  const both = (row: Json, foreign: Json | undefined): Json => [row, foreign ?? null];
  return topologyJob(
    [left, right],
    ({ table, store }) =>
      joinTablesByForeignKey(table(left) as JobTable, table(right) as JobTable, store(pairs), {
        kind,
        foreignKey,
        join: both,
        store: store(joined),
      }).changes,
    joined,
  );
}
