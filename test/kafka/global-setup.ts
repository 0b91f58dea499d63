/**
 * A real broker for test/kafka: the one of KAFKA_BROKERS, else one started here when this machine can (Java 17, Maven), else none, and every
 * test is skipped and listed (environment.js, ../skipped-reporter.js). MILLRACE_REQUIRE_KAFKA=1 makes "none" a failure.
 */
import { connect } from 'node:net';
import { KafkaServerError, startKafka, whyNoKafka } from '../../scripts/kafka-server';
import { startedBroker } from './started-broker';

const CONNECT_TIMEOUT_MS = 5_000;

/** A broker that was asked for by name and does not answer is a failure, never a reason to skip. */
function mustAnswer(broker: string): Promise<void> {
  const at = broker.lastIndexOf(':');
  return new Promise((resolve, reject) => {
    const socket = connect({ host: broker.slice(0, at), port: Number(broker.slice(at + 1)), timeout: CONNECT_TIMEOUT_MS });
    const refuse = (why: string): void => {
      socket.destroy();
      reject(new Error(`KAFKA_BROKERS names ${broker}, which does not answer: ${why}`));
    };
    socket.once('error', (error) => {
      refuse(error.message);
    });
    socket.once('timeout', () => {
      refuse(`no connection within ${CONNECT_TIMEOUT_MS} ms`);
    });
    socket.once('connect', () => {
      socket.end();
      resolve();
    });
  });
}

/** Why there is no broker after all; undefined when one has been started. */
async function startOne(): Promise<string | undefined> {
  const missing = await whyNoKafka();
  if (missing !== undefined) return missing;
  try {
    const kafka = await startKafka({ log: (line) => process.stderr.write(`${line}\n`) });
    startedBroker.kafka = kafka;
    process.env['KAFKA_BROKERS'] = kafka.brokers.join(',');
    return undefined;
  } catch (error) {
    // Without a network the jars cannot be fetched: as good as no Maven. All else is worth a red run.
    if (error instanceof KafkaServerError && error.code === 'DOWNLOAD_FAILED') return error.message;
    throw error;
  }
}

export default async function findOrStartBroker(): Promise<void> {
  const given = process.env['KAFKA_BROKERS'] ?? '';
  if (given !== '') {
    await Promise.all(given.split(',').map((broker) => mustAnswer(broker.trim())));
    return;
  }
  const reason = await startOne();
  if (reason === undefined) return;
  if (process.env['MILLRACE_REQUIRE_KAFKA'] === '1') throw new Error(`MILLRACE_REQUIRE_KAFKA=1, but there is no broker: ${reason}`);
  process.env['MILLRACE_NO_KAFKA_BECAUSE'] = reason;
}
