import { kafkaCluster, memoryCluster, type Cluster } from 'millrace';

export interface ChosenCluster {
  readonly cluster: Cluster;
  /** For a heading: where this runs. */
  readonly place: string;
}

/** Real Kafka when the environment names brokers (`KAFKA_BROKERS=host:port,host:port`), else a broker in this process. */
export function chosenCluster(environment: NodeJS.ProcessEnv = process.env): ChosenCluster {
  const brokers = (environment['KAFKA_BROKERS'] ?? '')
    .split(',')
    .map((broker) => broker.trim())
    .filter((broker) => broker !== '');
  if (brokers.length === 0) return { cluster: memoryCluster(), place: 'a broker in this process' };
  return { cluster: kafkaCluster({ brokers }), place: `Kafka at ${brokers.join(', ')}` };
}
