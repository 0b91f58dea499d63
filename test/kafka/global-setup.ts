/**
 * A real broker for test/kafka: the one of KAFKA_BROKERS, else one started here when Java 17 and Maven are installed, else none, and
 * every test is skipped and listed (environment.js, ../skipped-reporter.js). MILLRACE_REQUIRE_KAFKA=1 makes "none" a failure.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startedBroker } from './started-broker';

type Kafka = { brokers: string[]; stop(): Promise<void> };
const SERVER: string = '../../scripts/kafka-server';
const startKafka = async (o: { port: number; dataDirectory: string }): Promise<Kafka> =>
  ((await import(SERVER)) as { startKafka(o: object): Promise<Kafka> }).startKafka(o);

const REQUIRED = process.env['MILLRACE_REQUIRE_KAFKA'] === '1';

/** What the program prints about its version, or undefined when it is not installed. Java prints to stderr. */
function versionOf(program: string): string | undefined {
  try {
    return execFileSync('sh', ['-c', `${program} -version 2>&1`], { encoding: 'utf8' });
  } catch {
    return undefined;
  }
}

function whatIsMissing(): string | undefined {
  const java = versionOf('java');
  const major = Number(/version "(\d+)/.exec(java ?? '')?.[1] ?? 0);
  if (major < 17) return java === undefined ? 'Java 17 is not installed' : `Java 17 or newer is needed, found ${String(major)}`;
  return versionOf('mvn') === undefined ? 'Maven is not installed' : undefined;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}

/** A broker that was asked for by name and does not answer is a failure, never a reason to skip. */
function mustAnswer(broker: string): Promise<void> {
  const at = broker.lastIndexOf(':');
  return new Promise((resolve, reject) => {
    const socket = connect({ host: broker.slice(0, at), port: Number(broker.slice(at + 1)), timeout: 5_000 });
    const refuse = (why: string): void => {
      socket.destroy();
      reject(new Error(`KAFKA_BROKERS names ${broker}, which does not answer: ${why}`));
    };
    socket.once('error', (error) => {
      refuse(error.message);
    });
    socket.once('timeout', () => {
      refuse('no connection within 5 s');
    });
    socket.once('connect', () => {
      socket.end();
      resolve();
    });
  });
}

function without(reason: string): void {
  if (REQUIRED) throw new Error(`MILLRACE_REQUIRE_KAFKA=1, but there is no broker: ${reason}`);
  process.env['MILLRACE_NO_KAFKA_BECAUSE'] = reason;
}

export default async function findOrStartBroker(): Promise<void> {
  const given = process.env['KAFKA_BROKERS'];
  if (given !== undefined && given !== '') {
    await Promise.all(given.split(',').map((broker) => mustAnswer(broker.trim())));
    return;
  }
  const missing = whatIsMissing();
  if (missing !== undefined) {
    without(missing);
    return;
  }
  try {
    const dataDirectory = mkdtempSync(join(tmpdir(), 'millrace-kafka-'));
    startedBroker.dataDirectory = dataDirectory;
    const kafka = await startKafka({ port: await freePort(), dataDirectory });
    startedBroker.kafka = kafka;
    process.env['KAFKA_BROKERS'] = kafka.brokers.join(',');
  } catch (error) {
    without(error instanceof Error ? error.message : String(error));
  }
}
