import { MillraceApp, type App } from './app';
import type { Cluster } from './model/cluster';
import { ClusterClient } from './commit/cluster-client';
import type { Adapters } from './commit/adapters';
import { checkConfig, type CheckedConfig, type MillraceConfig } from './config';
import { silentLogger } from './model/logger';
import type { Broker } from './kafka/port';
import type { OpenBytes } from './state/open-bytes';
import { systemClock } from './time/system-clock';

/** What a cluster made here knows beyond its interface: how an application connects to it. */
interface ConnectedCluster {
  readonly broker: () => Promise<Broker>;
  readonly inMemory: boolean;
}

const connections = new WeakMap<Cluster, ConnectedCluster>();

/**
 * One instance of an application. Nothing is connected or opened before `run` is subscribed.
 *
 * @throws CONFIG listing every mistake of the configuration at once
 * @example
 * const app = millrace({ applicationId: 'page-analytics', brokers: ['localhost:9092'] });
 * app.run(topology).subscribe();
 * await app.close();
 */
export function millrace(config: MillraceConfig): App {
  const checked = checkConfig(config);
  return new MillraceApp(checked, () => loadAdapters(checked));
}

/**
 * A broker in this process: demos, tests, simulation. Keeps its data while the object lives.
 *
 * @example
 * const cluster = memoryCluster();
 * await cluster.createTopics([{ name: 'clicks', partitions: 4 }]);
 * const app = millrace({ applicationId: 'page-analytics', cluster });
 */
export function memoryCluster(): Cluster {
  let broker: Promise<Broker> | undefined;
  return cluster(
    () => (broker ??= import('./memory/memory-broker').then(({ memoryBroker }) => memoryBroker({ clock: systemClock }))),
    true,
  );
}

/**
 * A Kafka cluster, to create, fill and read topics without an application.
 *
 * @example await kafkaCluster({ brokers: ['localhost:9092'] }).createTopics([{ name: 'clicks', partitions: 4 }])
 */
export function kafkaCluster(options: { readonly brokers: readonly string[] }): Cluster {
  return cluster(() => kafka(options.brokers), false);
}

function cluster(broker: () => Promise<Broker>, inMemory: boolean): Cluster {
  const client = new ClusterClient(broker, systemClock);
  connections.set(client, { broker, inMemory });
  return client;
}

async function kafka(brokers: readonly string[], config?: CheckedConfig): Promise<Broker> {
  const { kafkaBroker } = await import('./kafkajs/kafka-broker');
  const requestTimeout = config === undefined ? {} : { requestTimeoutMs: config.requestTimeout };
  return kafkaBroker({ brokers, clock: systemClock, logger: config?.logger ?? silentLogger, ...requestTimeout });
}

async function loadAdapters(config: CheckedConfig): Promise<Adapters> {
  const connection = config.cluster === undefined ? undefined : connections.get(config.cluster);
  const broker = connection === undefined ? await kafka(config.brokers ?? [], config) : await connection.broker();
  const directory = config.stateDirectory ?? (connection?.inMemory === true ? undefined : '.millrace');
  const { openSlot, memorySlot } = await import('./state/slot');
  const { applicationId, instanceId, logger } = config;
  if (directory === undefined) {
    return { clock: systemClock, broker, openBytes: undefined, openSlot: () => Promise.resolve(memorySlot(systemClock, instanceId)) };
  }
  const { openLevelBytes } = await import('./level/level-bytes');
  const openBytes: OpenBytes = (folder, options) => openLevelBytes(folder, { clock: systemClock, logger, ...options });
  return {
    clock: systemClock,
    broker,
    openBytes,
    openSlot: () => openSlot({ stateDirectory: directory, applicationId, instanceId, openBytes, clock: systemClock, logger }),
  };
}
