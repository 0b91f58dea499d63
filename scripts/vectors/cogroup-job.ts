import { map, type Observable } from 'rxjs';
import { cogroupWithStore, grouped, windowTumbling } from '../../operators';
import type { KafkaRecord } from '../../src/model/record';
import type { Windowed } from '../../src/model/window';
import { keyValueStore, windowStore } from '../../src/state/definition';
import { droppedRecords, memoryStore } from '../../src/testing/memory-store';
import { keyValueRows, windowRows } from '../../src/testing/store-rows';
import { knowsOnly } from './aggregates';
import type { Job, Json, Row } from './format';
import { jobCodecs } from './job-codecs';
import type { RunningJob } from './running-job';
import { type JobRecord, JobStreams } from './source';

type List = readonly Json[];

const initial = (): Json => [];
const appending =
  (side: string) =>
  (list: Json, value: Json): Json => [...(list as List), [side, value]];

/** Two streams into one list, by key or in tumbling windows. */
export function cogroupJob(job: Job): RunningJob {
  knowsOnly(job, ['size', 'grace', 'retention']);
  return job['size'] === undefined ? byKey() : inWindows(job);
}

function byKey(): RunningJob {
  const store = memoryStore(keyValueStore('vectors', jobCodecs));
  const streams = new JobStreams(['left', 'right'], (left, right) =>
    cogroupWithStore(store, { initial, of: [grouped(left, appending('left')), grouped(right, appending('right'))] }).pipe(
      map(({ key, value, timestamp }: KafkaRecord<string, Json>): Row => ({ key, value, timestamp })),
    ),
  );
  return { step: (step) => streams.step(step), droppedRecords: () => droppedRecords(store), store: () => keyValueRows(store) };
}

function inWindows(job: Job): RunningJob {
  const windows = { size: job['size'] as number, grace: job['grace'] as number };
  const retention = job['retention'] as number | undefined;
  const store = memoryStore(windowStore('vectors', { ...jobCodecs, windows, ...(retention !== undefined && { retention }) }));
  const of = (source: Observable<JobRecord>, side: string) => grouped(source.pipe(windowTumbling(windows)), appending(side));
  const streams = new JobStreams(['left', 'right'], (left, right) =>
    cogroupWithStore(store, { initial, of: [of(left, 'left'), of(right, 'right')] }).pipe(map(windowedRow)),
  );
  return {
    step: (step) => streams.step(step),
    droppedRecords: () => droppedRecords(store),
    store: () => windowRows(store, { andAtTheBound: false }),
  };
}

function windowedRow({ key: { key, start, end }, value, timestamp }: KafkaRecord<Windowed<string>, Json>): Row {
  return { key, window: { start, end }, value, timestamp };
}
