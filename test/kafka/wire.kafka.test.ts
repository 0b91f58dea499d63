/** What only the wire can show: sockets, timers, broken connections. What a broker answers is test/contract/kafka-port. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { kafkaCode } from '../../src/kafka/error-codes';
import type { FetchRequest, KafkaPort, NodeId } from '../../src/kafka/port';
import { kafkaBroker } from '../../src/kafkajs/kafka-broker';
import { silentLogger } from '../../src/model/logger';
import { delay } from '../../src/time/clock';
import { systemClock } from '../../src/time/system-clock';
import { rejectionOf } from '../kafkajs/rejection';
import { kafkaBrokers } from './brokers';
import { wireProxies, type WireProxy } from './wire-proxy';

const MEGABYTE = 1 << 20;
const TIMEOUT_MS = 10_000;
const topic = `wire-${String(process.pid)}-${systemClock.random().toString(36).slice(2, 8)}`;

const connectTo = (brokers: readonly string[]): KafkaPort =>
  kafkaBroker({ brokers, clock: systemClock, logger: silentLogger }).connect('wire-test');

const fetchOf = (offset: number, maxWaitMs: number): FetchRequest => ({
  maxWaitMs,
  minBytes: 1,
  maxBytes: 4 * MEGABYTE,
  readCommitted: true,
  partitions: [{ topic, partition: 0, offset, maxBytes: 4 * MEGABYTE, leaderEpoch: -1 }],
});
const member = { groupId: topic, memberId: '', generationId: -1, groupInstanceId: null };
const joining = {
  groupId: topic,
  memberId: '',
  groupInstanceId: null,
  sessionTimeoutMs: 6_000,
  rebalanceTimeoutMs: 60_000,
  protocolType: 'consumer',
  protocols: [{ name: 'wire', metadata: Buffer.from('x') }],
};

jest.setTimeout(60_000);

let direct: KafkaPort;
let leader: NodeId;
const opened: { close(): Promise<void> }[] = [];

async function leaderOfTopic(port: KafkaPort): Promise<NodeId> {
  for (;;) {
    const [described] = (await port.metadata([topic])).topics;
    const node = described?.partitions[0]?.leader ?? -1;
    if (described?.errorCode === 0 && node >= 0) return node;
    await delay(systemClock, 20);
  }
}

/** A port that reaches every broker through a proxy. */
async function proxied(): Promise<{ readonly port: KafkaPort; readonly proxy: WireProxy }> {
  const proxies = await wireProxies((await direct.metadata([])).brokers);
  const proxy = proxies.get(leader)!;
  const port = connectTo([proxy.address]);
  opened.push(port, ...proxies.values());
  return { port, proxy };
}

function opens(): KafkaPort {
  const port = connectTo(kafkaBrokers());
  opened.push(port);
  return port;
}

