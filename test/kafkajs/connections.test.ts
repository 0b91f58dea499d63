import { randomBytes } from 'node:crypto';
import { LaneConnectionPool } from '../../src/kafkajs/connections';
import { createSocketFactory, silentWireLogger } from '../../src/kafkajs/wire';
import { kafkaBroker, type KafkaBrokerOptions } from '../../src/kafkajs/kafka-broker';
import type { KafkaPort, MemberIdentity } from '../../src/kafka/port';
import { silentLogger } from '../../src/model/logger';
import type { Clock } from '../../src/time/clock';
import { systemClock } from '../../src/time/system-clock';
import { Writer } from '../../src/kafkajs/bytes';
import { rejectionOf, thrownBy } from './rejection';
import {
  answerFrame,
  clusterOf,
  codeAnswer,
  neededVersions,
  scriptedBroker,
  type Asked,
  type Script,
  type ScriptedBroker,
  type ScriptedBrokerOptions,
} from './scripted-broker';

const METADATA = 3;
const HEARTBEAT = 12;
const FETCH = 1;
const SASL_HANDSHAKE = 17;
const SASL_AUTHENTICATE = 36;

const member: MemberIdentity = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null };
const heartbeatOf = (generationId: number): MemberIdentity => ({ ...member, generationId });
const fetchRequest = { maxWaitMs: 100, minBytes: 1, maxBytes: 1, readCommitted: true, partitions: [] };

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function broker(options: ScriptedBrokerOptions = {}): Promise<ScriptedBroker> {
  const scripted = await scriptedBroker(options);
  open.push(scripted);
  return scripted;
}

function portOf(brokers: readonly string[], options: Partial<KafkaBrokerOptions> = {}): KafkaPort {
  const port = kafkaBroker({ brokers, clock: systemClock, logger: silentLogger, leastRequestTimeoutMs: 0, ...options }).connect('test');
  open.push(port);
  return port;
}

/** A broker that is a cluster by itself, node 0, and answers heartbeats with the generation as code. */
async function alone(script: Script = () => undefined, options: ScriptedBrokerOptions = {}): Promise<ScriptedBroker> {
  const scripted: ScriptedBroker = await broker({
    ...options,
    script: (asked) => {
      if (asked.apiKey === METADATA) return clusterOf(scripted);
      const answer = script(asked);
      if (answer !== undefined || asked.apiKey !== HEARTBEAT) return answer;
      asked.body.string();
      return codeAnswer(asked.body.int32());
    },
  });
  return scripted;
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise<void>((resolve) => systemClock.setImmediate(resolve));
};

