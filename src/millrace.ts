import { extname, join } from 'node:path';
import { MillraceApp, type App, type ThreadSupply } from './app';
import type { Cluster } from './model/cluster';
import { ClusterClient } from './commit/cluster-client';
import type { Adapters } from './commit/adapters';
import { checkConfig, type CheckedConfig, type MillraceConfig } from './config';
import { MillraceError } from './errors/millrace-error';
import type { Broker } from './kafka/port';
import { spawnWorkers } from './threads/spawn-worker';
import { silentLogger } from './model/logger';
import type { OpenBytes } from './state/open-bytes';
import { systemClock } from './time/system-clock';

/** What a cluster made here knows beyond its interface: how an application connects to it. */
interface ConnectedCluster {
  readonly broker: () => Promise<Broker>;
  /** Undefined: it is in this process. */
  readonly brokers: readonly string[] | undefined;
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
  const supply = checked.threads > 1 ? threadSupply(checked) : undefined;
  return new MillraceApp(checked, () => loadAdapters(checked), supply);
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
    undefined,
  );
}

/**
 * A Kafka cluster, to create, fill and read topics without an application.
 *
 * @example await kafkaCluster({ brokers: ['localhost:9092'] }).createTopics([{ name: 'clicks', partitions: 4 }])
 */
export function kafkaCluster(options: { readonly brokers: readonly string[] }): Cluster {
  return cluster(() => connectKafka(options.brokers), options.brokers);
}

function cluster(broker: () => Promise<Broker>, brokers: readonly string[] | undefined): Cluster {
  const client = new ClusterClient(broker, systemClock);
  connections.set(client, { broker, brokers });
  return client;
}

async function connectKafka(brokers: readonly string[], config?: CheckedConfig): Promise<Broker> {
  const { kafkaBroker } = await import('./kafkajs/kafka-broker');
  const requestTimeout = config === undefined ? {} : { requestTimeoutMs: config.requestTimeout };
  return kafkaBroker({ brokers, clock: systemClock, logger: config?.logger ?? silentLogger, ...requestTimeout });
}

function connectionOf(config: CheckedConfig): ConnectedCluster | undefined {
  return config.cluster === undefined ? undefined : connections.get(config.cluster);
}

/** @throws CONFIG for a cluster that other threads do not reach */
function threadSupply(config: CheckedConfig): ThreadSupply {
  const brokers = config.brokers ?? connectionOf(config)?.brokers;
  if (brokers === undefined) {
    throw new MillraceError(
      'CONFIG',
      `threads is ${config.threads}, but the cluster is an object in this thread, which no other reaches: use threads: 1 with memoryCluster(), ` +
        'and several apps on one cluster for several instances, or name brokers',
      { where: { option: 'threads' } },
    );
  }
  // Beside this file, and as compiled or not as it is.
  return { brokers, spawn: spawnWorkers(join(__dirname, `worker${extname(__filename)}`)) };
}

async function loadAdapters(config: CheckedConfig): Promise<Adapters> {
  const connection = connectionOf(config);
  const broker = connection === undefined ? await connectKafka(config.brokers ?? [], config) : await connection.broker();
  const inMemory = connection !== undefined && connection.brokers === undefined;
  const directory = config.stateDirectory ?? (inMemory ? undefined : '.millrace');
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
