import type { ConnectionOptions as TlsOptions } from 'node:tls';
import type {
  AddOffsetsToTxnRequest,
  AddPartitionsToTxnRequest,
  CodeAnswer,
  DeleteRecordsRequest,
  DescribeConfigsAnswer,
  DescribeTransactionsAnswer,
  EndTxnRequest,
  FetchAnswer,
  FetchLane,
  FetchRequest,
  FindCoordinatorAnswer,
  FindCoordinatorRequest,
  GroupDescription,
  InitProducerIdAnswer,
  InitProducerIdRequest,
  JoinGroupAnswer,
  JoinGroupRequest,
  KafkaPort,
  LeaveGroupRequest,
  ListOffsetsAnswer,
  ListOffsetsRequest,
  MemberIdentity,
  MetadataAnswer,
  NewTopic,
  NodeId,
  OffsetCommitRequest,
  OffsetFetchAnswer,
  OffsetFetchRequest,
  PartitionCodes,
  ProduceAnswer,
  ProduceRequest,
  SyncGroupAnswer,
  SyncGroupRequest,
  TopicCodes,
  TxnOffsetCommitRequest,
} from '../kafka/port';
import type { Logger } from '../model/logger';
import type { Clock } from '../time/clock';
import type { Address } from './address';
import type { NodeOptions } from './broker-node';
import { Directory } from './directory';
import { wireRequest, type Exchange } from './exchange';
import { Lane } from './lane';
import * as cluster from './requests/cluster';
import * as groups from './requests/groups';
import * as log from './requests/log';
import * as topics from './requests/topics';
import * as transactions from './requests/transactions';
import { createSocketFactory, silentWireLogger, type Sasl, type Ssl, type WireRequest } from './wire';

export interface KafkaJsPortOptions {
  readonly seeds: readonly Address[];
  readonly clientId: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly requestTimeoutMs: number;
  readonly connectionTimeoutMs: number;
  readonly ssl: Ssl | undefined;
  readonly sasl: Sasl | undefined;
}

/** What the broker may need beyond the time it was told to wait at most. */
const ANSWER_MARGIN_MS = 5_000;

const tlsOptions = (ssl: Ssl | undefined): TlsOptions | undefined => (ssl === true ? {} : ssl === false ? undefined : ssl);

/**
 * The port on one instance's own connections. A broker answers one request per connection at a time, so what it may hold back is kept
 * apart, in *lanes* of one connection each per broker:
 *
 * - `prompt`: all it answers at once (metadata, coordinators, offsets, heartbeats, configs)
 * - `join`: JoinGroup and SyncGroup, which wait for the other members
 * - `admin`: what waits for replicas (topics made and deleted, records deleted)
 * - `transactions`: Produce, the transaction's coordinator and TxnOffsetCommit together: apart they collide in the broker's verification
 * - `input` and `restore`: fetches, long polls
 */
export class KafkaJsPort implements KafkaPort {
  readonly #clientId: string;
  readonly #requestTimeoutMs: number;
  readonly #directory: Directory;
  readonly #prompt: Lane;
  readonly #join: Lane;
  readonly #admin: Lane;
  readonly #transactions: Lane;
  readonly #fetch: Readonly<Record<FetchLane, Lane>>;
  /** The longest a member of ours lets a rebalance take: SyncGroup may wait as long. */
  #rebalanceTimeoutMs = 0;

