import { MillraceError } from '../errors/millrace-error';
import type * as port from '../kafka/port';
import type { AnswerOf, ApiName, Call, CallOf, Lane } from './call';
import { Connection, type ConnectionOptions } from './connection';
import type { Nodes } from './nodes';

export interface MemoryPortOptions extends ConnectionOptions {
  readonly clientId: string;
  readonly nodes: Nodes;
  /** ms until a request counts as unanswered; longer for what the broker may hold back by itself. */
  readonly requestTimeoutMs: number;
}

/** What the broker may need beyond the time it was told to wait at most. */
const ANSWER_MARGIN_MS = 5_000;

/** One client of the broker in this process, with the lanes and the timeouts of one on sockets. */
export class MemoryPort implements port.KafkaPort {
  readonly #connections = new Map<string, Connection>();
  #isClosed = false;
  /** The longest a member of ours lets a rebalance take: SyncGroup may wait as long. */
  #rebalanceTimeoutMs = 0;

  constructor(private readonly options: MemoryPortOptions) {}

  metadata(topics: readonly string[]): Promise<port.MetadataAnswer> {
    return this.#send('metadata', this.#anyNode, 'prompt', { topics: [...topics] });
  }

  findCoordinator(request: port.FindCoordinatorRequest): Promise<port.FindCoordinatorAnswer> {
    return this.#send('findCoordinator', this.#anyNode, 'prompt', request);
  }

  fetch(node: port.NodeId, request: port.FetchRequest, lane: port.FetchLane): Promise<port.FetchAnswer> {
    return this.#send('fetch', node, lane, request, request.maxWaitMs + this.options.requestTimeoutMs);
  }

  /** The records are copied before this returns. */
  produce(node: port.NodeId, request: port.ProduceRequest): Promise<port.ProduceAnswer> {
    const partitions = request.partitions.map(({ topic, partition, records }) => ({ topic, partition, records: Buffer.from(records) }));
    return this.#send('produce', node, 'transactions', { ...request, partitions }, this.#patiently(request.timeoutMs));
  }

  listOffsets(node: port.NodeId, request: port.ListOffsetsRequest): Promise<port.ListOffsetsAnswer> {
    return this.#send('listOffsets', node, 'prompt', request);
  }

  deleteRecords(node: port.NodeId, request: port.DeleteRecordsRequest): Promise<port.PartitionCodes> {
    return this.#send('deleteRecords', node, 'admin', request, this.#patiently(request.timeoutMs));
  }

  initProducerId(node: port.NodeId, request: port.InitProducerIdRequest): Promise<port.InitProducerIdAnswer> {
    return this.#send('initProducerId', node, 'transactions', request);
  }

  addPartitionsToTxn(node: port.NodeId, request: port.AddPartitionsToTxnRequest): Promise<port.PartitionCodes> {
    return this.#send('addPartitionsToTxn', node, 'transactions', request);
  }

  addOffsetsToTxn(node: port.NodeId, request: port.AddOffsetsToTxnRequest): Promise<port.CodeAnswer> {
    return this.#send('addOffsetsToTxn', node, 'transactions', request);
  }

  txnOffsetCommit(node: port.NodeId, request: port.TxnOffsetCommitRequest): Promise<port.PartitionCodes> {
    return this.#send('txnOffsetCommit', node, 'transactions', request);
  }

  endTxn(node: port.NodeId, request: port.EndTxnRequest): Promise<port.CodeAnswer> {
    return this.#send('endTxn', node, 'transactions', request);
  }

  describeTransactions(node: port.NodeId, transactionalIds: readonly string[]): Promise<port.DescribeTransactionsAnswer> {
    return this.#send('describeTransactions', node, 'admin', { transactionalIds: [...transactionalIds] });
  }

  offsetCommit(node: port.NodeId, request: port.OffsetCommitRequest): Promise<port.PartitionCodes> {
    return this.#send('offsetCommit', node, 'prompt', request);
  }

  offsetFetch(node: port.NodeId, request: port.OffsetFetchRequest): Promise<port.OffsetFetchAnswer> {
    return this.#send('offsetFetch', node, 'prompt', request);
  }

