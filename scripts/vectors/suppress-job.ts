import { map, type Observable, type OperatorFunction } from 'rxjs';
import {
  aggregateWithStore,
  countWithStore,
  reduceWithStore,
  sessionize,
  suppress,
  windowHopping,
  windowSliding,
  windowTumbling,
} from '../../operators';
import type { Codec } from '../../src/model/codec';
import type { KafkaRecord } from '../../src/model/record';
import type { KeyValueStore, SessionStore, WindowStore } from '../../src/model/store-definition';
import type { InSession, InWindows, TimeWindows, Windowed, Windows } from '../../src/model/window';
import { keyValueStore, sessionStore, windowStore } from '../../src/state/definition';
import { suppressStore } from '../../src/state/suppress-definition';
import { droppedRecords, memoryStore } from '../../src/testing/memory-store';
import { keyValueRows, rowsByKey, windowRows } from '../../src/testing/store-rows';
import { groupedBy } from './aggregate-job';
import { aggregateOf, knowsOnly } from './aggregates';
import type { Job, Json, Row } from './format';
import { jobCodecs } from './job-codecs';
import { NotBuilt, type RunningJob } from './running-job';
import { type JobRecord, JobStream } from './source';

type Source = Observable<JobRecord>;

/** What a job holds back: results by key, or by key and window, from a store that a reader may look into. */
interface Results<K> {
  readonly key: Codec<K>;
  readonly of: (source: Source) => Observable<KafkaRecord<K, Json>>;
  readonly store: object | undefined;
  readonly rows: () => Promise<readonly Row[] | undefined>;
  readonly rowOf: (record: KafkaRecord<K, Json>) => Row;
}

/** The job under `suppress`. */
export function suppressJob(job: Job): RunningJob {
  switch (job.operator) {
    case 'windowTumbling':
    case 'windowHopping':
      return suppressed(job, timeWindows(job));
    case 'windowSliding':
      return suppressed(job, slidingWindows(job));
    case 'sessionize':
      return suppressed(job, sessions(job));
    case 'aggregate':
      return suppressed(job, aggregates(job));
    case 'table':
      return suppressed(job, table(job));
    default:
      throw new NotBuilt(`suppress behind ${job.operator} is not built yet`);
  }
}

function suppressed<K>(job: Job, results: Results<K>): RunningJob {
  const store = memoryStore(suppressStore('held', { key: results.key, value: jobCodecs.value }));
  const operator = suppression(job, store);
  const stream = new JobStream((source) => results.of(source).pipe(operator, map(results.rowOf)));
  return {
    step: (step) => stream.step(step),
    droppedRecords: () => droppedRecords(store) + (results.store === undefined ? 0 : droppedRecords(results.store)),
    store: results.rows,
  };
}

const FIELDS = ['suppress', 'timeLimit', 'maxRecords', 'whenFull'];
const WHEN_FULL: Readonly<Record<string, 'emit' | 'fail'>> = { emitEarly: 'emit', shutDown: 'fail' };

function suppression<K>(
  job: Job,
  store: Parameters<typeof suppress<K, Json>>[0],
): OperatorFunction<KafkaRecord<K, Json>, KafkaRecord<K, Json>> {
  const { suppress: until, timeLimit, maxRecords, whenFull } = job;
  const bounds = maxRecords === undefined ? {} : { maxRecords: maxRecords as number };
  if (until === 'untilWindowCloses') return suppress(store, { until: 'windowCloses', ...bounds });
  const full = whenFull === undefined ? undefined : WHEN_FULL[whenFull as string];
  if (until !== 'untilTimeLimit' || (whenFull !== undefined && full === undefined)) {
    throw new NotBuilt(`suppress ${JSON.stringify([until, whenFull])} is not built yet`);
  }
  return suppress(store, { until: { limit: timeLimit as number }, ...bounds, ...(full && { whenFull: full }) });
}

function timeWindows(job: Job): Results<Windowed<string>> {
  knowsOnly(job, [...FIELDS, 'size', 'advance', 'grace', 'retention', 'aggregate', 'initial', 'emit']);
  const size = job['size'] as number;
  const grace = job['grace'] as number;
  const advance = job['advance'] as number | undefined;
  const windows: TimeWindows = advance === undefined ? { size, grace } : { size, advance, grace };
  const assign =
    advance === undefined ? windowTumbling<string, Json>({ size, grace }) : windowHopping<string, Json>({ size, advance, grace });
  const definition = windowStore('vectors', { ...jobCodecs, windows, ...retentionOf(job) });
  const store = memoryStore(definition);
  const rows = (): Promise<readonly Row[]> => windowRows(store, { andAtTheBound: false });
  return { key: definition.output.key, of: (source) => source.pipe(assign, inWindows(job, store)), store, rows, rowOf: windowedRow };
}

