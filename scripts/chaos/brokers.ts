import { type Admin, Kafka, logLevel } from 'kafkajs';
import { setTimeout as pause } from 'node:timers/promises';
import type { RunningCluster } from '../kafka-server';
import { ClusterView } from '../../src/kafka/cluster-view';
import { OffsetReader } from '../../src/kafka/offsets';
import { kafkaBroker } from '../../src/kafkajs/kafka-broker';
import type { KafkaPort } from '../../src/kafka/port';
import { silentLogger } from '../../src/model/logger';
import { systemClock } from '../../src/time/system-clock';

const CREATED_WITHIN_MS = 60_000;

export interface NewTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly configs?: Readonly<Record<string, string>>;
}

/** The run's own view of the cluster, past all proxies. */
export class Brokers {
  readonly offsets: OffsetReader;
  readonly #port: KafkaPort;
  readonly #kafka: Kafka;
  #admin: Admin | undefined;

  constructor(readonly cluster: RunningCluster) {
    const clock = systemClock;
    this.#port = kafkaBroker({ brokers: cluster.bootstrap, clock, logger: silentLogger }).connect('chaos');
    const view = new ClusterView({ port: this.#port, clock, logger: silentLogger, giveUpAfterMs: 60_000 });
    this.offsets = new OffsetReader({ port: this.#port, view, clock });
    const retry = { retries: 2, initialRetryTime: 100, maxRetryTime: 500 };
    const options = { clientId: 'chaos', logLevel: logLevel.NOTHING, requestTimeout: 5_000, connectionTimeout: 2_000, retry };
    this.#kafka = new Kafka({ ...options, brokers: [...cluster.bootstrap] });
  }

  /** Returns when they have all their replicas; kafkajs' own waiting fails when it asks a broker that has not heard of them yet. */
  async createTopics(topics: readonly NewTopic[]): Promise<void> {
    const admin = await this.#connected();
    await admin.createTopics({
      waitForLeaders: false,
      topics: topics.map(({ topic, partitions, configs = {} }) => ({
        topic,
        numPartitions: partitions,
        configEntries: Object.entries(configs).map(([name, value]) => ({ name, value })),
      })),
    });
    if (!(await this.whole(CREATED_WITHIN_MS, topics))) throw new Error(`the topics are not there after ${CREATED_WITHIN_MS} ms`);
  }

  /** The broker that coordinates a group or a transactional id now; undefined: nobody can say. */
  async coordinatorOf(type: 'group' | 'transaction', key: string): Promise<number | undefined> {
    try {
      const { errorCode, nodeId } = await this.#port.findCoordinator({ key, type });
      return errorCode === 0 ? nodeId : undefined;
    } catch {
      return undefined;
    }
  }

  /** Every partition of every topic, those named among them, has all its replicas in sync. False: not within that time. */
  async whole(withinMs: number, named: readonly { readonly topic: string }[] = []): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    while (performance.now() < deadline) {
      if (await this.#isWhole(named)) return true;
      await pause(250);
    }
    return false;
  }

  async close(): Promise<void> {
    await this.#forgetAdmin();
    await this.#port.close();
  }

  async #isWhole(named: readonly { readonly topic: string }[]): Promise<boolean> {
    try {
      const { topics } = await (await this.#connected()).fetchTopicMetadata();
      const known = new Set(topics.map(({ name }) => name));
      if (!named.every(({ topic }) => known.has(topic))) return false;
      return topics.every(({ partitions }) => partitions.every(({ isr, replicas }) => isr.length === replicas.length));
    } catch {
      // kafkajs may hold on to what is gone.
      await this.#forgetAdmin();
      return false;
    }
  }

  async #connected(): Promise<Admin> {
    if (this.#admin === undefined) {
      const admin = this.#kafka.admin();
      await admin.connect();
      this.#admin = admin;
    }
    return this.#admin;
  }

  async #forgetAdmin(): Promise<void> {
    const admin = this.#admin;
    this.#admin = undefined;
    await admin?.disconnect().catch(() => undefined);
  }
}
