/** The commit cycle goes on pushing while a real broker's EndTxn is on its way. */
import { tap } from 'rxjs';
import { countWithStore, to } from '../../operators';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { MillraceApp } from '../../src/app';
import { checkConfig } from '../../src/config';
import type { Broker } from '../../src/kafka/port';
import { kafkaBroker } from '../../src/kafkajs/kafka-broker';
import { kafkaCluster } from '../../src/millrace';
import { silentLogger } from '../../src/model/logger';
import { noOrigin } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import { keyValueStore } from '../../src/state/definition';
import { memorySlot } from '../../src/state/slot';
import type { Topology } from '../../src/task/topology';
import { delay } from '../../src/time/clock';
import { systemClock } from '../../src/time/system-clock';
import { kafkaBrokers } from './brokers';

const clock = systemClock;
const name = `pipelined-${String(process.pid)}-${clock.random().toString(36).slice(2, 8)}`;
const input = topic(`${name}-input`, { key: string, value: string });
const counts = keyValueStore('counts', { key: string, value: int64 });
const results = topic(`${name}-results`, counts.output);
const HELD_MS = 200;

/** EndTxn reaches the broker only after a while. */
function holdingEndTxn(broker: Broker, held: { readonly at: number; readonly ms: number }[]): Broker {
  return {
    connect: (clientId) => {
      const port = broker.connect(clientId);
      const endTxn: typeof port.endTxn = async (node, request) => {
        const at = clock.monotonic();
        await delay(clock, HELD_MS);
        held.push({ at, ms: clock.monotonic() - at });
        return port.endTxn(node, request);
      };
      return new Proxy(port, {
        get: (target, method) => (method === 'endTxn' ? endTxn : (Reflect.get(target, method, target) as () => unknown).bind(target)),
      });
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(clock, 5);
}

it('records are pushed while EndTxn is held for 200 ms, and each counts once', async () => {
  const brokers = kafkaBrokers();
  const cluster = kafkaCluster({ brokers });
  await cluster.createTopics([input, results].map((each) => ({ name: each.name, partitions: 1 })));
  const config = checkConfig({ applicationId: name, brokers });
  const held: { at: number; ms: number }[] = [];
  const pushed: number[] = [];
  const topology: Topology = ({ stream, store }) =>
    stream(input).pipe(
      tap(() => pushed.push(clock.monotonic())),
      countWithStore(store(counts)),
      to(results),
    );
  const broker = holdingEndTxn(kafkaBroker({ brokers, clock, logger: silentLogger }), held);
  const app = new MillraceApp(config, () =>
    Promise.resolve({ clock, broker, openBytes: undefined, openSlot: () => Promise.resolve(memorySlot(clock)) }),
  );
  let records = 0;
  const run = app.run(topology).subscribe(({ tasks }) => {
    for (const task of tasks) records += task.records;
  });
  let written = 0;
  while (held.length < 4) {
    await cluster.write(
      input,
      Array.from({ length: 10 }, (_, at) => KafkaRecord.of('a', 'v', at, noOrigin)),
    );
    written += 10;
    await delay(clock, 20);
  }
  await until(() => records === written);
  await app.close();
  run.unsubscribe();
  const during = pushed.filter((at) => held.some((each) => at > each.at && at < each.at + each.ms));
  expect(during.length).toBeGreaterThan(written / 4);
  expect((await cluster.read(results)).map(({ value }) => value)).toEqual(Array.from({ length: written }, (_, at) => at + 1));
  await cluster.deleteTopics([input.name, results.name, `${name}-counts-changelog`]);
  await cluster.close();
});