describe('opening a connection', () => {
  it('names every broker that could not be reached', async () => {
    const gone = await scriptedBroker();
    await gone.close();
    const mute = await broker({ mute: true });
    const error = await rejectionOf(portOf([gone.address, mute.address], { connectionTimeoutMs: 100 }).metadata([]));
    expect(error).toMatchObject({ code: 'BROKERS_UNREACHABLE', retryable: true });
    expect(error.message).toContain(gone.address);
    expect(error.message).toContain('ECONNREFUSED');
    expect(error.message).toContain(mute.address);
    expect(error.message).toContain('within 100 ms');
  });

  it('goes on to the next seed when the first takes connections and says nothing', async () => {
    const mute = await broker({ mute: true });
    const good = await alone();
    const answer = await portOf([mute.address, good.address], { connectionTimeoutMs: 100 }).metadata([]);
    expect(answer).toEqual({ clusterId: 'scripted', brokers: [{ nodeId: 0, host: '127.0.0.1', port: good.port }], topics: [] });
  });

  it('is DISCONNECTED for a node that hangs, and gives its socket up', async () => {
    const mute = await broker({ mute: true });
    const seed = await broker({ script: ({ apiKey }) => (apiKey === METADATA ? clusterOf(mute) : undefined) });
    const error = await rejectionOf(portOf([seed.address], { connectionTimeoutMs: 100 }).heartbeat(0, member));
    expect(error).toMatchObject({ code: 'DISCONNECTED', retryable: true, where: { broker: `0 (${mute.address})` } });
    await until(() => mute.open() === 0);
  });

  it('is DISCONNECTED for a node the cluster does not have, after asking the cluster', async () => {
    const only = await alone();
    const error = await rejectionOf(portOf([only.address]).heartbeat(7, member));
    expect(error).toMatchObject({ code: 'DISCONNECTED', retryable: true });
    expect(error.message).toContain(`broker 7 is not in the cluster, which has 0 (${only.address})`);
    expect(only.asked).toEqual(['ApiVersions', 'Metadata']);
  });

  it('happens once for many first requests, which leave in the order of the calls', async () => {
    const seen: number[] = [];
    const only = await alone(({ apiKey, body }) => {
      if (apiKey !== HEARTBEAT) return undefined;
      body.string();
      seen.push(body.int32());
      return codeAnswer(0);
    });
    const port = portOf([only.address]);
    const order = Array.from({ length: 50 }, (_, index) => index);
    await Promise.all(order.map((generation) => port.heartbeat(0, heartbeatOf(generation))));
    expect(seen).toEqual(order);
    expect(only.accepted()).toBe(1);
    expect(only.asked.filter((name) => name === 'ApiVersions')).toHaveLength(1);
  });

  it('happens once even below the lane', async () => {
    const only = await alone();
    const pool = new LaneConnectionPool({
      host: '127.0.0.1',
      port: only.port,
      clientId: 'test',
      clock: systemClock,
      ssl: undefined,
      sasl: undefined,
      logger: silentWireLogger,
      socketFactory: createSocketFactory(),
      requestTimeout: 1_000,
      connectionTimeout: 1_000,
    });
    await Promise.all([pool.getConnection(), pool.getConnection(), pool.getConnection()]);
    await pool.destroy();
    expect(only.accepted()).toBe(1);
  });

  it('names every API the broker lacks with both ranges', async () => {
    const versions = neededVersions();
    versions.set(28, [0, 2]);
    versions.set(3, [11, 13]);
    versions.delete(26);
    const old = await broker({ versions });
    const error = await rejectionOf(portOf([old.address]).metadata([]));
    expect(error).toMatchObject({ code: 'UNSUPPORTED_BROKER', retryable: false, where: { broker: old.address } });
    expect(error.message).toContain('TxnOffsetCommit (3 is needed, the broker has 0 to 2)');
    expect(error.message).toContain('Metadata (10 is needed, the broker has 11 to 13)');
    expect(error.message).toContain('EndTxn (3 is needed, the broker has none)');
    expect(error.message).not.toContain('Heartbeat');
  });

  it('gives up that to a seed which turns out to be known under another address', async () => {
    const node = await alone();
    const seed = await broker({ script: ({ apiKey }) => (apiKey === METADATA ? clusterOf(node) : undefined) });
    const port = portOf([seed.address]);
    await port.metadata([]);
    await until(() => seed.open() === 0);
    await port.metadata([]);
    expect(node.asked).toContain('Metadata');
  });

  it('goes on when a broker that was away comes back at another address', async () => {
    const before = await alone();
    let now = before;
    const seed = await broker({ script: ({ apiKey }) => (apiKey === METADATA ? clusterOf(now) : undefined) });
    const port = portOf([seed.address]);
    expect(await port.heartbeat(0, heartbeatOf(1))).toEqual({ errorCode: 1 });
    await before.close();
    expect((await rejectionOf(port.heartbeat(0, member))).code).toBe('DISCONNECTED');
    now = await alone();
    await port.metadata([]);
    expect(await port.heartbeat(0, heartbeatOf(2))).toEqual({ errorCode: 2 });
  });
});

describe('asking any broker', () => {
  it('asks the next one while the first is silent', async () => {
    const good = await alone();
    let silent = false;
    const hung: ScriptedBroker = await broker({
      script: ({ apiKey }) => (apiKey === METADATA && !silent ? clusterOf(hung, good) : undefined),
    });
    // Twenty times as fast: patience, 1 s, is 50 ms.
    const fast: Clock = {
      ...systemClock,
      monotonic: () => systemClock.monotonic() * 20,
      setTimer: (ms, callback) => systemClock.setTimer(ms / 20, callback),
    };
    const port = portOf([hung.address], { clock: fast, requestTimeoutMs: 100_000_000 });
    await port.metadata([]);
    silent = true;
    for (let round = 0; round < 5; round++) expect((await port.metadata([])).clusterId).toBe('scripted');
    // Once at most by chance, then it owes an answer and is asked last.
    expect(hung.asked.filter((name) => name === 'Metadata').length).toBeLessThanOrEqual(2);
    expect(good.asked).toContain('Metadata');
  });
});

