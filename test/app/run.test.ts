import * as t from 'io-ts';
import { lastValueFrom } from 'rxjs';
import { countWithStore, to, windowTumbling } from '../../operators';
import {
  int64,
  internalTopic,
  json,
  KafkaRecord,
  keyValueStore,
  memoryCluster,
  millrace,
  string,
  topic,
  windowStore,
  type Topology,
} from '../../src';
import { noOrigin } from '../../src/model/origin';
import { countedMetrics } from './counted-metrics';

const Click = t.type({ user: t.string, page: t.string });
type Click = t.TypeOf<typeof Click>;
const clicks = topic('clicks', { key: string, value: json(Click) });
const counts = keyValueStore('counts', { key: string, value: int64 });
const clickCounts = topic('click-counts', counts.output);
const byPage = internalTopic('by-page', clicks);
const perMinute = { size: 60_000, grace: 0 };
const pageCounts = windowStore('page-counts', { key: string, value: int64, windows: perMinute });
const pageTopic = topic('page-counts', pageCounts.output);

const click = (user: string, page: string, timestamp: number) => KafkaRecord.of<string, Click>(user, { user, page }, timestamp, noOrigin);

describe('an application on the memory cluster', () => {
  it('counts by key and ends when it has caught up', async () => {
    const cluster = memoryCluster();
    await cluster.createTopics([
      { name: 'clicks', partitions: 3 },
      { name: 'click-counts', partitions: 3 },
    ]);
    const users = ['ada', 'bob', 'cyd', 'dan', 'eve'];
    await cluster.write(
      clicks,
      Array.from({ length: 500 }, (_, at) => click(users[at % 5] as string, '/', at)),
    );
    const metrics = countedMetrics();
    const app = millrace({ applicationId: 'counting', cluster, metrics });
    const topology: Topology = ({ stream, store }) => stream(clicks).pipe(countWithStore(store(counts)), to(clickCounts));
    await lastValueFrom(app.run(topology, { until: 'caught-up' }));
    const found = await cluster.read(clickCounts);
    expect(found).toHaveLength(500);
    const last = new Map(found.map(({ key, value }) => [key, value]));
    expect(Object.fromEntries(last)).toEqual({ ada: 100, bob: 100, cyd: 100, dan: 100, eve: 100 });
    expect(metrics.total('process-total')).toBe(500);
  });

  it('counts in windows behind a repartition', async () => {
    const cluster = memoryCluster();
    await cluster.createTopics([
      { name: 'clicks', partitions: 2 },
      { name: 'page-counts', partitions: 1 },
    ]);
    const pages = ['/a', '/b', '/c'];
    await cluster.write(clicks, [
      ...Array.from({ length: 300 }, (_, at) => click(`u${String(at)}`, pages[at % 3] as string, at * 200)),
      ...Array.from({ length: 60 }, (_, at) => click(`u${String(at)}`, `/flush${String(at)}`, 1_000_000)),
    ]);
    const app = millrace({ applicationId: 'windows', cluster });
    const topology: Topology = ({ stream, store, repartition }) =>
      stream(clicks).pipe(
        repartition(byPage, ({ page }) => page),
        windowTumbling(perMinute),
        countWithStore(store(pageCounts), { emit: 'close' }),
        to(pageTopic),
      );
    await lastValueFrom(app.run(topology, { until: 'caught-up' }));
    const found = await cluster.read(pageTopic);
    expect(found.map(({ key, value }) => [key.key, key.start, value]).sort()).toEqual([
      ['/a', 0, 100],
      ['/b', 0, 100],
      ['/c', 0, 100],
    ]);
  });
});
