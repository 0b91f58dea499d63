import type { Observable } from 'rxjs';
import { joinTable } from '../../operators';
import type { KafkaRecord } from '../../src/model/record';
import type { Table } from '../../src/model/table';
import { bufferStore } from '../../src/state/buffer-definition';
import { keyValueStore } from '../../src/state/definition';
import type { Task } from '../../src/task/topology';
import { knowsOnly } from './aggregates';
import type { Job, Json } from './format';
import { jobCodecs } from './job-codecs';
import { NotBuilt, type RunningJob } from './running-job';
import { jobTopic, topologyJob } from './topology-job';

/** A stream and a table, with versions where the job keeps a history. */
export function joinTableJob(job: Job): RunningJob {
  knowsOnly(job, ['kind', 'historyRetention', 'grace']);
  const kind = job['kind'] as 'left';
  if (!['inner', 'left'].includes(kind)) throw new NotBuilt(`a ${kind} join of a stream with a table is not built yet`);
  const [left, right] = [jobTopic('stream'), jobTopic('table')];
  const [history, grace] = [job['historyRetention'] as number | undefined, job['grace'] as number | undefined];
  const waiting = bufferStore('waiting', jobCodecs);
  const both = (value: Json, row: Json | undefined): Json => [value, row ?? null];
  // The recordings show the rows of a table, but no versions.
  const rowsOfTable = history === undefined ? keyValueStore(`${right.name}-table`, jobCodecs) : undefined;
  const assemble = ({ stream, table, store }: Task): Observable<KafkaRecord<string, Json>> => {
    const rows = table(right, history === undefined ? {} : { history }) as Table<string, Json>;
    if (grace === undefined) return stream(left).pipe(joinTable(rows, both, { kind }));
    return stream(left).pipe(joinTable(rows, both, { kind, grace, buffer: store(waiting) }));
  };
  return topologyJob([left, right], assemble, rowsOfTable);
}