describe('a connection that breaks', () => {
  it('half way through an answer: the request is DISCONNECTED and the next one is answered', async () => {
    let cut = true;
    const only = await alone(({ apiKey, socket, correlationId }) => {
      if (apiKey !== HEARTBEAT || !cut) return undefined;
      cut = false;
      socket.write(answerFrame(correlationId, codeAnswer(0)).subarray(0, 7), () => socket.destroy());
      return undefined;
    });
    const scripted = portOf([only.address]);
    const error = await rejectionOf(scripted.heartbeat(0, member));
    expect(error).toMatchObject({ code: 'DISCONNECTED', retryable: true, where: { broker: only.address } });
    expect(error.message).toContain('Heartbeat');
    expect(error.cause).toBeInstanceOf(Error);
    expect(await scripted.heartbeat(0, heartbeatOf(5))).toEqual({ errorCode: 5 });
  });

  it('ends every request on it, and none on another lane', async () => {
    const waiting: Asked[] = [];
    const only = await alone((asked) => {
      if (asked.apiKey === FETCH) waiting.push(asked);
      return undefined;
    });
    const port = portOf([only.address]);
    await port.metadata([]);
    const fetches = [port.fetch(0, fetchRequest, 'input'), port.fetch(0, fetchRequest, 'input')].map(rejectionOf);
    const other = port.fetch(0, fetchRequest, 'restore');
    await until(() => waiting.length === 3);
    const [first] = waiting;
    first!.socket.destroy();
    expect((await Promise.all(fetches)).map(({ code }) => code)).toEqual(['DISCONNECTED', 'DISCONNECTED']);
    const last = waiting.find(({ socket }) => !socket.destroyed)!;
    last.socket.write(answerFrame(last.correlationId, new Writer().int32(0).int16(0).int32(0).int32(0).finish()));
    expect(await other).toEqual({ errorCode: 0, partitions: [] });
  });
});

describe('a request that is not answered', () => {
  it('is REQUEST_TIMED_OUT, costs the connection, and the next one opens another', async () => {
    const mute: ScriptedBroker = await broker({ script: ({ apiKey }) => (apiKey === METADATA ? clusterOf(mute) : undefined) });
    const port = portOf([mute.address], { requestTimeoutMs: 300 });
    await port.metadata([]);
    const error = await rejectionOf(port.heartbeat(0, member));
    expect(error).toMatchObject({ code: 'REQUEST_TIMED_OUT', retryable: true, where: { broker: mute.address } });
    expect(error.message).toContain('Heartbeat');
    await until(() => mute.open() === 0);
    await port.metadata([]);
    expect(mute.accepted()).toBe(2);
  });

  it('times out after its own time, not after that of one before it', async () => {
    const only = await alone();
    const port = portOf([only.address], { requestTimeoutMs: 300 });
    await port.metadata([]);
    const long = rejectionOf(port.fetch(0, { ...fetchRequest, maxWaitMs: 60_000 }, 'input'));
    const short = rejectionOf(port.fetch(0, { ...fetchRequest, maxWaitMs: 1 }, 'input'));
    expect((await short).code).toBe('REQUEST_TIMED_OUT');
    expect((await long).code).toBe('DISCONNECTED');
  });
});

