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

/** The flags of Kafka's own kafka-run-class.sh, with a smaller heap. */
const JVM_FLAGS = [
  ...['-Xms256m', '-Xmx1g', '-Xshare:auto', '-server', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20', '-XX:InitiatingHeapOccupancyPercent=35'],
  ...['-XX:+ExplicitGCInvokesConcurrent', '-Djava.awt.headless=true', '-Dlog4j2.configurationFile=log4j2.properties'],
];
const STOP_GRACE_MS = 20_000;
const REQUEST_TIMEOUT_MS = 2_000;
const STARTED = /\[KafkaRaftServer nodeId=\d+\] Kafka Server started/;

export interface BrokerProcess {
  readonly node: KafkaNode;
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<ProcessExit>;
  /** SIGTERM, which lets the broker write what it has; SIGKILL when that takes longer than 20 s. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/** Starts the node that was laid out in `directory`. It ends with this process. */
export async function startBroker(java: string, distribution: Distribution, directory: string, node: KafkaNode): Promise<BrokerProcess> {
  const logFile = join(directory, nodeFile(node, 'log'));
  const pidFile = join(directory, nodeFile(node, 'pid'));
  const command = [java, ...JVM_FLAGS, '-cp', distribution.classPath, 'kafka.Kafka', nodeFile(node, 'properties')];
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
    exited: program.exited,
    stop: () => end(STOP_GRACE_MS),
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
        return seesAll(view, clusterId, nodes) && STARTED.test(lastLines(broker.logFile, 2_000)) ? true : undefined;
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
