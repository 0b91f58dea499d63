import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nodeFile } from './data-directory';
import type { Distribution } from './distribution';
import { lastLines, type ProcessExit, spawnGuarded } from './guarded-process';
import { KafkaServerError } from './kafka-server-error';
import { askForMetadata, type ClusterView } from './metadata-request';
import { LOOPBACK } from './ports';
import type { KafkaNode } from './server-properties';
import { waitUntil, within } from './wait-until';

const COMMON_FLAGS = ['-Xshare:auto', '-server', '-Djava.awt.headless=true', '-Dlog4j2.configurationFile=log4j2.properties'];
/** The flags of Kafka's own kafka-run-class.sh, with a smaller heap. */
const SINGLE_FLAGS = [
  ...['-Xms256m', '-Xmx1g', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-XX:InitiatingHeapOccupancyPercent=35'],
  ...['-XX:+ExplicitGCInvokesConcurrent', ...COMMON_FLAGS],
];
/** Several share one machine with the programs that they serve: little memory, few threads. */
const SHARING_FLAGS = ['-Xms96m', '-Xmx350m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...COMMON_FLAGS];
const STOP_GRACE_MS = 20_000;
const REQUEST_TIMEOUT_MS = 2_000;
const STARTED = /\[KafkaRaftServer nodeId=\d+\] Kafka Server started/;

export interface BrokerProcess {
  readonly node: KafkaNode;
  readonly pid: number;
  readonly logFile: string;
  /** Where in the log file this life begins: lives are written one after the other. */
  readonly logStart: number;
  readonly exited: Promise<ProcessExit>;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, which lets the broker write what it has; SIGKILL when that takes longer than `graceMs`, by default 20 s. */
  stop(graceMs?: number): Promise<void>;
  kill(): Promise<void>;
}

export interface StartBrokerOptions {
  readonly java: string;
  readonly distribution: Distribution;
  readonly directory: string;
  readonly node: KafkaNode;
  readonly nodes: readonly KafkaNode[];
}

/** Starts the node that was laid out in `directory`. It ends with this process. */
export async function startBroker({ java, distribution, directory, node, nodes }: StartBrokerOptions): Promise<BrokerProcess> {
  const logFile = join(directory, nodeFile(node, 'log'));
  const pidFile = join(directory, nodeFile(node, 'pid'));
  const logStart = existsSync(logFile) ? statSync(logFile).size : 0;
  const flags = nodes.length === 1 ? SINGLE_FLAGS : SHARING_FLAGS;
  const command = [java, ...flags, '-cp', distribution.classPath, 'kafka.Kafka', nodeFile(node, 'properties')];
  const program = await spawnGuarded(command, { cwd: directory, logFile });
  const end = async (graceMs: number): Promise<void> => {
    await program.stop(graceMs);
    await rm(pidFile, { force: true });
  };
  try {
    await writeFile(pidFile, `${program.pid}\n`);
  } catch (error) {
    await end(0);
    throw error;
  }
  return {
    node,
    pid: program.pid,
    logFile,
    logStart,
    exited: program.exited,
    signal: (name) => {
      program.signal(name);
    },
    stop: (graceMs = STOP_GRACE_MS) => end(graceMs),
    kill: async () => {
      program.signal('SIGKILL');
      await end(STOP_GRACE_MS);
    },
  };
}

function describeExit({ code, signal }: ProcessExit): string {
  return signal === null ? `exit code ${String(code)}` : signal;
}

/** What to say about a broker that ended by itself. */
export function brokerExited(broker: BrokerProcess, exit: ProcessExit): KafkaServerError {
  return new KafkaServerError(
    'BROKER_EXITED',
    `the broker (process ${broker.pid}) ended: ${describeExit(exit)}. The end of ${broker.logFile}:\n${lastLines(broker.logFile, 25)}`,
  );
}

/** Whether this life of the broker, not one before it, says that it has started. */
function saysStarted({ logFile, logStart }: BrokerProcess): boolean {
  const file = openSync(logFile, 'r');
  try {
    const written = Buffer.alloc(Math.max(0, statSync(logFile).size - logStart));
    readSync(file, written, 0, written.length, logStart);
    return STARTED.test(written.toString('utf8'));
  } finally {
    closeSync(file);
  }
}

function seesAll(view: ClusterView, clusterId: string, nodes: readonly KafkaNode[]): boolean {
  // The cluster's id tells our broker from another one that took the port.
  return view.clusterId === clusterId && nodes.every(({ port }) => view.brokers.some((broker) => broker.port === port));
}

export interface ReadinessOptions {
  readonly clusterId: string;
  readonly nodes: readonly KafkaNode[];
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Returns when the broker answers a client with the whole cluster, and its log says that it has started.
 *
 * Errors: BROKER_EXITED, BROKER_NOT_READY, each with the end of the broker's log.
 */
export async function brokerReady(broker: BrokerProcess, { clusterId, nodes, timeoutMs, signal }: ReadinessOptions): Promise<void> {
  const address = { host: LOOPBACK, port: broker.node.port };
  let answer = 'no answer yet';
  const ready = await waitUntil(
    async () => {
      const exit = await within(broker.exited, 0);
      if (exit !== undefined) throw brokerExited(broker, exit);
      try {
        const view = await askForMetadata(address, REQUEST_TIMEOUT_MS);
        answer = `cluster ${view.clusterId ?? 'without id'} with brokers at ports ${view.brokers.map(({ port }) => port).join(', ') || '(none)'}`;
        return seesAll(view, clusterId, nodes) && saysStarted(broker) ? true : undefined;
      } catch (error) {
        answer = error instanceof Error ? error.message : String(error);
        return undefined;
      }
    },
    { timeoutMs, everyMs: 25, signal },
  );
  if (ready !== undefined) return;
  throw new KafkaServerError(
    'BROKER_NOT_READY',
    `the broker on port ${address.port} is not ready after ${timeoutMs / 1000} s (${answer}). The end of ${broker.logFile}:\n${lastLines(broker.logFile, 25)}`,
  );
}
