import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type ClusterBroker, OwnedBroker } from './kafka/cluster-broker';
import { claimDataDirectory, layOutDataDirectory } from './kafka/data-directory';
import { type Distribution, ensureDistribution, fetchedDistribution } from './kafka/distribution';
import { fetchWithMaven } from './kafka/fetch-with-maven';
import { KafkaServerError } from './kafka/kafka-server-error';
import { placeOf } from './kafka/place';
import { freePort, LOOPBACK, requireFreePort, requireValidPort } from './kafka/ports';
import { findJava, findMaven, requirePosix } from './kafka/requirements';
import type { KafkaNode } from './kafka/server-properties';

export type { ClusterBroker } from './kafka/cluster-broker';
export { KafkaServerError, type KafkaServerErrorCode } from './kafka/kafka-server-error';

const HOME = resolve(__dirname, '..', '.kafka');
const JARS = join(HOME, 'jars');
const POM_FILE = join(__dirname, 'kafka', 'pom.xml');
const LOG4J_FILE = join(__dirname, 'kafka', 'log4j2.properties');
/** For each broker: they start at the same time, and on two cores none of them fast. */
const READY_TIMEOUT_MS = 60_000;

/** SIGTERM lets a broker write what it has. One that is left without a quorum would wait for minutes to say good-bye. */
const CLOSE_GRACE_MS = { single: 20_000, several: 5_000 };

export interface StartKafkaOptions {
  /** Of the first broker; the others take free ones. Default: a free one. */
  readonly port?: number;
  /**
   * Default: `.kafka/data-<port>` of the project, `.kafka/data-<port>-3-brokers` for three; without a port, a folder of its own that goes
   * with the cluster. Emptied at the start unless `keep`: so it has to be empty, absent, or from an earlier start.
   */
  readonly dataDirectory?: string;
  /** Go on with the data of an earlier start in the same folder. Default false. */
  readonly keep?: boolean;
  /** Progress, one line at a time. */
  readonly log?: (line: string) => void;
  /** Gives the start up; whatever was started is stopped. */
  readonly signal?: AbortSignal;
}

export interface StartClusterOptions extends StartKafkaOptions {
  /** With three, everything has three replicas, two of them in sync: any one broker may be killed or stopped, and all goes on. */
  readonly brokers: 1 | 3;
}

export interface RunningCluster {
  /** `host:port` of each broker, as in `brokers` of a client. */
  readonly bootstrap: readonly string[];
  readonly brokers: readonly ClusterBroker[];
  /** @param id from 1 */
  broker(id: number): ClusterBroker;
  readonly version: string;
  readonly dataDirectory: string;
  /** Fulfilled with the last one's reason when every broker has ended without being told to. */
  readonly exited: Promise<KafkaServerError>;
  /** Ends every broker, whatever became of it, and takes a temporary folder with it. Does nothing the second time. */
  close(): Promise<void>;
}

export interface RunningKafka {
  readonly brokers: readonly string[];
  /** The broker's process. */
  readonly pid: number;
  readonly version: string;
  readonly dataDirectory: string;
  readonly logFile: string;
  /** Fulfilled with the reason when the broker ends without `stop` or `kill`. */
  readonly exited: Promise<KafkaServerError>;
  /** SIGTERM, then SIGKILL after 20 s. Does nothing the second time, or after `kill`. */
  stop(): Promise<void>;
  /** SIGKILL. The data stay: `startKafka({ port, dataDirectory, keep: true })` goes on with them. */
  kill(): Promise<void>;
}

/** Why no broker can be started on this machine, in words for a person; undefined when one can. */
export async function whyNoKafka(): Promise<string | undefined> {
  try {
    requirePosix();
    await findJava();
    if ((await fetchedDistribution(JARS, POM_FILE)) === undefined) await findMaven();
    return undefined;
  } catch (error) {
    if (error instanceof KafkaServerError) return error.message;
    throw error;
  }
}

/** Fetches Kafka's jars if that was not done before. Errors: those of Java and Maven, and DOWNLOAD_FAILED. */
export async function downloadKafka(options: Pick<StartKafkaOptions, 'log' | 'signal'> = {}): Promise<Distribution> {
  requirePosix();
  return fetchIfNeeded(await findJava(), options);
}

function fetchIfNeeded(java: string, { log = () => {}, signal }: Pick<StartKafkaOptions, 'log' | 'signal'>): Promise<Distribution> {
  const fetch = fetchWithMaven({ java, pomFile: POM_FILE, log4jFile: LOG4J_FILE, log, signal });
  return ensureDistribution({ home: JARS, pomFile: POM_FILE, fetch, log, signal });
}

/**
 * Starts a real Apache Kafka (KRaft, one node, loopback only) and returns when it answers clients. The broker never outlives this
 * process, not even when this process is killed.
 *
 * Errors (`KafkaServerError`): PLATFORM_UNSUPPORTED, JAVA_MISSING, JAVA_TOO_OLD, MAVEN_MISSING, DOWNLOAD_FAILED, PORT_INVALID, PORT_TAKEN,
 * DATA_DIRECTORY_FOREIGN, DATA_DIRECTORY_IN_USE, BROKER_EXITED, BROKER_NOT_READY.
 *
 * ```ts
 * const kafka = await startKafka({ port: 9092, log: console.log });
 * kafka.brokers; // => ['127.0.0.1:9092']
 * await kafka.stop();
 * ```
 */
