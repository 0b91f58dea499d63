import { MillraceError } from './errors/millrace-error';
import type { Duration } from './model/duration';
import { silentLogger, type Logger } from './model/logger';
import type { Metrics } from './model/metrics';
import type { Policy } from './model/policy';
import type { Cluster } from './model/cluster';
import type { WorkerFailurePolicy } from './model/worker-failure';

/** Every option of `millrace()`. Times are ms. */
export interface MillraceConfig {
  /** Consumer group, prefix of internal topics and of transactional ids. Letters, digits, `.`, `_`, `-`. */
  readonly applicationId: string;
  /** `host:port` of some brokers; or `cluster`. */
  readonly brokers?: readonly string[];
  /** What `memoryCluster()` or `kafkaCluster()` gave. */
  readonly cluster?: Cluster;
  /** Folder for local state; default `.millrace` in the working directory. Without it on a memory cluster: nothing on disk. */
  readonly stateDirectory?: string;
  /**
   * Names this instance: a slot of its own, and static membership of the group (KIP-345). A restart within `sessionTimeout` then moves no
   * task, so `close()` does not leave unless told so (`leaveGroup`): without a restart the others get its tasks when its session ends. A
   * second process with the same id takes the place of the first, which ends with INSTANCE_DUPLICATE. Default: the first free slot, and
   * `close()` leaves the group.
   */
  readonly instanceId?: string;
  /** ms between commits, 10 … 60,000; default 100. */
  readonly commitInterval?: Duration;
  /** Only 'exactly-once' at present. */
  readonly guarantee?: 'exactly-once';
  /** What may lose or double data is refused instead of warned about. Default false. */
  readonly strict?: boolean;
  /** What to do when a function of the topology throws. Default 'fail'. */
  readonly onProcessingError?: Policy;
  /** ms without heartbeat after which the group gives a member's tasks away, > 12,000 on Kafka (a broker's death stalls for about 11 s); default 30,000. */
  readonly sessionTimeout?: Duration;
  /**
   * ms that a task waits for an input that is empty while another, which meets it in an operator, has a record: the two are pushed in order
   * of time. 0: only while the empty one's lag is not known or greater than 0. Greater: also as long when it is read to its end. -1: never
   * waits. Default 0 (Kafka Streams' `max.task.idle.ms`, KIP-695).
   */
  readonly maxTaskIdle?: Duration;
  /** ms between heartbeats, at most a third of `sessionTimeout`; default 2,000. */
  readonly heartbeatInterval?: Duration;
  /** ms a broker may take to answer, ≥ 20,000; default 30,000. */
  readonly requestTimeout?: Duration;
  /** ms after which the broker aborts a transaction, ≥ request timeout + 5,000; default 45,000. */
  readonly transactionTimeout?: Duration;
  /** ms after which unreachable brokers are an error; default 60,000. */
  readonly connectTimeout?: Duration;
  /**
   * Copies of each task's state that other instances keep ready, whole number 0 … 10; default 0 (`num.standby.replicas`). Of a task whose
   * instance has died one that has a copy takes over, having little to restore. A topology without stores has none.
   */
  readonly standbyReplicas?: number;
  /**
   * Changelog records that an instance may be behind when it is given a task whose state another has; default 10,000
   * (`acceptable.recovery.lag`). One that is further behind follows first, while the task goes on where it is (KIP-441).
   */
  readonly acceptableLag?: number;
  /** Tasks of the whole group that are copied at once only in order to move, 1 … 1,000; default 2 (`max.warmup.replicas`). */
  readonly maxWarmups?: number;
  /**
   * ms after which a member with a task that is being copied in order to move asks for another assignment, even if the copy is not within
   * `acceptableLag` by then, 60,000 … 86,400,000; default 600,000 (`probing.rebalance.interval.ms`).
   */
  readonly probingInterval?: Duration;
  /**
   * Threads of this process that work, each a member of the group with connections, a producer and global tables of its own; whole number
   * 1 … 64, default 1 (`num.stream.threads`). With more than one `run` takes a `topologyModule(...)`, and functions come from that module.
   */
  readonly threads?: number;
  /**
   * With `threads` > 1: what to do when one of them has died. Default 'stop-instance'
   * (`SHUTDOWN_CLIENT` of KIP-671's `StreamsUncaughtExceptionHandler`).
   */
  readonly onWorkerFailure?: WorkerFailurePolicy;
  /** Bytes of state a task keeps in memory beside what is not on disk yet; default 64 MiB. */
  readonly cacheBytes?: number;
  /** Compression of what is written; default 'none'. */
  readonly compression?: 'none' | 'gzip' | 'lz4';
  /** -1: the broker's default. For topics the application creates. */
  readonly replicationFactor?: number;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
}

