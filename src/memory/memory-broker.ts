import { MillraceError } from '../errors/millrace-error';
import type { Broker, KafkaPort, NodeId, TopicPartition } from '../kafka/port';
import type { Clock } from '../time/clock';
import { AdminRequests } from './admin-requests';
import { brokerCode } from './broker-code';
import type { Call } from './call';
import { ClosingClock } from './closing-clock';
import { Faults } from './faults';
import { Fetches } from './fetches';
import { GroupCoordinator } from './groups';
import { type GroupView, Inspection, type PartitionView, type TransactionView } from './inspection';
import { LogRequests } from './log-requests';
import type { Marker } from './marker';
import { takeSteps } from './markers';
import { MemoryPort } from './memory-port';
import { Failover } from './failover';
import { type CoordinatorType, Nodes } from './nodes';
import type { Partition } from './partition';
import { Requests } from './requests';
import { StoredGroups } from './stored-group';
import { Topics } from './topics';
import { type Transaction, TransactionCoordinator } from './transactions';

export interface MemoryBrokerOptions {
  readonly clock: Clock;
  /** How many nodes share the partitions and groups. Default 1. */
  readonly brokers?: number;
  /** ms before each marker of a decided transaction. Default 0: one to four turns of the clock, drawn by chance. */
  readonly markerDelayMs?: number;
  /** group.initial.rebalance.delay.ms. Default 0. */
  readonly initialRebalanceDelayMs?: number;
  /** A fetch may end within a batch, as on a real broker, which sends pieces of files. Default false: whole batches only. */
  readonly cutsBatches?: boolean;
  /** ms until a request counts as unanswered. Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** ms a request takes to the broker, and its answer back; asked for each. Default 0: a turn of the clock. */
  readonly latencyMs?: (call: Call) => number;
  /** ms until a node has heard of another leader, at most: until then its metadata names the one before. Default 0. */
  readonly metadataLagMs?: number;
}

/** A Kafka cluster in this process: log, transactions and groups answer as Apache Kafka 4 does. What it holds is gone with it. */
export interface MemoryBroker extends Broker {
  /** What is to go wrong, request by request. */
  readonly faults: Faults;
  /** Creates a topic at once. @throws BROKER_ERROR when the broker refuses it */
  createTopic(topic: string, partitions: number, configs?: Readonly<Record<string, string>>): void;
  /** Gives a topic more partitions at once, so many in all. @throws UNKNOWN_TOPIC */
  growTopic(topic: string, partitions: number): void;
  /** Deletes a topic at once, and the groups' offsets in it; one created anew under its name has another id. @throws UNKNOWN_TOPIC */
  deleteTopic(topic: string): void;
  topics(): readonly string[];
  /** A look into a partition: copies of its batches, its offsets, the transactions open in it. Undefined: there is none. */
  partition(name: TopicPartition): PartitionView | undefined;
  group(groupId: string): GroupView | undefined;
  /** What the transaction coordinator knows of each transactional id. */
  transactions(): readonly TransactionView[];
  /** Begins a segment with the last batch of each partition, as if it had come after `segment.ms`. @throws UNKNOWN_TOPIC */
  roll(topic: string): void;
  /**
   * One pass of the log cleaner over each partition of a topic whose `cleanup.policy` has `compact`; without a name over those of all. As on a
   * broker it leaves alone the active segment (`roll` ends it), what is newer than `min.compaction.lag.ms`, and everything from the segment
   * of the last stable offset on; and a log without anything new is not cleaned again: tombstones go in a later pass, once something was
   * written after them and `delete.retention.ms` are over. `min.cleanable.dirty.ratio` does not count: whoever calls this decides.
   *
   * @returns how many records were removed
   * @throws UNKNOWN_TOPIC
   * @example
   * broker.roll('profiles');
   * broker.compact('profiles');
   */
  compact(topic?: string): number;
  /**
   * Removes the oldest segments of a topic whose `cleanup.policy` has `delete`, as far as all their records are older than `retention.ms` by
   * their own timestamps, or `retention.bytes` are exceeded; without a name those of all topics.
   *
   * @returns by how many offsets log starts have moved
   * @throws UNKNOWN_TOPIC
   */
  passRetention(topic?: string): number;
  /** Forgets the group's committed offsets, as the broker does when a group was empty for too long. */
  expireOffsets(groupId: string): void;
  /** Another node leads the partition, in the next epoch; the one before answers 6. @throws UNKNOWN_TOPIC */
  moveLeader(partition: TopicPartition, to: NodeId): void;
  /**
   * Another node coordinates the group or the transactional id, and answers 14 for `loadMs`; the one before answers 16. A rebalance that
   * was under way is forgotten: of a group the log has the last generation whose assignment was taken.
   */
  moveCoordinator(type: CoordinatorType, key: string, to: NodeId, loadMs?: number): void;
  /**
   * The process of a node dies: connections break, nobody answers there. After `electionMs` others lead and coordinate what it did;
   * undefined: nobody does until it is back.
   */
  stopNode(node: NodeId, electionMs?: number): void;
  /** It is back, and takes what nobody leads or coordinates. */
  startNode(node: NodeId): void;
  /** Ends all connections and timers. */
  close(): void;
}

class InProcessBroker implements MemoryBroker {
  readonly faults = new Faults();
  readonly #clock: ClosingClock;
  readonly #nodes: Nodes;
  readonly #failover: Failover;
  readonly #topics: Topics;
  readonly #groups: GroupCoordinator;
  readonly #admin: AdminRequests;
  readonly #inspection: Inspection;
  readonly #requests: Requests;
  readonly #ports = new Set<MemoryPort>();