describe('answers out of the ordinary', () => {
  it('that cannot be read are PROTOCOL, and the connection goes on', async () => {
    let broken = true;
    const only = await alone(({ apiKey }) => {
      if (apiKey !== HEARTBEAT || !broken) return undefined;
      broken = false;
      return Buffer.from([0]);
    });
    const port = portOf([only.address]);
    const error = await rejectionOf(port.heartbeat(0, member));
    expect(error).toMatchObject({ code: 'PROTOCOL', retryable: false });
    expect(await port.heartbeat(0, heartbeatOf(3))).toEqual({ errorCode: 3 });
    expect(only.accepted()).toBe(1);
  });

  it('with a throttle time hold back what comes after, in order', async () => {
    const seen: number[] = [];
    const only = await alone(({ apiKey, body }) => {
      if (apiKey !== HEARTBEAT) return undefined;
      body.string();
      const generation = body.int32();
      seen.push(generation);
      return codeAnswer(0, generation === 0 ? 100 : 0);
    });
    const port = portOf([only.address]);
    await port.heartbeat(0, heartbeatOf(0));
    const start = systemClock.monotonic();
    const later = [1, 2, 3].map((generation) => port.heartbeat(0, heartbeatOf(generation)));
    await Promise.all(later);
    expect(systemClock.monotonic() - start).toBeGreaterThan(80);
    expect(seen).toEqual([0, 1, 2, 3]);
  });

  it('whose throttle time is over before its timer has run let nothing overtake what was held back', async () => {
    const seen: number[] = [];
    const only = await alone(({ apiKey, body }) => {
      if (apiKey !== HEARTBEAT) return undefined;
      body.string();
      const generation = body.int32();
      seen.push(generation);
      return codeAnswer(0, generation === 0 ? 20 : 0);
    });
    const port = portOf([only.address]);
    await port.heartbeat(0, heartbeatOf(0));
    const held = port.heartbeat(0, heartbeatOf(1));
    const start = systemClock.monotonic();
    while (systemClock.monotonic() - start < 40); // the event loop is blocked
    await Promise.all([held, port.heartbeat(0, heartbeatOf(2))]);
    expect(seen).toEqual([0, 1, 2]);
  });
});

describe('closing', () => {
  it('ends requests in flight, those that wait for a connection, and every socket', async () => {
    const mute = await broker({ mute: true });
    const waiting: string[] = [];
    const only = await alone(({ apiKey }) => {
      if (apiKey === FETCH) waiting.push('fetch');
      return undefined;
    });
    const port = portOf([only.address]);
    const stuck = portOf([mute.address]);
    await port.metadata([]);
    const rejected = [port.fetch(0, fetchRequest, 'input'), stuck.metadata([]), stuck.heartbeat(4, member)].map(rejectionOf);
    await until(() => waiting.length === 1 && mute.open() === 1);
    await Promise.all([port.close(), stuck.close()]);
    expect((await Promise.all(rejected)).map(({ code }) => code)).toEqual(['DISCONNECTED', 'DISCONNECTED', 'DISCONNECTED']);
    await until(() => only.open() === 0 && mute.open() === 0);
    const after = await rejectionOf(port.metadata([]));
    expect(after).toMatchObject({ code: 'DISCONNECTED', retryable: false });
    await port.close();
  });

  it.each(['input', 'restore', 'standby', 'global'] as const)('ends the connections over which the lane %s fetches', async (lane) => {
    const waiting: string[] = [];
    const only = await alone(({ apiKey }) => {
      if (apiKey === FETCH) waiting.push('fetch');
      return undefined;
    });
    const port = portOf([only.address]);
    const rejected = rejectionOf(port.fetch(0, fetchRequest, lane));
    await until(() => waiting.length === 1);
    await port.close();
    await expect(rejected).resolves.toMatchObject({ code: 'DISCONNECTED' });
    await until(() => only.open() === 0);
  });
});

