import { map, type OperatorFunction } from 'rxjs';
import { aggregateWithStore, countWithStore, type Emit, reduceWithStore, sessionize, type Windowing } from '../../operators';
import type { KafkaRecord } from '../../src/model/record';
import type { SessionStore } from '../../src/model/store-definition';
import type { InSession, Windowed } from '../../src/model/window';
import { sessionStore } from '../../src/state/definition';
import { droppedRecords, memoryStore } from '../../src/testing/memory-store';
import { rowsByKey } from '../../src/testing/store-rows';
import { aggregateOf, knowsOnly } from './aggregates';
import type { Job, Json, Row } from './format';
import { jobCodecs } from './job-codecs';
import type { RunningJob } from './running-job';
import { JobStream } from './source';

export function sessionJob(job: Job): RunningJob {
  knowsOnly(job, ['gap', 'grace', 'retention', 'aggregate', 'initial', 'emit']);
  const windows = { gap: job['gap'] as number, grace: job['grace'] as number };
  const retention = job['retention'] as number | undefined;
  const store = memoryStore(sessionStore('vectors', { ...jobCodecs, windows, ...(retention !== undefined && { retention }) }));
  const fold = foldOf(job, store, { emit: job['emit'] as Emit });
  const stream = new JobStream((source) => source.pipe(sessionize(windows), fold, map(rowOf)));
  return {
    step: (step) => stream.step(step),
    droppedRecords: () => droppedRecords(store),
    // A session store keeps no timestamps.
    store: async () => (await rowsByKey(store, { andAtTheBound: false })).map(({ key, window, value }) => ({ key, window, value })),
  };
}

function foldOf(
  job: Job,
  store: SessionStore<string, Json>,
  windowing: Windowing<string, Json, Emit>,
): OperatorFunction<InSession<string, Json>, KafkaRecord<Windowed<string>, Json>> {
  const aggregate = aggregateOf(job);
  if (aggregate.kind === 'count') return countWithStore(store as unknown as SessionStore<string, number>, windowing);
  if (aggregate.kind === 'reduce') return reduceWithStore(store, { ...aggregate.options, ...windowing });
  return aggregateWithStore(store, { ...aggregate.options, ...windowing });
}

function rowOf({ key: { key, start, end }, value, timestamp }: KafkaRecord<Windowed<string>, Json>): Row {
  return { key, window: { start, end }, value, timestamp };
}