  constructor(private readonly options: MemoryBrokerOptions) {
    const clock = new ClosingClock(options.clock);
    const nodes = new Nodes(clock, { count: options.brokers ?? 1, metadataLagMs: options.metadataLagMs ?? 0 });
    const topics = new Topics(clock, nodes, options.cutsBatches ?? false);
    const groups = new GroupCoordinator(clock, { initialDelayMs: options.initialRebalanceDelayMs ?? 0 });
    const transactions = new TransactionCoordinator(clock, (transaction, marker, done) => this.#complete(transaction, marker, done));
    this.#clock = clock;
    this.#nodes = nodes;
    this.#topics = topics;
    this.#groups = groups;
    this.#admin = new AdminRequests('memory', nodes, topics, groups);
    this.#inspection = new Inspection(topics, groups, transactions);
    const stored = new StoredGroups(clock, groups);
    this.#failover = new Failover({ clock, nodes, topics, stored });
    this.#requests = new Requests({
      topics,
      groups,
      transactions,
      admin: this.#admin,
      log: new LogRequests(clock, topics, transactions),
      fetches: new Fetches(clock, topics),
      nodes,
      stored,
    });
  }

  connect(clientId: string): KafkaPort {
    const port = new MemoryPort({
      clientId,
      clock: this.#clock,
      nodes: this.#nodes,
      faults: this.faults,
      requestTimeoutMs: this.options.requestTimeoutMs ?? 30_000,
      latencyMs: this.options.latencyMs ?? (() => 0),
      execute: (call, answer) => {
        if (this.#nodes.isUp(call.node)) this.#requests.execute(call, answer);
      },
    });
    this.#ports.add(port);
    return port;
  }

  createTopic(topic: string, partitions: number, configs: Readonly<Record<string, string>> = {}): void {
    const { errorCode, errorMessage } = this.#topics.create({ topic, partitions, replicationFactor: -1, configs });
    if (errorCode === brokerCode.NONE) return;
    throw new MillraceError('BROKER_ERROR', `topic ${topic} was not created: ${errorMessage ?? ''} (${errorCode})`, { where: { topic } });
  }

  growTopic(topic: string, partitions: number): void {
    this.#partitionsOf(topic);
    this.#topics.grow(topic, partitions);
  }

  deleteTopic(topic: string): void {
    this.#partitionsOf(topic);
    this.#admin.deleteTopics([topic]);
  }

  topics(): readonly string[] {
    return this.#topics.names();
  }

  partition(name: TopicPartition): PartitionView | undefined {
    return this.#inspection.partition(name);
  }

  group(groupId: string): GroupView | undefined {
    return this.#inspection.group(groupId);
  }

  transactions(): readonly TransactionView[] {
    return this.#inspection.transactions();
  }

  roll(topic: string): void {
    for (const partition of this.#partitionsOf(topic)) partition.log.roll();
  }

  compact(topic?: string): number {
    const now = this.#clock.now();
    return this.#partitionsOf(topic).reduce((removed, partition) => removed + partition.compact(now), 0);
  }

  passRetention(topic?: string): number {
    const now = this.#clock.now();
    return this.#partitionsOf(topic).reduce((moved, partition) => moved + partition.passRetention(now), 0);
  }

  expireOffsets(groupId: string): void {
    this.#groups.get(groupId)?.offsets.expire();
  }

  moveLeader(partition: TopicPartition, to: NodeId): void {
    this.#partitionsOf(partition.topic);
    this.#failover.moveLeader(partition, to);
  }

  moveCoordinator(type: CoordinatorType, key: string, to: NodeId, loadMs = 0): void {
    this.#failover.moveCoordinator(type, key, to, loadMs);
  }

  stopNode(node: NodeId, electionMs?: number): void {
    this.#failover.stop(node, electionMs);
    for (const port of this.#ports) port.nodeStopped(node);
  }

  startNode(node: NodeId): void {
    this.#failover.start(node);
  }

  close(): void {
    for (const port of this.#ports) void port.close();
    this.#clock.close();
  }

  #partitionsOf(name?: string): readonly Partition[] {
    const names = name === undefined ? this.#topics.names() : [name];
    return names.flatMap((each) => {
      const topic = this.#topics.get(each);
      if (topic === undefined) throw new MillraceError('UNKNOWN_TOPIC', `there is no topic ${each}`, { where: { topic: each } });
      return topic.partitions;
    });
  }

  /** Markers to all partitions, offsets to all groups, each at its own time. */
  #complete(transaction: Readonly<Transaction>, marker: Marker, done: () => void): void {
    const decided = (): boolean => this.#nodes.isServed('transaction', transaction.transactionalId);
    const steps = [
      ...Array.from(transaction.partitions.values(), (name) => () => {
        const partition = this.#topics.partition(name);
        if (partition === undefined) return true;
        if (!decided() || !this.#nodes.isUp(partition.leader)) return false;
        partition.mark(marker, this.#clock.now());
        return true;
      }),
      ...Array.from(transaction.groups, (groupId) => () => {
        if (!decided() || !this.#nodes.isServed('group', groupId)) return false;
        this.#groups.mark(groupId, marker);
        return true;
      }),
    ];
    takeSteps(this.#clock, this.options.markerDelayMs ?? 0, steps, done);
  }
}

/**
 * A broker in this process.
 *
 * @example
 * const broker = memoryBroker({ clock: systemClock });
 * broker.createTopic('page-views', 4);
 * const port = broker.connect('reader-1');
 */
export function memoryBroker(options: MemoryBrokerOptions): MemoryBroker {
  return new InProcessBroker(options);
}