/** A configuration with every option decided. */
export interface CheckedConfig extends Required<Omit<MillraceConfig, 'brokers' | 'cluster' | 'stateDirectory' | 'instanceId'>> {
  readonly brokers: readonly string[] | undefined;
  readonly cluster: Cluster | undefined;
  readonly stateDirectory: string | undefined;
  readonly instanceId: string | undefined;
}

/** Counts nothing: the default. */
export const silentMetrics: Metrics = { add: () => undefined };

const defaults = {
  commitInterval: 100,
  guarantee: 'exactly-once',
  strict: false,
  onProcessingError: 'fail',
  maxTaskIdle: 0,
  sessionTimeout: 30_000,
  heartbeatInterval: 2_000,
  requestTimeout: 30_000,
  transactionTimeout: 45_000,
  connectTimeout: 60_000,
  standbyReplicas: 0,
  acceptableLag: 10_000,
  maxWarmups: 2,
  probingInterval: 600_000,
  threads: 1,
  onWorkerFailure: 'stop-instance',
  cacheBytes: 64 * 1024 * 1024,
  compression: 'none',
  replicationFactor: -1,
  logger: silentLogger,
  metrics: silentMetrics,
} as const;

/** An option given as undefined has its default, as one that is left out. */
function withoutUndefined<T extends object>(given: T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as T;
}

/** @throws CONFIG listing every mistake at once. */
export function checkConfig(config: MillraceConfig): CheckedConfig {
  const { brokers, cluster, stateDirectory, instanceId, ...given } = config;
  const checked: CheckedConfig = { brokers, cluster, stateDirectory, instanceId, ...defaults, ...withoutUndefined(given) };
  const mistakes = [
    ...identityMistakes(checked),
    ...timeMistakes(checked),
    ...standbyMistakes(checked),
    ...threadMistakes(checked),
    ...otherMistakes(checked),
  ];
  if (mistakes.length > 0) throw new MillraceError('CONFIG', mistakes.join('; '));
  return checked;
}

function identityMistakes(config: CheckedConfig): string[] {
  const mistakes: string[] = [];
  const legal = /^[A-Za-z0-9._-]{1,150}$/;
  if (!legal.test(config.applicationId))
    mistakes.push(`applicationId "${config.applicationId}" must be 1 … 150 letters, digits, ".", "_" or "-"`);
  if (config.instanceId !== undefined && !legal.test(config.instanceId)) {
    mistakes.push(`instanceId "${config.instanceId}" must be 1 … 150 letters, digits, ".", "_" or "-"`);
  }
  if (config.brokers === undefined && config.cluster === undefined) {
    mistakes.push('neither brokers nor cluster is given: name brokers (["localhost:9092"]) or pass cluster: memoryCluster()');
  }
  if (config.brokers !== undefined && config.cluster !== undefined) mistakes.push('brokers and cluster are both given: pass one');
  if (config.brokers !== undefined) {
    if (config.brokers.length === 0) mistakes.push('brokers is empty');
    for (const broker of config.brokers) if (!/^\S+:\d{1,5}$/.test(broker)) mistakes.push(`broker "${broker}" is not host:port`);
  }
  return mistakes;
}

