import { filter, firstValueFrom, map, mergeMap } from 'rxjs';
import { KafkaRecord, memoryCluster, millrace, string, topic, type Cluster, type Partition } from '../../src';
import { noOrigin } from '../../src/model/origin';

const clicks = topic('clicks', { key: string, value: string });
const click = (key: string, time: number): KafkaRecord<string, string> => KafkaRecord.of(key, String(time), time, noOrigin);

async function clusterWith(records: number): Promise<Cluster> {
  const cluster = memoryCluster();
  await cluster.createTopics([{ name: 'clicks', partitions: 2 }]);
  await cluster.write(
    clicks,
    Array.from({ length: records }, (_, at) => click(`k${String(at % 7)}`, at)),
  );
  return cluster;
}

/** Reads until `count` records have come; gives them in the order of each partition. */
async function readSome(cluster: Cluster, count: number): Promise<string[][]> {
  const app = millrace({ applicationId: 'reader', cluster });
  const seen: { readonly partition: number; readonly value: string }[] = [];
  await new Promise<void>((resolve, reject) => {
    const values = mergeMap(({ partition, stream }: Partition) => stream(clicks).pipe(map(({ value }) => ({ partition, value }))));
    app
      .partitions(clicks)
      .pipe(values)
      .subscribe({
        next: (value) => {
          seen.push(value);
          if (seen.length === count) resolve();
        },
        error: reject,
      });
  });
  await app.close();
  return [0, 1].map((number) => seen.filter(({ partition }) => partition === number).map(({ value }) => value));
}

describe('partitions as observables', () => {
  it('gives every partition with its records in order, and goes on behind what was committed', async () => {
    const cluster = await clusterWith(50);
    const first = await readSome(cluster, 50);
    expect(
      first
        .flat()
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 50 }, (_, at) => at));
    for (const values of first) expect(values.map(Number)).toEqual(values.map(Number).sort((a, b) => a - b));
    await cluster.write(clicks, [click('k1', 50), click('k2', 51)]);
    const second = await readSome(cluster, 2);
    expect(second.flat().sort()).toEqual(['50', '51']);
  });

  it('pauses a partition whose stream nobody takes', async () => {
    const cluster = await clusterWith(10);
    const app = millrace({ applicationId: 'reader', cluster });
    const degraded = firstValueFrom(app.state$.pipe(filter((state) => state === 'degraded')));
    const subscription = app.partitions(clicks).subscribe();
    await degraded;
    await app.close();
    subscription.unsubscribe();
    expect((await readSome(cluster, 10)).flat()).toHaveLength(10);
  });
});
