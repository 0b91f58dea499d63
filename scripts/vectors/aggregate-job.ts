import { map, type Observable, type OperatorFunction } from 'rxjs';
import { aggregateWithStore, countWithStore, filterValues, reduceWithStore, selectKey } from '../../operators';
import type { KafkaRecord } from '../../src/model/record';
import type { KeyValueStore } from '../../src/model/store-definition';
import { keyValueStore } from '../../src/state/definition';
import { droppedRecords, memoryStore } from '../../src/testing/memory-store';
import { keyValueRows } from '../../src/testing/store-rows';
import { aggregateOf, knowsOnly } from './aggregates';
import type { Job, Json, Row } from './format';
import { jobCodecs } from './job-codecs';
import { NotBuilt, type RunningJob } from './running-job';
import { type JobRecord, JobStream } from './source';

/** groupByKey, or groupBy a field of the value, then an aggregate. */
export function aggregateJob(job: Job): RunningJob {
  knowsOnly(job, ['aggregate', 'initial', 'groupBy']);
  const store = memoryStore(keyValueStore('vectors', jobCodecs));
  const group = groupedBy(job['groupBy']);
  const fold = foldOf(job, store);
  const stream = new JobStream((source) => group(source).pipe(fold, map(rowOf)));
  return {
    step: (step) => stream.step(step),
    droppedRecords: () => droppedRecords(store),
    store: () => keyValueRows(store),
  };
}

function foldOf(job: Job, store: KeyValueStore<string, Json>): OperatorFunction<JobRecord, KafkaRecord<string, Json>> {
  const aggregate = aggregateOf(job);
  if (aggregate.kind === 'count') return countWithStore(store as unknown as KeyValueStore<string, number>);
  if (aggregate.kind === 'reduce') return reduceWithStore(store, aggregate.options);
  return aggregateWithStore(store, aggregate.options);
}

/** With one partition a record is where its new key belongs: `assumePlaced` stands for the repartition topic. */
export function groupedBy(field: Json | undefined): (source: Observable<JobRecord>) => Observable<JobRecord> {
  if (field === undefined) return (source) => source;
  const name = typeof field === 'string' ? /^value\.(\w+)$/.exec(field)?.[1] : undefined;
  if (name === undefined) throw new NotBuilt(`groupBy ${JSON.stringify(field)} is not built yet`);
  const groupOf = (value: Json): string | null => (value as Record<string, string> | null)?.[name] ?? null;
  return (source) =>
    source.pipe(
      filterValues((value) => groupOf(value) !== null),
      selectKey((value) => groupOf(value) as string),
      map((moved) => moved.assumePlaced()),
    );
}

function rowOf({ key, value, timestamp }: KafkaRecord<string, Json>): Row {
  return { key, value, timestamp };
}