describe('TLS and SASL', () => {
  it('TLS options reach the socket', async () => {
    const psk = randomBytes(32);
    const ciphers = 'PSK-AES128-GCM-SHA256';
    const secure = await alone(undefined, { tls: { ciphers, maxVersion: 'TLSv1.2', pskCallback: () => psk } });
    const ssl = {
      ciphers,
      maxVersion: 'TLSv1.2' as const,
      pskCallback: () => ({ psk, identity: 'test' }),
      checkServerIdentity: () => undefined,
    };
    expect((await portOf([secure.address], { ssl }).metadata([])).clusterId).toBe('scripted');
  });

  it('a broker that hangs up at once makes the error speak of ssl and sasl', async () => {
    const wantsTls = await scriptedBroker({
      tls: { ciphers: 'PSK-AES128-GCM-SHA256', maxVersion: 'TLSv1.2', pskCallback: () => randomBytes(32) },
    });
    open.push(wantsTls);
    const error = await rejectionOf(portOf([wantsTls.address]).metadata([]));
    expect(error).toMatchObject({ code: 'BROKERS_UNREACHABLE', retryable: true });
    expect(error.message).toContain('the broker closed the connection');
    expect(error.message).toContain('option ssl or sasl');
  });

  const saslVersions = neededVersions().set(SASL_HANDSHAKE, [0, 1]).set(SASL_AUTHENTICATE, [0, 1]);
  const handshake = new Writer()
    .int16(0)
    .array(['PLAIN'], (writer, name) => writer.string(name))
    .finish();
  const authenticated = (errorCode: number, sessionMs: number): Buffer =>
    new Writer()
      .int16(errorCode)
      .string(errorCode === 0 ? null : 'wrong password')
      .bytes(Buffer.alloc(0))
      .int64(sessionMs)
      .finish();
  const sasl = { mechanism: 'plain', username: 'me', password: 'secret' } as const;

  it('a refused password is CONFIG, names the option, and is not retryable', async () => {
    const strict = await alone(
      ({ apiKey }) => (apiKey === SASL_HANDSHAKE ? handshake : apiKey === SASL_AUTHENTICATE ? authenticated(58, 0) : undefined),
      { versions: saslVersions },
    );
    const error = await rejectionOf(portOf([strict.address], { sasl }).metadata([]));
    expect(error).toMatchObject({ code: 'CONFIG', retryable: false, where: { broker: strict.address, option: 'sasl' } });
  });

  it('a broker that dies while it authenticates is no refusal', async () => {
    const dying = await alone(
      ({ apiKey, socket }) => {
        if (apiKey === SASL_HANDSHAKE) return handshake;
        if (apiKey === SASL_AUTHENTICATE) socket.destroy();
        return undefined;
      },
      { versions: saslVersions },
    );
    expect((await rejectionOf(portOf([dying.address], { sasl }).metadata([]))).code).toBe('BROKERS_UNREACHABLE');
  });

  it('a session about to end is renewed before the next request, and none overtakes another', async () => {
    const seen: number[] = [];
    const names: string[] = [];
    const strict = await alone(
      ({ apiKey, body }) => {
        if (apiKey === SASL_HANDSHAKE) return handshake;
        // kafkajs renews 10 s before the end: a session of 10,050 ms is due after 50 ms.
        if (apiKey === SASL_AUTHENTICATE) return authenticated(0, names.push('authenticate') === 1 ? 10_050 : 3_600_000);
        if (apiKey !== HEARTBEAT) return undefined;
        body.string();
        seen.push(body.int32());
        return codeAnswer(0);
      },
      { versions: saslVersions },
    );
    const port = portOf([strict.address], { sasl });
    const start = systemClock.monotonic();
    await port.heartbeat(0, heartbeatOf(0));
    await until(() => systemClock.monotonic() - start > 100);
    await Promise.all([1, 2, 3].map((generation) => port.heartbeat(0, heartbeatOf(generation))));
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(names).toHaveLength(2);
    expect(strict.accepted()).toBe(1);
  });

  it('a token provider that never answers does not hold a connection attempt beyond its budget', async () => {
    const strict = await alone(({ apiKey }) => (apiKey === SASL_HANDSHAKE ? handshake : undefined), { versions: saslVersions });
    const never = { mechanism: 'PLAIN', authenticationProvider: () => ({ authenticate: () => new Promise<void>(() => undefined) }) };
    const error = await rejectionOf(portOf([strict.address], { sasl: never, connectionTimeoutMs: 100 }).metadata([]));
    expect(error).toMatchObject({ code: 'BROKERS_UNREACHABLE' });
    expect(error.message).toContain('authentication within 100 ms');
  });
});

describe('kafkaBroker', () => {
  it('names all mistakes of its options at once', () => {
    const make = (): unknown =>
      kafkaBroker({
        brokers: ['nowhere', 'a:1'],
        clock: systemClock,
        logger: silentLogger,
        requestTimeoutMs: 5_000,
        connectionTimeoutMs: 0,
      });
    const error = thrownBy(make);
    expect(error.code).toBe('CONFIG');
    expect(error.message).toContain('"nowhere"');
    expect(error.message).toContain('requestTimeoutMs is 5000');
    expect(error.message).toContain('connectionTimeoutMs is 0');
  });

  it('wants at least one broker', () => {
    expect(thrownBy(() => kafkaBroker({ brokers: [], clock: systemClock, logger: silentLogger })).message).toContain('brokers is empty');
  });
});