function timeMistakes(config: CheckedConfig): string[] {
  const mistakes: string[] = [];
  const within = (
    option:
      | 'commitInterval'
      | 'sessionTimeout'
      | 'heartbeatInterval'
      | 'requestTimeout'
      | 'transactionTimeout'
      | 'connectTimeout'
      | 'probingInterval',
    least: number,
    most: number,
  ): void => {
    const value = config[option];
    if (!Number.isFinite(value) || value < least || value > most)
      mistakes.push(`${option} is ${String(value)}; it must be ${String(least)} … ${String(most)} ms`);
  };
  within('commitInterval', 10, 60_000);
  within('sessionTimeout', 1_000, 1_800_000);
  within('heartbeatInterval', 100, config.sessionTimeout / 3);
  within('requestTimeout', 20_000, 600_000);
  within('transactionTimeout', config.requestTimeout + 5_000, 900_000);
  within('connectTimeout', 1_000, 3_600_000);
  within('probingInterval', 60_000, 86_400_000);
  return mistakes;
}

function standbyMistakes(config: CheckedConfig): string[] {
  const mistakes: string[] = [];
  const whole = (option: 'standbyReplicas' | 'acceptableLag' | 'maxWarmups', least: number, most: number): void => {
    const value = config[option];
    if (!Number.isInteger(value) || value < least || value > most)
      mistakes.push(`${option} is ${String(value)}; it must be a whole number in ${String(least)} … ${String(most)}`);
  };
  whole('standbyReplicas', 0, 10);
  whole('acceptableLag', 0, Number.MAX_SAFE_INTEGER);
  whole('maxWarmups', 1, 1_000);
  return mistakes;
}

function threadMistakes(config: CheckedConfig): string[] {
  const mistakes: string[] = [];
  const { threads, onProcessingError } = config;
  const onWorkerFailure: unknown = config.onWorkerFailure;
  if (!Number.isInteger(threads) || threads < 1 || threads > 64)
    mistakes.push(`threads is ${String(threads)}; it must be a whole number in 1 … 64`);
  const verdicts: readonly unknown[] = ['replace', 'stop-instance', 'stop-application'];
  if (typeof onWorkerFailure !== 'function' && !verdicts.includes(onWorkerFailure))
    mistakes.push(`onWorkerFailure is ${String(onWorkerFailure)}; it must be ${verdicts.join(', ')}, or a function giving one of them`);
  if (threads > 1 && typeof onProcessingError === 'function')
    mistakes.push(
      'onProcessingError is a function, which cannot be handed to a thread: export it from the topology module, ' +
        '`export const options = { onProcessingError }`, or use threads: 1',
    );
  return mistakes;
}

function otherMistakes(config: CheckedConfig): string[] {
  const mistakes: string[] = [];
  const { maxTaskIdle } = config;
  if (!Number.isInteger(maxTaskIdle) || maxTaskIdle < -1 || maxTaskIdle > 3_600_000)
    mistakes.push(`maxTaskIdle is ${String(maxTaskIdle)}; it must be a whole number of ms in 0 … 3600000, or -1 (never waits)`);
  if (!Number.isInteger(config.cacheBytes) || config.cacheBytes < 0)
    mistakes.push(`cacheBytes is ${String(config.cacheBytes)}; it must be a whole number of bytes ≥ 0`);
  if (!['none', 'gzip', 'lz4'].includes(config.compression))
    mistakes.push(`compression "${config.compression}" is not one of none, gzip, lz4`);
  if (!['exactly-once'].includes(config.guarantee)) mistakes.push(`guarantee "${config.guarantee}" is not built yet: only exactly-once`);
  const policy = config.onProcessingError;
  if (typeof policy === 'object')
    mistakes.push('onProcessingError: dead letters are not built yet; use "fail", "skip" or a function giving one of them');
  return mistakes;
}
