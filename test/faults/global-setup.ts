/**
 * One cluster of three brokers for all of test/faults. On a machine that cannot start one every test is skipped and listed;
 * MILLRACE_REQUIRE_KAFKA=1 makes that a failure.
 */
import { KafkaServerError, startCluster, whyNoKafka } from '../../scripts/kafka-server';
import { sharedCluster } from './shared-cluster';

async function whyNot(): Promise<string | undefined> {
  const missing = await whyNoKafka();
  if (missing !== undefined) return missing;
  try {
    sharedCluster.running = await startCluster({ brokers: 3, log: (line) => process.stderr.write(`${line}\n`) });
    return undefined;
  } catch (error) {
    if (error instanceof KafkaServerError && error.code === 'DOWNLOAD_FAILED') return error.message;
    throw error;
  }
}

export default async function startThreeBrokers(): Promise<void> {
  const reason = await whyNot();
  if (reason === undefined) return;
  if (process.env['MILLRACE_REQUIRE_KAFKA'] === '1') throw new Error(`MILLRACE_REQUIRE_KAFKA=1, but there are no brokers: ${reason}`);
  process.env['MILLRACE_NO_KAFKA_BECAUSE'] = reason;
}
