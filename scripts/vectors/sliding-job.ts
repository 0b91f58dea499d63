import { map, type OperatorFunction } from 'rxjs';
import { aggregateWithStore, countWithStore, type Emit, reduceWithStore, type Windowing, windowSliding } from '../../operators';
import type { KafkaRecord } from '../../src/model/record';
import type { WindowStore } from '../../src/model/store-definition';
import type { InWindows, Windowed } from '../../src/model/window';
import { windowStore } from '../../src/state/definition';
import { droppedRecords, memoryStore } from '../../src/testing/memory-store';
import { rowsByKey } from '../../src/testing/store-rows';
import { aggregateOf, knowsOnly } from './aggregates';
import type { Job, Json, Row } from './format';
import { jobCodecs } from './job-codecs';
import type { RunningJob } from './running-job';
import { JobStream } from './source';

export function slidingJob(job: Job): RunningJob {
  knowsOnly(job, ['timeDifference', 'grace', 'retention', 'aggregate', 'initial', 'emit']);
  const windows = { difference: job['timeDifference'] as number, grace: job['grace'] as number };
  const retention = job['retention'] as number | undefined;
  const store = memoryStore(windowStore('vectors', { ...jobCodecs, windows, ...(retention !== undefined && { retention }) }));
  const emit = job['emit'] as Emit;
  const fold = foldOf(job, store, { emit });
  const stream = new JobStream((source) => source.pipe(windowSliding(windows), fold, map(rowOf)));
  return {
    step: (step) => stream.step(step),
    droppedRecords: () => droppedRecords(store),
    // What the README of the vectors says of range reads: with emit on close they show the window at the bound too.
    store: () => rowsByKey(store, { andAtTheBound: emit === 'close' }),
  };
}

function foldOf(
  job: Job,
  store: WindowStore<string, Json>,
  windowing: Windowing<string, Json, Emit>,
): OperatorFunction<InWindows<string, Json>, KafkaRecord<Windowed<string>, Json>> {
  const aggregate = aggregateOf(job);
  if (aggregate.kind === 'count') return countWithStore(store as unknown as WindowStore<string, number>, windowing);
  if (aggregate.kind === 'reduce') return reduceWithStore(store, { ...aggregate.options, ...windowing });
  return aggregateWithStore(store, { ...aggregate.options, ...windowing });
}

function rowOf({ key: { key, start, end }, value, timestamp }: KafkaRecord<Windowed<string>, Json>): Row {
  return { key, window: { start, end }, value, timestamp };
}