beforeAll(async () => {
  direct = connectTo(kafkaBrokers());
  await direct.createTopics(
    [{ topic, partitions: 1, replicationFactor: -1, configs: { 'max.message.bytes': String(4 * MEGABYTE) } }],
    TIMEOUT_MS,
  );
  leader = await leaderOfTopic(direct);
  // Written by the application's own kafkajs, beside ours.
  const kafka = new Kafka({ brokers: kafkaBrokers(), logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  for (let batch = 0; batch < 3; batch++) await producer.send({ topic, messages: [{ value: Buffer.alloc(MEGABYTE - 1_000, 65 + batch) }] });
  await producer.disconnect();
});

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

afterAll(async () => {
  await direct.deleteTopics([topic], TIMEOUT_MS);
  await direct.close();
});

describe('sockets', () => {
  it('many first requests at once open one per lane', async () => {
    const { port, proxy } = await proxied();
    await Promise.all(
      [0, 1, 2, 3].flatMap((): Promise<unknown>[] => [
        port.metadata([topic]),
        port.heartbeat(leader, member),
        port.joinGroup(leader, { ...joining, groupId: `${topic}-refused` }), // who is given an id and never comes back holds up its group
        port.deleteRecords(leader, { partitions: [{ topic, partition: 0, offset: 0 }], timeoutMs: TIMEOUT_MS }),
        port.endTxn(leader, { transactionalId: topic, producerId: 1n, producerEpoch: 0, commit: false }),
        port.fetch(leader, fetchOf(0, 100), 'input'),
        port.fetch(leader, fetchOf(0, 100), 'restore'),
      ]),
    );
    expect(proxy.accepted()).toBe(6);
    await port.close();
    while (proxy.open() > 0) await delay(systemClock, 5);
  });

  it('an answer that breaks off in the middle is DISCONNECTED, and the next fetch is whole', async () => {
    const { port, proxy } = await proxied();
    const read = async (from: KafkaPort): Promise<Buffer> => (await from.fetch(leader, fetchOf(0, 100), 'input')).partitions[0]!.records;
    const whole = await read(direct);
    expect(whole.length).toBeGreaterThan(2 * MEGABYTE);
    proxy.cutAnswerOf(MEGABYTE);
    expect(await rejectionOf(read(port))).toMatchObject({ code: 'DISCONNECTED', retryable: true });
    expect(whole.equals(await read(port))).toBe(true);
    expect(proxy.accepted()).toBe(3); // one to find the cluster, two to fetch
  });

  it('closing does not wait for a long poll, which is DISCONNECTED', async () => {
    const { port, proxy } = await proxied();
    const end = (await port.fetch(leader, fetchOf(0, 0), 'input')).partitions[0]!.highWatermark;
    const poll = rejectionOf(port.fetch(leader, fetchOf(end, 20_000), 'input'));
    const start = systemClock.monotonic();
    await port.close();
    expect(await poll).toMatchObject({ code: 'DISCONNECTED' });
    expect(systemClock.monotonic() - start).toBeLessThan(1_000);
    while (proxy.open() > 0) await delay(systemClock, 5);
  });
});

describe('lanes', () => {
  it('a long poll delays neither metadata nor the other fetches', async () => {
    const port = opens();
    const end = (await port.fetch(leader, fetchOf(0, 0), 'input')).partitions[0]!.highWatermark;
    let polled = false;
    const poll = port.fetch(leader, fetchOf(end, 5_000), 'input').finally(() => {
      polled = true;
    });
    await port.metadata([topic]);
    await port.fetch(leader, fetchOf(0, 5_000), 'restore');
    await port.listOffsets(leader, { readCommitted: false, partitions: [{ topic, partition: 0, timestamp: -1 }] });
    expect(polled).toBe(false);
    await Promise.all([port.close(), rejectionOf(poll)]);
  });

  it('a join that waits for another member delays no heartbeat, no offsets, no new topic', async () => {
    const port = opens();
    const { nodeId: coordinator } = await port.findCoordinator({ key: topic, type: 'group' });
    const { memberId: first } = await port.joinGroup(coordinator, joining);
    const { generationId } = await port.joinGroup(coordinator, { ...joining, memberId: first });
    const identity = { ...member, memberId: first, generationId };
    await port.syncGroup(coordinator, { ...identity, assignments: [{ memberId: first, assignment: Buffer.from('all') }] });

    const { memberId: second } = await port.joinGroup(coordinator, joining);
    let joined = false;
    const join = port.joinGroup(coordinator, { ...joining, memberId: second }).finally(() => {
      joined = true;
    });
    while ((await port.heartbeat(coordinator, identity)).errorCode !== kafkaCode.REBALANCE_IN_PROGRESS);
    const offsets = { groupId: topic, requireStable: true, partitions: [{ topic, partition: 0 }] };
    expect((await port.offsetFetch(coordinator, offsets)).partitions).toMatchObject([{ errorCode: 0, offset: -1 }]);
    expect((await port.createTopics([{ topic, partitions: 1, replicationFactor: -1, configs: {} }], TIMEOUT_MS)).topics).toMatchObject([
      { errorCode: kafkaCode.TOPIC_ALREADY_EXISTS },
    ]);
    expect(joined).toBe(false);
    await port.leaveGroup(coordinator, { groupId: topic, members: [{ memberId: first, groupInstanceId: null }] });
    expect((await join).errorCode).toBe(0);
    await port.leaveGroup(coordinator, { groupId: topic, members: [{ memberId: second, groupInstanceId: null }] });
  });
});

/** Runs after `const port = …, leader = …;` in a process of its own: nothing of Jest's is counted, and it must end by itself. */
async function alone(script: string): Promise<string> {
  const whole = `
    const { createHook } = require('node:async_hooks');
    const { kafkaBroker } = require('./src/kafkajs/kafka-broker');
    const { systemClock } = require('./src/time/system-clock');
    const { silentLogger } = require('./src/model/logger');
    const port = kafkaBroker({ brokers: ${JSON.stringify(kafkaBrokers())}, clock: systemClock, logger: silentLogger }).connect('alone');
    const leader = ${String(leader)};
    const fetchOf = (offset, maxWaitMs) => ({
      maxWaitMs, minBytes: 1, maxBytes: 1, readCommitted: true,
      partitions: [{ topic: '${topic}', partition: 0, offset, maxBytes: 1, leaderEpoch: -1 }],
    });
    (async () => { ${script} })();`;
  const options = { cwd: join(__dirname, '../..'), timeout: 15_000 };
  const { stdout } = await promisify(execFile)(process.execPath, ['--require', 'tsx/cjs', '--eval', whole], options);
  return stdout.trim();
}

describe('timers', () => {
  it('K18 an idle port sets none, and has none', async () => {
    const idle = await alone(`
      await port.metadata([]);
      await Promise.all([port.fetch(leader, fetchOf(0, 0), 'input'), port.fetch(leader, fetchOf(0, 0), 'restore')]);
      const left = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
      let set = 0;
      createHook({ init: (_, type) => { if (type === 'Timeout') set += 1; } }).enable();
      await new Promise((resolve) => setTimeout(resolve, 500));
      console.log(JSON.stringify({ left, set }));
      await port.close();
    `);
    expect(JSON.parse(idle)).toEqual({ left: 0, set: 1 }); // the one that waited
  });

  it('a port closed during a long poll lets the process end', async () => {
    const ended = await alone(`
      await port.fetch(leader, fetchOf(0, 0), 'input');
      const poll = port.fetch(leader, fetchOf(3, 20_000), 'input').catch(({ code }) => code);
      await port.close();
      console.log(await poll);
    `);
    expect(ended).toBe('DISCONNECTED');
  });
});
