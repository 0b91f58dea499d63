import * as t from 'io-ts';
import { filter, firstValueFrom, lastValueFrom, merge, take, tap, type Observable } from 'rxjs';
import { countWithStore, mapValues, to } from '../../operators';
import {
  bytes,
  int64,
  json,
  KafkaRecord,
  keyValueStore,
  memoryCluster,
  millrace,
  nullable,
  string,
  topic,
  type Cluster,
  type MillraceConfig,
  type MillraceError,
  type Topology,
} from '../../src';
import { partitionBytes, type SliceCodec } from '../../src/model/codec';
import { noOrigin } from '../../src/model/origin';
import { countedMetrics } from './counted-metrics';

const Click = t.type({ user: t.string, page: t.type({ path: t.string }) });
const clicks = topic('clicks', { key: string, value: json(Click) });
const raw = topic('clicks', { key: nullable(string), value: nullable(bytes) });
const counts = keyValueStore('counts', { key: string, value: int64 });
const results = topic('results', counts.output);

const countClicks: Topology = ({ stream, store }) => stream(clicks).pipe(countWithStore(store(counts)), to(results));

const good = JSON.stringify({ user: 'ada', page: { path: '/' } });

async function clusterWith(values: readonly (string | null)[], partitions = 1): Promise<Cluster> {
  const cluster = memoryCluster();
  await cluster.createTopics([
    { name: 'clicks', partitions },
    { name: 'results', partitions: 1 },
  ]);
  await cluster.write(
    raw,
    values.map((value, at) => KafkaRecord.of('ada', value === null ? null : Buffer.from(value), at, noOrigin)),
  );
  return cluster;
}

const appOn = (cluster: Cluster, more: Partial<MillraceConfig> = {}) => millrace({ applicationId: 'app', cluster, ...more });

/** The error a run ends with. */
async function failureOf(run: Observable<unknown>): Promise<MillraceError> {
  try {
    await lastValueFrom(run, { defaultValue: undefined });
  } catch (error) {
    return error as MillraceError;
  }
  throw new Error('the run did not fail');
}

const valuesOf = async (cluster: Cluster): Promise<number[]> => (await cluster.read(results)).map(({ value }) => value);

