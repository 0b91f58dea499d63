import type { Observable } from 'rxjs';
import { to } from '../../operators';
import { nullable } from '../../src/codec/nullable';
import { topic } from '../../src/codec/topic';
import type { KafkaRecord } from '../../src/model/record';
import type { KeyValueStore, StoreDefinition } from '../../src/model/store-definition';
import type { Topic } from '../../src/model/topic';
import { record, testTopology } from '../../src/testing';
import { keyValueRows } from '../../src/testing/store-rows';
import type { Task } from '../../src/task/topology';
import type { Json, Row } from './format';
import { jobCodecs } from './job-codecs';
import type { RunningJob } from './running-job';

const nullableCodecs = { key: nullable(jobCodecs.key), value: nullable(jobCodecs.value) };
const results = topic('results', nullableCodecs);

/** An input of a job: null keys and values are what some cases are about. */
export function jobTopic(name: string): Topic<string, Json> {
  return topic(name, nullableCodecs) as Topic<string, Json>;
}

/** A job that needs a task: tables, internal topics. One partition, as the vectors were recorded with. */
export function topologyJob(
  inputs: readonly Topic<string, Json>[],
  assemble: (task: Task) => Observable<KafkaRecord<string, Json>>,
  store?: StoreDefinition<KeyValueStore<string, Json>>,
): RunningJob {
  const test = testTopology((task) => (assemble(task) as Observable<KafkaRecord<string | null, Json>>).pipe(to(results)));
  const named = new Map(inputs.map((input) => [input.name, input]));
  return {
    step: (step) => {
      if ('advanceWallClock' in step) test.advanceWallClock(step.advanceWallClock);
      else {
        const input = named.get(step.topic);
        if (input === undefined) throw new Error(`the job does not read the topic ${step.topic}`);
        test.pipe(input, record(step.key as string, step.value, step.timestamp));
      }
      return test.read(results).map(({ key, value, timestamp }): Row => ({ key, value, timestamp }));
    },
    droppedRecords: () => test.metric('dropped-records-total'),
    store: () => (store === undefined ? Promise.resolve(undefined) : keyValueRows(test.store(store, { partition: 0 }))),
  };
}
