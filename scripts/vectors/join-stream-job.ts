import { map, type Observable } from 'rxjs';
import { joinStream } from '../../operators';
import type { KafkaRecord } from '../../src/model/record';
import { joinStore } from '../../src/state/join-definition';
import { droppedRecords, memoryStore } from '../../src/testing/memory-store';
import { knowsOnly } from './aggregates';
import type { Job, Json, Row } from './format';
import { jobCodecs } from './job-codecs';
import { NotBuilt, type RunningJob } from './running-job';
import { type JobRecord, JobStreams } from './source';

type Join = (source: Observable<JobRecord>) => Observable<KafkaRecord<string, Json>>;

/**
 * Two streams, or one with itself. Late records join what Kafka Streams still shows: the recordings have it so, where millrace by itself
 * refuses them (KAFKA-16123).
 */
export function joinStreamJob(job: Job, lateRecords: 'refuse' | 'join' = 'join'): RunningJob {
  knowsOnly(job, ['kind', 'before', 'after', 'grace', 'self', 'optimized']);
  const windows = { before: job['before'] as number, after: job['after'] as number, grace: job['grace'] as number };
  const store = memoryStore(joinStore('vectors', { key: jobCodecs.key, left: jobCodecs.value, right: jobCodecs.value, windows }));
  const pair = (left: Json | undefined, right: Json | undefined): Json => [left ?? null, right ?? null];
  const kind = job['kind'] as string;
  const joining = (other: Observable<JobRecord>): Join => {
    switch (kind) {
      case 'inner':
        return joinStream(other, store, pair, { lateRecords });
      case 'left':
        return joinStream(other, store, pair, { kind: 'left', lateRecords });
      case 'outer':
        return joinStream(other, store, pair, { kind: 'outer', lateRecords });
      default:
        throw new NotBuilt(`there is no ${kind} join of streams`);
    }
  };
  const streams = new JobStreams(['left', 'right'], (left, right) => {
    // Unless it is optimized, a self join has two nodes there: two subscriptions here.
    const other = job['self'] !== true ? right : job['optimized'] === true ? left : left.pipe(map((record) => record));
    return left.pipe(
      joining(other),
      map(({ key, value, timestamp }): Row => ({ key, value, timestamp })),
    );
  });
  return {
    step: (step) => streams.step(step),
    droppedRecords: () => droppedRecords(store),
    // The recordings show no store of a join.
    store: () => Promise.resolve(undefined),
  };
}
