import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type BrokerProcess, brokerExited, brokerReady, startBroker } from './kafka/broker-process';
import { claimDataDirectory, layOutDataDirectory } from './kafka/data-directory';
import { type Distribution, ensureDistribution, fetchedDistribution } from './kafka/distribution';
import { fetchWithMaven } from './kafka/fetch-with-maven';
import { KafkaServerError } from './kafka/kafka-server-error';
import { freePort, LOOPBACK, requireFreePort, requireValidPort } from './kafka/ports';
import { findJava, findMaven, requirePosix } from './kafka/requirements';

export { KafkaServerError, type KafkaServerErrorCode } from './kafka/kafka-server-error';

const HOME = resolve(__dirname, '..', '.kafka');
const JARS = join(HOME, 'jars');
const POM_FILE = join(__dirname, 'kafka', 'pom.xml');
const LOG4J_FILE = join(__dirname, 'kafka', 'log4j2.properties');
const READY_TIMEOUT_MS = 90_000;

export interface StartKafkaOptions {
  /** Default: a free one. */
  readonly port?: number;
  /**
   * Default: `.kafka/data-<port>` of the project; without a port, a folder of its own that `stop` removes. Emptied at the start unless
   * `keep`: so it has to be empty, absent, or from an earlier start.
   */
  readonly dataDirectory?: string;
  /** Go on with the data of an earlier start in the same folder. Default false. */
  readonly keep?: boolean;
  /** Progress, one line at a time. */
  readonly log?: (line: string) => void;
  /** Gives the start up; whatever was started is stopped. */
  readonly signal?: AbortSignal;
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
  const { log = () => {}, keep = false, signal } = options;
  requirePosix();
  if (options.port !== undefined) requireValidPort(options.port);
  const java = await findJava();
  const port = options.port ?? (await freePort());
  const place = await placeOf(options, port);

  const lock = await claimDataDirectory(place.directory);
  let broker: BrokerProcess | undefined;
  const release = async (): Promise<void> => {
    await lock.release();
    if (place.temporary) await rm(place.directory, { recursive: true, force: true });
  };
  try {
    await requireFreePort(port);
    const distribution = await fetchIfNeeded(java, options);
    const node = { id: 1, port, controllerPort: await freePort() };
    const nodes = [node];
    const { bootstrapCheckpoint } = distribution;
    const clusterId = await layOutDataDirectory(place.directory, { nodes, keep, bootstrapCheckpoint, log4jFile: LOG4J_FILE });
    log(`starting Apache Kafka ${distribution.version} on ${LOOPBACK}:${port}`);
    signal?.throwIfAborted();
    broker = await startBroker(java, distribution, place.directory, node);
    await brokerReady(broker, { clusterId, nodes, timeoutMs: READY_TIMEOUT_MS, signal });
    return running(broker, distribution.version, place.directory, release);
  } catch (error) {
    await broker?.kill();
    await release();
    throw error;
  }
}

function running(broker: BrokerProcess, version: string, dataDirectory: string, release: () => Promise<void>): RunningKafka {
  let ended: Promise<void> | undefined;
  const exited = new Promise<KafkaServerError>((resolveExit) => {
    void broker.exited.then((exit) => {
      if (ended === undefined) resolveExit(brokerExited(broker, exit));
    });
  });
  const end = (how: () => Promise<void>): Promise<void> => (ended ??= how());
  return {
    brokers: [`${LOOPBACK}:${broker.node.port}`],
    pid: broker.pid,
    version,
    dataDirectory,
    logFile: broker.logFile,
    exited,
    stop: () => end(() => broker.stop().finally(release)),
    kill: () => end(() => broker.kill().finally(release)),
  };
}

const TEMPORARY = /^temporary-(\d+)-/;

/** Where the cluster lives. Only a caller that names neither port nor folder gets a folder that goes with the broker. */
async function placeOf({ port, dataDirectory }: StartKafkaOptions, chosenPort: number): Promise<{ directory: string; temporary: boolean }> {
  if (dataDirectory !== undefined) return { directory: resolve(dataDirectory), temporary: false };
  if (port !== undefined) return { directory: join(HOME, `data-${port}`), temporary: false };
  await removeAbandoned();
  const directory = join(HOME, `temporary-${process.pid}-${chosenPort}`);
  return { directory, temporary: true };
}

async function removeAbandoned(): Promise<void> {
  await mkdir(HOME, { recursive: true });
  for (const name of await readdir(HOME)) {
    const owner = TEMPORARY.exec(name)?.[1];
    if (owner === undefined || owner === String(process.pid)) continue;
    try {
      process.kill(Number(owner), 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') await rm(join(HOME, name), { recursive: true, force: true });
    }
  }
}