  constructor(options: KafkaJsPortOptions) {
    const { seeds, clientId, clock, logger, requestTimeoutMs } = options;
    this.#clientId = clientId;
    this.#requestTimeoutMs = requestTimeoutMs;
    const node: NodeOptions = {
      clientId,
      clock,
      ssl: tlsOptions(options.ssl),
      sasl: options.sasl,
      logger: silentWireLogger,
      socketFactory: createSocketFactory(),
      requestTimeout: requestTimeoutMs,
      connectionTimeout: options.connectionTimeoutMs,
    };
    this.#directory = new Directory({ seeds, clock, logger, node, describeCluster: () => this.#request(cluster.metadata, []) });
    const lane = (name: string): Lane => new Lane({ name, logger, addresses: this.#directory, node });
    this.#prompt = this.#directory.lane;
    this.#join = lane('join');
    this.#admin = lane('admin');
    this.#transactions = lane('transactions');
    this.#fetch = { input: lane('input'), restore: lane('restore'), standby: lane('standby'), global: lane('global') };
  }

  #request<Q, A>(exchange: Exchange<Q, A>, question: Q, timeoutMs = this.#requestTimeoutMs): WireRequest<A> {
    return wireRequest(exchange, this.#clientId, question, timeoutMs);
  }

  /** For what the broker may hold back that long by itself. */
  #patiently(heldMs: number): number {
    return Math.max(this.#requestTimeoutMs, heldMs + ANSWER_MARGIN_MS);
  }

  async metadata(names: readonly string[]): Promise<MetadataAnswer> {
    const { clusterId, brokers, topics: described } = await this.#describe(names);
    return { clusterId, brokers, topics: described };
  }

  async #describe(names: readonly string[]): Promise<cluster.ClusterAnswer> {
    const answer = await this.#directory.ask(() => this.#request(cluster.metadata, names));
    this.#directory.learn(answer);
    return answer;
  }

  async findCoordinator(request: FindCoordinatorRequest): Promise<FindCoordinatorAnswer> {
    const { errorCode, nodeId, host, port } = await this.#directory.ask(() => this.#request(cluster.findCoordinator, request));
    if (errorCode === 0) this.#directory.learnAddress(nodeId, host, port);
    return { errorCode, nodeId };
  }

  async fetch(node: NodeId, request: FetchRequest, lane: FetchLane): Promise<FetchAnswer> {
    return this.#fetch[lane].send(node, this.#request(log.fetch, request, request.maxWaitMs + this.#requestTimeoutMs));
  }

  /** The records are copied before this returns. */
  async produce(node: NodeId, request: ProduceRequest): Promise<ProduceAnswer> {
    return this.#transactions.send(node, this.#request(log.produce, request, this.#patiently(request.timeoutMs)));
  }

  async listOffsets(node: NodeId, request: ListOffsetsRequest): Promise<ListOffsetsAnswer> {
    return this.#prompt.send(node, this.#request(log.listOffsets, request));
  }

  async deleteRecords(node: NodeId, request: DeleteRecordsRequest): Promise<PartitionCodes> {
    return this.#admin.send(node, this.#request(log.deleteRecords, request, this.#patiently(request.timeoutMs)));
  }

  async initProducerId(node: NodeId, request: InitProducerIdRequest): Promise<InitProducerIdAnswer> {
    return this.#transactions.send(node, this.#request(transactions.initProducerId, request));
  }

  async addPartitionsToTxn(node: NodeId, request: AddPartitionsToTxnRequest): Promise<PartitionCodes> {
    return this.#transactions.send(node, this.#request(transactions.addPartitionsToTxn, request));
  }

  async addOffsetsToTxn(node: NodeId, request: AddOffsetsToTxnRequest): Promise<CodeAnswer> {
    return this.#transactions.send(node, this.#request(transactions.addOffsetsToTxn, request));
  }

  async txnOffsetCommit(node: NodeId, request: TxnOffsetCommitRequest): Promise<PartitionCodes> {
    return this.#transactions.send(node, this.#request(transactions.txnOffsetCommit, request));
  }

  async endTxn(node: NodeId, request: EndTxnRequest): Promise<CodeAnswer> {
    return this.#transactions.send(node, this.#request(transactions.endTxn, request));
  }

  /** On a lane where nothing waits: a broker older than 3.0 closes the connection instead of an answer. */
  async describeTransactions(node: NodeId, transactionalIds: readonly string[]): Promise<DescribeTransactionsAnswer> {
    return this.#admin.send(node, this.#request(transactions.describeTransactions, transactionalIds));
  }

  async offsetCommit(node: NodeId, request: OffsetCommitRequest): Promise<PartitionCodes> {
    return this.#prompt.send(node, this.#request(groups.offsetCommit, request));
  }

  async offsetFetch(node: NodeId, request: OffsetFetchRequest): Promise<OffsetFetchAnswer> {
    return this.#prompt.send(node, this.#request(groups.offsetFetch, request));
  }

  async joinGroup(node: NodeId, request: JoinGroupRequest): Promise<JoinGroupAnswer> {
    const { rebalanceTimeoutMs, sessionTimeoutMs } = request;
    this.#rebalanceTimeoutMs = Math.max(this.#rebalanceTimeoutMs, rebalanceTimeoutMs);
    const heldMs = Math.max(rebalanceTimeoutMs, sessionTimeoutMs);
    return this.#join.send(node, this.#request(groups.joinGroup, request, this.#patiently(heldMs)));
  }

  async syncGroup(node: NodeId, request: SyncGroupRequest): Promise<SyncGroupAnswer> {
    return this.#join.send(node, this.#request(groups.syncGroup, request, this.#patiently(this.#rebalanceTimeoutMs)));
  }

  async heartbeat(node: NodeId, request: MemberIdentity): Promise<CodeAnswer> {
    return this.#prompt.send(node, this.#request(groups.heartbeat, request));
  }

  async leaveGroup(node: NodeId, request: LeaveGroupRequest): Promise<CodeAnswer> {
    return this.#prompt.send(node, this.#request(groups.leaveGroup, request));
  }

  async describeGroup(node: NodeId, groupId: string): Promise<GroupDescription> {
    return this.#prompt.send(node, this.#request(groups.describeGroup, groupId));
  }

  async createTopics(newTopics: readonly NewTopic[], timeoutMs: number): Promise<TopicCodes> {
    return this.#toController(topics.createTopics, { topics: newTopics, timeoutMs }, timeoutMs);
  }

  async deleteTopics(names: readonly string[], timeoutMs: number): Promise<TopicCodes> {
    return this.#toController(topics.deleteTopics, { topics: names, timeoutMs }, timeoutMs);
  }

  /** Asked for anew each time: it moves, and these calls are rare. */
  async #toController<Q, A>(exchange: Exchange<Q, A>, question: Q, timeoutMs: number): Promise<A> {
    const request = this.#request(exchange, question, this.#patiently(timeoutMs));
    const { controllerId } = await this.#directory.refresh();
    return this.#admin.send(controllerId, request);
  }

  async describeConfigs(names: readonly string[], configs: readonly string[]): Promise<DescribeConfigsAnswer> {
    return this.#directory.ask(() => this.#request(topics.describeConfigs, { topics: names, names: configs }));
  }

  async close(): Promise<void> {
    await Promise.all([
      this.#directory.close(),
      ...[this.#join, this.#admin, this.#transactions, ...Object.values(this.#fetch)].map((lane) => lane.close()),
    ]);
  }
}
