/** The brokers that test/kafka/global-setup.ts found or started. Every test of this folder is skipped when there is none. */
export function kafkaBrokers(): string[] {
  const brokers = process.env['KAFKA_BROKERS'];
  if (brokers === undefined || brokers === '') throw new Error('KAFKA_BROKERS is not set: this test must be in test/kafka/');
  return brokers.split(',').map((broker) => broker.trim());
}
