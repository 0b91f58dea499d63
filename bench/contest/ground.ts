import type { Kafka } from 'kafkajs';
import { startKafka } from '../../scripts/kafka-server';
import { kafkaCluster } from '../../src';

/** A broker of the benchmark's own, with its process id, or those of KAFKA_BROKERS. */
export async function withBroker<T>(
  pin: boolean,
  body: (brokers: readonly string[], brokerPid: number | undefined) => Promise<T>,
): Promise<T> {
  const given = process.env['KAFKA_BROKERS'] ?? '';
  if (given !== '') {
    if (pin) throw new Error('--pin puts a broker of its own on a core: run it without KAFKA_BROKERS');
    return body(given.split(','), undefined);
  }
  const kafka = await startKafka({ log: console.log });
  try {
    return await body(kafka.brokers, kafka.pid);
  } finally {
    await kafka.stop();
  }
}

export async function createOutput(brokers: readonly string[], name: string, partitions: number): Promise<void> {
  const cluster = kafkaCluster({ brokers });
  await cluster.createTopics([{ name, partitions, configs: { 'retention.ms': '-1' } }]).finally(cluster.close);
}

export async function removeTopics(kafka: Kafka, isOurs: (topic: string) => boolean): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: (await admin.listTopics()).filter(isOurs) });
  await admin.disconnect();
}