describe('bad input', () => {
  it('E2: malformed JSON stops the task and names topic, partition and offset; what came before is committed, the offset is not', async () => {
    const cluster = await clusterWith([good, good, '{"user"', good]);
    const error = await failureOf(appOn(cluster).run(countClicks));
    expect(error).toMatchObject({ code: 'DECODE', where: { topic: 'clicks', partition: 0, offset: 2 } });
    expect(await valuesOf(cluster)).toEqual([1, 2]);
    const skipping: Topology = ({ stream, store }) =>
      stream(topic('clicks', { key: string, value: json(Click), onDecodeError: 'skip' })).pipe(countWithStore(store(counts)), to(results));
    await lastValueFrom(appOn(cluster).run(skipping, { until: 'caught-up' }), { defaultValue: undefined });
    expect(await valuesOf(cluster)).toEqual([1, 2, 3]);
  });

  it('an io-ts mismatch names the path', async () => {
    const cluster = await clusterWith([JSON.stringify({ user: 'ada', page: { path: 7 } })]);
    const error = await failureOf(appOn(cluster).run(countClicks));
    expect(error).toMatchObject({ code: 'DECODE', where: { topic: 'clicks', partition: 0, offset: 0, path: 'page.path' } });
  });

  it('the policy skip counts what it skips, and commits past it', async () => {
    const cluster = await clusterWith(['no', good, 'no', 'no']);
    const metrics = countedMetrics();
    const skipping: Topology = ({ stream, store }) =>
      stream(topic('clicks', { key: string, value: json(Click), onDecodeError: 'skip' })).pipe(countWithStore(store(counts)), to(results));
    await lastValueFrom(appOn(cluster, { metrics }).run(skipping, { until: 'caught-up' }));
    expect(await valuesOf(cluster)).toEqual([1]);
    expect(metrics.total('skipped-records-total')).toBe(3);
  });

  it('a null value without nullable() says what to do', async () => {
    const cluster = await clusterWith([null]);
    const error = await failureOf(appOn(cluster).run(countClicks));
    expect(error).toMatchObject({ code: 'NULL_VALUE', where: { offset: 0 } });
    expect(error.message).toContain('nullable()');
  });

  it('a null key without nullable() says what to do', async () => {
    const cluster = await clusterWith([]);
    await cluster.write(raw, [KafkaRecord.of(null, Buffer.from(good), 0, noOrigin)]);
    const error = await failureOf(appOn(cluster).run(countClicks));
    expect(error).toMatchObject({ code: 'NULL_KEY', where: { offset: 0 } });
  });

  it('unknown topics are all named in one error', async () => {
    const other: Topology = ({ stream }) =>
      merge(stream(topic('nowhere', clicks)), stream(topic('nothing', clicks))).pipe(to(topic('never', clicks)));
    const error = await failureOf(appOn(memoryCluster(), { connectTimeout: 1_000 }).run(other));
    expect(error.code).toBe('UNKNOWN_TOPIC');
    for (const name of ['nowhere', 'nothing', 'never']) expect(error.message).toContain(name);
  });

  it('a producer with another partitioner is named, not miscounted', async () => {
    const cluster = await clusterWith([], 4);
    const elsewhere = ['a', 'b', 'c'].map((key): KafkaRecord<string, Uint8Array> => KafkaRecord.of(key, Buffer.from(good), 0, noOrigin));
    await cluster.write(topic('clicks', { key: byOtherPartitioner, value: bytes }), elsewhere);
    const error = await failureOf(appOn(cluster).run(countClicks));
    expect(error).toMatchObject({ code: 'PARTITIONER_MISMATCH', where: { topic: 'clicks' } });
    expect(error.message).toContain('repartition()');
  });

  it('a second run while one is active says share()', async () => {
    const cluster = await clusterWith([good]);
    const app = appOn(cluster);
    const first = app.run(countClicks);
    const done = firstValueFrom(first.pipe(take(1)));
    const error = await failureOf(app.run(countClicks));
    expect(error.code).toBe('ALREADY_RUNNING');
    expect(error.message).toContain('share()');
    await done;
    await app.close();
  });

  it('a throwing function names operator and place, and E3: with skip neither its state nor its output remains', async () => {
    const cluster = await clusterWith([good, good, good, good]);
    let seen = 0;
    const thirdThrows: Topology = ({ stream, store }) =>
      stream(clicks).pipe(
        countWithStore(store(counts)),
        tap(({ timestamp }) => {
          seen++;
          if (timestamp === 2) throw new Error('not this one');
        }),
        mapValues((n) => n),
        to(results),
      );
    const failing = await failureOf(appOn(cluster).run(thirdThrows));
    expect(failing).toMatchObject({ code: 'PROCESSING', where: { topic: 'clicks', partition: 0, offset: 2 } });
    expect(await valuesOf(cluster)).toEqual([1, 2]);
    const metrics = countedMetrics();
    await lastValueFrom(appOn(cluster, { onProcessingError: 'skip', metrics }).run(thirdThrows, { until: 'caught-up' }));
    expect(await valuesOf(cluster)).toEqual([1, 2, 3]);
    expect(metrics.total('skipped-records-total')).toBe(1);
    expect(seen).toBeGreaterThan(4);
  });

  it('E1: with skip, many poisonous records among good ones cost their own output only', async () => {
    const cluster = await clusterWith(Array.from({ length: 200 }, () => good));
    const everyThirdThrows: Topology = ({ stream, store }) =>
      stream(clicks).pipe(
        tap(({ timestamp }) => {
          if (timestamp % 3 === 0) throw new Error('third');
        }),
        countWithStore(store(counts)),
        to(results),
      );
    await lastValueFrom(appOn(cluster, { onProcessingError: 'skip' }).run(everyThirdThrows, { until: 'caught-up' }));
    expect(await valuesOf(cluster)).toEqual(Array.from({ length: 133 }, (_, at) => at + 1));
  });

  it('a source left without subscribers pauses the partition at that record; nothing behind it is committed', async () => {
    const cluster = await clusterWith([good, good, good]);
    const app = appOn(cluster);
    const degraded = firstValueFrom(app.state$.pipe(filter((state) => state === 'degraded')));
    const firstOnly: Topology = ({ stream, store }) => stream(clicks).pipe(take(2), countWithStore(store(counts)), to(results));
    const run = app.run(firstOnly).subscribe();
    await degraded;
    await app.close();
    run.unsubscribe();
    expect(await valuesOf(cluster)).toEqual([1]);
  });

  it('the same under strict is an error', async () => {
    const cluster = await clusterWith([good, good, good]);
    const firstOnly: Topology = ({ stream, store }) => stream(clicks).pipe(take(2), countWithStore(store(counts)), to(results));
    const error = await failureOf(appOn(cluster, { strict: true }).run(firstOnly));
    expect(error).toMatchObject({ code: 'NO_SUBSCRIBERS', where: { offset: 1 } });
  });

  it('committed state without committed offsets is refused and names reset', async () => {
    const cluster = await clusterWith([good, good]);
    await lastValueFrom(appOn(cluster).run(countClicks, { until: 'caught-up' }));
    // Another group over the same changelogs: as if the offsets of this one had expired.
    const changelogs = topic('app-counts-changelog', { key: string, value: bytes });
    const records = await cluster.read(changelogs);
    await cluster.createTopics([{ name: 'other-counts-changelog', partitions: 1, configs: { 'cleanup.policy': 'compact' } }]);
    await cluster.write(topic('other-counts-changelog', changelogs), records);
    const error = await failureOf(millrace({ applicationId: 'other', cluster }).run(countClicks));
    expect(error.code).toBe('COMMITTED_STATE_WITHOUT_OFFSETS');
    expect(error.message).toContain('reset');
    expect(await valuesOf(cluster)).toEqual([1, 2]);
  });
});

describe('a configuration', () => {
  const codeAndMessage = (config: MillraceConfig): MillraceError => {
    try {
      millrace(config);
    } catch (error) {
      return error as MillraceError;
    }
    throw new Error('the configuration was accepted');
  };

  it('without brokers and cluster is refused: nothing falls back to memory in silence', () => {
    const error = codeAndMessage({ applicationId: 'app' });
    expect(error.code).toBe('CONFIG');
    expect(error.message).toContain('neither brokers nor cluster');
  });

  it('has all its mistakes in one error', () => {
    const error = codeAndMessage({
      applicationId: 'no spaces please',
      brokers: ['localhost'],
      commitInterval: Number.NaN,
      requestTimeout: 5,
      cacheBytes: 1.5,
      compression: 'zip' as 'gzip',
    });
    for (const option of ['applicationId', '"localhost"', 'commitInterval', 'requestTimeout', 'cacheBytes', 'compression']) {
      expect(error.message).toContain(option);
    }
  });
});

/** Writes keys as they are, but to the partition of another key: what a producer with another partitioner does. */
const byOtherPartitioner: SliceCodec<string> = {
  encode: string.encode,
  decode: string.decode,
  [partitionBytes]: (key) => `${key}, otherwise`,
};
