import { type BrokerProcess, brokerExited, brokerReady, startBroker } from './broker-process';
import { nodeFile } from './data-directory';
import type { Distribution } from './distribution';
import { KafkaServerError } from './kafka-server-error';
import { LOOPBACK } from './ports';
import type { KafkaNode } from './server-properties';

/** One broker of a running cluster, through all its lives. */
export interface ClusterBroker {
  readonly id: number;
  /** `host:port`; the same in every life. */
  readonly address: string;
  readonly logFile: string;
  /** The process of its present life; undefined while it has none. */
  readonly pid: number | undefined;
  /** SIGKILL; its data stay. Does nothing when it has no life. */
  kill(): Promise<void>;
  /** SIGSTOP: it holds its connections and answers nothing. */
  stop(): void;
  /** SIGCONT. */
  continue(): void;
  /**
   * A new life with the data of the one before, which is ended by SIGTERM when it is there: a controlled shutdown hands its leaderships
   * over. Returns when the broker answers clients as a member of the cluster.
   *
   * Errors: BROKER_EXITED, BROKER_NOT_READY.
   */
  restart(): Promise<void>;
}

/** What every life of a cluster's brokers needs. */
export interface Lives {
  readonly java: string;
  readonly distribution: Distribution;
  readonly directory: string;
  readonly clusterId: string;
  readonly nodes: readonly KafkaNode[];
  readonly timeoutMs: number;
  /** A broker ended that nobody ended here. */
  readonly onExit: (broker: OwnedBroker, reason: KafkaServerError) => void;
}

const CLOSED = new KafkaServerError('BROKER_EXITED', 'the cluster is closed');

/** The starter's side of a broker. */
export class OwnedBroker implements ClusterBroker {
  readonly id: number;
  readonly address: string;
  readonly logFile: string;
  private life: BrokerProcess | undefined;
  private closed = false;

  constructor(
    private readonly node: KafkaNode,
    private readonly lives: Lives,
  ) {
    this.id = node.id;
    this.address = `${LOOPBACK}:${node.port}`;
    this.logFile = `${lives.directory}/${nodeFile(node, 'log')}`;
  }

  get pid(): number | undefined {
    return this.life?.pid;
  }

  /** Begins a life; it is not ready yet. */
  async start(): Promise<void> {
    const { java, distribution, directory, nodes, onExit } = this.lives;
    const life = await startBroker({ java, distribution, directory, node: this.node, nodes });
    this.life = life;
    void life.exited.then((exit) => {
      if (this.life !== life) return;
      this.life = undefined;
      onExit(this, brokerExited(life, exit));
    });
  }

  /** Returns when the broker answers clients with a cluster of all `nodes`. */
  async ready(nodes: readonly KafkaNode[], signal?: AbortSignal): Promise<void> {
    if (this.life === undefined) throw CLOSED;
    const { clusterId, timeoutMs } = this.lives;
    await brokerReady(this.life, { clusterId, nodes, timeoutMs, signal });
  }

  async kill(): Promise<void> {
    const { life } = this;
    this.life = undefined;
    await life?.kill();
  }

  stop(): void {
    this.life?.signal('SIGSTOP');
  }

  continue(): void {
    this.life?.signal('SIGCONT');
  }

  async restart(): Promise<void> {
    await this.end();
    if (this.closed) throw CLOSED;
    await this.start();
    // Others may be down: what counts is that this one is let into the cluster.
    await this.ready([this.node]);
  }

  /** SIGTERM, and SIGKILL after a while. */
  async end(graceMs?: number): Promise<void> {
    const { life } = this;
    this.life = undefined;
    life?.signal('SIGCONT'); // a stopped process does not hear SIGTERM
    await life?.stop(graceMs);
  }

  /** The last end: there is no life after it. */
  async close(graceMs: number): Promise<void> {
    this.closed = true;
    await this.end(graceMs);
  }
}
