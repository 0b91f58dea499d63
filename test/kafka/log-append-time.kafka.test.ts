/** Event time on a topic of a real broker with message.timestamp.type=LogAppendTime, by stream time and by the watermark, behind a repartition. */
import { firstValueFrom, tap, toArray } from 'rxjs';
import { countWithStore, to, windowTumbling } from '../../operators';
import { millrace } from '../../src/millrace';
import { int64, string } from '../../src/codec/primitives';
import { internalTopic, topic } from '../../src/codec/topic';
import { kafkaCluster } from '../../src/millrace';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import type { TopicOptions } from '../../src/model/topic';
import { windowStore } from '../../src/state/definition';
import type { Topology } from '../../src/task/topology';
import { delay } from '../../src/time/clock';
import { systemClock as clock } from '../../src/time/system-clock';
import { kafkaBrokers } from './brokers';

const PARTITIONS = 2;
const SIZE = 500;
const name = `append-time-${String(process.pid)}-${clock.random().toString(36).slice(2, 8)}`;
const through = internalTopic('through', { key: string, value: int64 });

it.each([
  ['stream time', {}],
  ['the watermark', { watermark: { outOfOrderness: 0 } }],
] as [string, TopicOptions<number>][])('by %s, windows go by the moment at which the broker took the record', async (mode, options) => {
  const application = `${name}-${mode.replace(' ', '-')}`;
  const brokers = kafkaBrokers();
  const cluster = kafkaCluster({ brokers });
  const input = topic(`${application}-input`, { key: string, value: int64, ...options });
  const counts = windowStore('counts', { key: string, value: int64, windows: { size: SIZE, grace: mode === 'stream time' ? 60_000 : 0 } });
  const results = topic(`${application}-results`, counts.output);
  await cluster.createTopics([
    { name: input.name, partitions: PARTITIONS, configs: { 'message.timestamp.type': 'LogAppendTime' } },
    { name: results.name, partitions: 1 },
  ]);
  // What the producer says is far from now, and in no order.
  const from = clock.now();
  for (let batch = 0; batch < 6; batch++) {
    await cluster.write(
      input,
      Array.from({ length: 10 }, (_, at) => KafkaRecord.of(`k${String(at)}`, at, 1_000 * ((7 * at) % 10), noOrigin)),
    );
    await delay(clock, 200);
  }
  const upTo = clock.now();

  const seen: number[] = [];
  const last = new Map<number, number>();
  const topology: Topology = ({ stream, store, repartition }) =>
    stream(input).pipe(
      tap(({ timestamp, origin }) => {
        seen.push(timestamp);
        last.set(origin.partition, Math.max(timestamp, last.get(origin.partition) ?? -1));
      }),
      repartition(through, () => 'all'),
      windowTumbling({ size: SIZE, grace: mode === 'stream time' ? 60_000 : 0 }),
      countWithStore(store(counts), { emit: mode === 'stream time' ? 'update' : 'close' }),
      to(results),
    );
  const app = millrace({ applicationId: application, brokers });
  await firstValueFrom(app.run(topology, { until: 'caught-up' }).pipe(toArray()));
  await app.close();

  expect(seen).toHaveLength(60);
  expect(Math.min(...seen)).toBeGreaterThanOrEqual(from);
  expect(Math.max(...seen)).toBeLessThanOrEqual(upTo);
  const expected = new Map<number, number>();
  for (const timestamp of seen) {
    const start = timestamp - (timestamp % SIZE);
    expected.set(start, (expected.get(start) ?? 0) + 1);
  }
  const found = new Map((await cluster.read(results)).map(({ key, value }) => [key.start, value]));
  // On close those are still open that the partition furthest behind has not passed.
  const watermark = mode === 'stream time' ? Infinity : Math.min(...last.values());
  for (const start of expected.keys()) if (start + SIZE > watermark) expected.delete(start);
  expect(found.size).toBeGreaterThan(0);
  expect([...found].sort()).toEqual([...expected].sort());
  await cluster.close();
});