export async function startKafka(options: StartKafkaOptions = {}): Promise<RunningKafka> {
  const cluster = await startCluster({ ...options, brokers: 1 });
  const broker = cluster.broker(1);
  return {
    brokers: cluster.bootstrap,
    pid: broker.pid!,
    version: cluster.version,
    dataDirectory: cluster.dataDirectory,
    logFile: broker.logFile,
    exited: cluster.exited,
    stop: () => cluster.close(),
    kill: async () => {
      await broker.kill();
      await cluster.close();
    },
  };
}

/**
 * Starts a real Apache Kafka of one broker or three (KRaft, each broker a voter too, loopback only) and returns when every broker answers
 * clients with all of them. No broker outlives this process. Errors: those of `startKafka`.
 *
 * ```ts
 * const cluster = await startCluster({ brokers: 3 });
 * cluster.bootstrap; // => ['127.0.0.1:20311', '127.0.0.1:24107', '127.0.0.1:31870']
 * await cluster.broker(2).kill();
 * await cluster.broker(2).restart();
 * await cluster.close();
 * ```
 */
export async function startCluster(options: StartClusterOptions): Promise<RunningCluster> {
  const { log = () => {}, keep = false, signal } = options;
  requirePosix();
  if (options.port !== undefined) requireValidPort(options.port);
  const java = await findJava();
  const port = options.port ?? (await freePort());
  const place = await placeOf({ home: HOME, ...options }, port);
  const { directory } = place;

  const lock = await claimDataDirectory(directory);
  let brokers: readonly OwnedBroker[] = [];
  const release = async (): Promise<void> => {
    await lock.release();
    if (place.temporary) await rm(directory, { recursive: true, force: true });
  };
  try {
    await requireFreePort(port);
    const distribution = await fetchIfNeeded(java, options);
    const nodes = await freeNodes(port, options.brokers);
    const { bootstrapCheckpoint, version } = distribution;
    const clusterId = await layOutDataDirectory(directory, { nodes, keep, bootstrapCheckpoint, log4jFile: LOG4J_FILE });
    log(`starting Apache Kafka ${version} on ${nodes.map((node) => `${LOOPBACK}:${node.port}`).join(',')}`);
    signal?.throwIfAborted();
    const exit = new Exits(options.brokers, log);
    const lives = {
      java,
      distribution,
      directory,
      clusterId,
      nodes,
      timeoutMs: (1 + options.brokers / 2) * READY_TIMEOUT_MS,
      onExit: exit.happened,
    };
    brokers = nodes.map((node) => new OwnedBroker(node, lives));
    await startAll(brokers, nodes, signal);
    return running(brokers, { version, directory, exited: exit.ofAll, release });
  } catch (error) {
    await Promise.all(brokers.map((broker) => broker.kill()));
    await release();
    throw error;
  }
}

async function freeNodes(port: number, count: number): Promise<KafkaNode[]> {
  const taken = new Set([port]);
  const another = async (): Promise<number> => {
    const found = await freePort();
    if (taken.has(found)) return another();
    taken.add(found);
    return found;
  };
  const nodes: KafkaNode[] = [];
  for (let id = 1; id <= count; id++) {
    nodes.push({ id, port: id === 1 ? port : await another(), controllerPort: await another() });
  }
  return nodes;
}

async function startAll(brokers: readonly OwnedBroker[], nodes: readonly KafkaNode[], signal: AbortSignal | undefined): Promise<void> {
  // What one of them fails with is thrown when all have been begun: none may begin after the others were ended.
  const begun = await Promise.allSettled(brokers.map((broker) => broker.start()));
  for (const each of begun) if (each.status === 'rejected') throw each.reason;
  await Promise.all(brokers.map((broker) => broker.ready(nodes, signal)));
}

/** Tells of each broker that ends by itself, and of all. */
class Exits {
  readonly ofAll: Promise<KafkaServerError>;
  readonly happened: (broker: OwnedBroker, reason: KafkaServerError) => void;

  constructor(brokers: number, log: (line: string) => void) {
    const ended = new Set<OwnedBroker>();
    let resolveAll: (reason: KafkaServerError) => void = () => {};
    this.ofAll = new Promise((resolveExit) => (resolveAll = resolveExit));
    this.happened = (broker, reason) => {
      if (brokers > 1) log(`broker ${broker.id}: ${reason.message.replace(/\. The end of [^]*/, '')}`);
      ended.add(broker);
      for (const each of ended) if (each.pid !== undefined) ended.delete(each);
      if (ended.size === brokers) resolveAll(reason);
    };
  }
}

interface Kept {
  readonly version: string;
  readonly directory: string;
  readonly exited: Promise<KafkaServerError>;
  readonly release: () => Promise<void>;
}

function running(brokers: readonly OwnedBroker[], { version, directory, exited, release }: Kept): RunningCluster {
  let closed: Promise<void> | undefined;
  const grace = brokers.length === 1 ? CLOSE_GRACE_MS.single : CLOSE_GRACE_MS.several;
  return {
    bootstrap: brokers.map(({ address }) => address),
    brokers,
    broker: (id) => {
      const found = brokers.find((broker) => broker.id === id);
      if (found === undefined) throw new RangeError(`there is no broker ${id}: they are numbered from 1 to ${brokers.length}`);
      return found;
    },
    version,
    dataDirectory: directory,
    exited,
    close: () => (closed ??= Promise.all(brokers.map((broker) => broker.close(grace))).then(release, release)),
  };
}