  joinGroup(node: port.NodeId, request: port.JoinGroupRequest): Promise<port.JoinGroupAnswer> {
    const { rebalanceTimeoutMs, sessionTimeoutMs } = request;
    this.#rebalanceTimeoutMs = Math.max(this.#rebalanceTimeoutMs, rebalanceTimeoutMs);
    return this.#send('joinGroup', node, 'join', request, this.#patiently(Math.max(rebalanceTimeoutMs, sessionTimeoutMs)));
  }

  syncGroup(node: port.NodeId, request: port.SyncGroupRequest): Promise<port.SyncGroupAnswer> {
    return this.#send('syncGroup', node, 'join', request, this.#patiently(this.#rebalanceTimeoutMs));
  }

  heartbeat(node: port.NodeId, request: port.MemberIdentity): Promise<port.CodeAnswer> {
    return this.#send('heartbeat', node, 'prompt', request);
  }

  leaveGroup(node: port.NodeId, request: port.LeaveGroupRequest): Promise<port.CodeAnswer> {
    return this.#send('leaveGroup', node, 'prompt', request);
  }

  describeGroup(node: port.NodeId, groupId: string): Promise<port.GroupDescription> {
    return this.#send('describeGroup', node, 'prompt', { groupId });
  }

  createTopics(topics: readonly port.NewTopic[], timeoutMs: number): Promise<port.TopicCodes> {
    return this.#send('createTopics', this.#anyNode, 'admin', { topics }, this.#patiently(timeoutMs));
  }

  deleteTopics(topics: readonly string[], timeoutMs: number): Promise<port.TopicCodes> {
    return this.#send('deleteTopics', this.#anyNode, 'admin', { topics: [...topics] }, this.#patiently(timeoutMs));
  }

  describeConfigs(topics: readonly string[], names: readonly string[]): Promise<port.DescribeConfigsAnswer> {
    return this.#send('describeConfigs', this.#anyNode, 'prompt', { topics: [...topics], names: [...names] });
  }

  close(): Promise<void> {
    this.#isClosed = true;
    for (const connection of this.#connections.values()) connection.close();
    return Promise.resolve();
  }

  /** One that runs, as long as there is one. */
  get #anyNode(): port.NodeId {
    const { all, up } = this.options.nodes;
    return up[0] ?? all[0]!;
  }

  /** The node's process has died. */
  nodeStopped(node: port.NodeId): void {
    for (const [name, connection] of this.#connections) if (name.startsWith(`${node}/`)) connection.break('the broker has stopped');
  }

  #patiently(heldMs: number): number {
    return Math.max(this.options.requestTimeoutMs, heldMs + ANSWER_MARGIN_MS);
  }

  #send<A extends ApiName>(
    api: A,
    node: port.NodeId,
    lane: Lane,
    request: CallOf<A>['request'],
    timeoutMs = this.options.requestTimeoutMs,
  ): Promise<AnswerOf<A>> {
    const refused = this.#isClosed ? 'the connections of this port were closed by close()' : this.#unknown(node);
    if (refused !== undefined) return Promise.reject(new MillraceError('DISCONNECTED', `${api}: ${refused}`, { retryable: true }));
    if (!this.options.nodes.isUp(node)) return this.#unreached(api, node);
    const call: CallOf<A> = { api, node, clientId: this.options.clientId, lane, request };
    // A call of one kind is one of all kinds, and is answered in kind: what the compiler cannot see.
    return this.#connection(node, lane).send(call as unknown as Call, timeoutMs);
  }

  #unknown(node: port.NodeId): string | undefined {
    const { nodes } = this.options;
    return nodes.all.includes(node) ? undefined : `broker ${node} is not in the cluster, which has ${nodes.all.join(', ')}`;
  }

  #unreached(api: ApiName, node: port.NodeId): Promise<never> {
    const message = `${api}: nobody answers at broker ${node}`;
    return new Promise((_, reject) => {
      this.options.clock.setImmediate(() => {
        reject(new MillraceError('DISCONNECTED', message, { retryable: true, where: { broker: String(node) } }));
      });
    });
  }

  #connection(node: port.NodeId, lane: Lane): Connection {
    const name = `${node}/${lane}`;
    let connection = this.#connections.get(name);
    if (connection === undefined) this.#connections.set(name, (connection = new Connection(this.options)));
    return connection;
  }
}