function slidingWindows(job: Job): Results<Windowed<string>> {
  knowsOnly(job, [...FIELDS, 'timeDifference', 'grace', 'retention', 'aggregate', 'initial', 'emit']);
  const windows: Windows = { difference: job['timeDifference'] as number, grace: job['grace'] as number };
  const definition = windowStore('vectors', { ...jobCodecs, windows, ...retentionOf(job) });
  const store = memoryStore(definition);
  const assign = windowSliding<string, Json>(windows);
  const rows = (): Promise<readonly Row[]> => rowsByKey(store, { andAtTheBound: false });
  return { key: definition.output.key, of: (source) => source.pipe(assign, inWindows(job, store)), store, rows, rowOf: windowedRow };
}

function sessions(job: Job): Results<Windowed<string>> {
  knowsOnly(job, [...FIELDS, 'gap', 'grace', 'retention', 'aggregate', 'initial', 'emit']);
  const windows = { gap: job['gap'] as number, grace: job['grace'] as number };
  const definition = sessionStore('vectors', { ...jobCodecs, windows, ...retentionOf(job) });
  const store = memoryStore(definition);
  const rows = async (): Promise<readonly Row[]> =>
    (await rowsByKey(store, { andAtTheBound: false })).map(({ key, window, value }) => ({ key, window, value }));
  const of = (source: Source): Observable<KafkaRecord<Windowed<string>, Json>> => source.pipe(sessionize(windows), inSessions(job, store));
  return { key: definition.output.key, of, store, rows, rowOf: windowedRow };
}

function aggregates(job: Job): Results<string> {
  knowsOnly(job, [...FIELDS, 'aggregate', 'initial', 'groupBy']);
  const group = groupedBy(job['groupBy']);
  const store = memoryStore(keyValueStore('vectors', jobCodecs));
  return { key: jobCodecs.key, of: (source) => group(source).pipe(byKey(job, store)), store, rows: () => keyValueRows(store), rowOf };
}

/** A table that nobody keeps: its records are its updates. */
function table(job: Job): Results<string> {
  knowsOnly(job, FIELDS);
  return { key: jobCodecs.key, of: (source) => source, store: undefined, rows: () => Promise.resolve(undefined), rowOf };
}

function retentionOf(job: Job): { readonly retention?: number } {
  const retention = job['retention'] as number | undefined;
  return retention === undefined ? {} : { retention };
}

function inWindows(
  job: Job,
  store: WindowStore<string, Json>,
): OperatorFunction<InWindows<string, Json>, KafkaRecord<Windowed<string>, Json>> {
  const aggregate = aggregateOf(job);
  if (aggregate.kind === 'count') return countWithStore(store as unknown as WindowStore<string, number>);
  return aggregate.kind === 'reduce' ? reduceWithStore(store, aggregate.options) : aggregateWithStore(store, aggregate.options);
}

function inSessions(
  job: Job,
  store: SessionStore<string, Json>,
): OperatorFunction<InSession<string, Json>, KafkaRecord<Windowed<string>, Json>> {
  const aggregate = aggregateOf(job);
  if (aggregate.kind === 'count') return countWithStore(store as unknown as SessionStore<string, number>);
  return aggregate.kind === 'reduce' ? reduceWithStore(store, aggregate.options) : aggregateWithStore(store, aggregate.options);
}

function byKey(job: Job, store: KeyValueStore<string, Json>): OperatorFunction<JobRecord, KafkaRecord<string, Json>> {
  const aggregate = aggregateOf(job);
  if (aggregate.kind === 'count') return countWithStore(store as unknown as KeyValueStore<string, number>);
  return aggregate.kind === 'reduce' ? reduceWithStore(store, aggregate.options) : aggregateWithStore(store, aggregate.options);
}

function rowOf({ key, value, timestamp }: KafkaRecord<string, Json>): Row {
  return { key, value, timestamp };
}

function windowedRow({ key: { key, start, end }, value, timestamp }: KafkaRecord<Windowed<string>, Json>): Row {
  return { key, window: { start, end }, value, timestamp };
}
