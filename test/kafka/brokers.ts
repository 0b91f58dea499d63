/**
 * The brokers that test/kafka/global-setup.ts found or started. None when there is no broker: every test of this folder is skipped then, but
 * its file is still read.
 */
export function kafkaBrokers(): string[] {
  const brokers = process.env['KAFKA_BROKERS'] ?? '';
  if (brokers !== '') return brokers.split(',').map((broker) => broker.trim());
  if (process.env['MILLRACE_NO_KAFKA_BECAUSE'] === undefined) throw new Error('A test that needs Kafka has its place in test/kafka/');
  return [];
}
