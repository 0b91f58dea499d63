/**
 * The broker's requests and answers, typed: our own types, error codes as numbers (0 = none), record sets as bytes.
 * `memory/` is a broker behind this port, `kafkajs/` is sockets and encoders behind it. A method never throws on a Kafka error code.
 * What it rejects with is a MillraceError: DISCONNECTED, REQUEST_TIMED_OUT or BROKERS_UNREACHABLE (all retryable: the request may or may
 * not have taken effect), or PROTOCOL. Offsets and times are numbers (int64 below 2^53), producer ids bigint.
 */

export type NodeId = number;

/** Requests of different lanes never wait for each other: a broker answers one request per connection at a time. */
export type FetchLane = 'input' | 'restore' | 'standby' | 'global';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Answers and requests come grouped as Kafka groups them; here always flat, one entry a partition, in any order. */
export interface PartitionMetadata {
  readonly partition: number;
  readonly errorCode: number;
  /** -1: none. */
  readonly leader: NodeId;
}
export interface TopicMetadata {
  readonly topic: string;
  readonly errorCode: number;
  /** Kafka's topic id as 32 hex digits: changes when a topic is created anew. */
  readonly topicId: string;
  readonly partitions: readonly PartitionMetadata[];
}
export interface MetadataAnswer {
  readonly clusterId: string;
  readonly brokers: readonly { readonly nodeId: NodeId; readonly host: string; readonly port: number }[];
  readonly topics: readonly TopicMetadata[];
}

export interface FindCoordinatorRequest {
  readonly key: string;
  readonly type: 'group' | 'transaction';
}
export interface FindCoordinatorAnswer {
  readonly errorCode: number;
  readonly nodeId: NodeId;
}

export interface FetchPartitionRequest extends TopicPartition {
  readonly offset: number;
  readonly maxBytes: number;
  /** -1: not checked. A moved leader is noticed only if this is sent (74: older, 75: newer than the broker's). */
  readonly leaderEpoch: number;
}
export interface FetchRequest {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly readCommitted: boolean;
  readonly partitions: readonly FetchPartitionRequest[];
}
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}
export interface FetchPartitionAnswer extends TopicPartition {
  readonly errorCode: number;
  readonly highWatermark: number;
  readonly lastStableOffset: number;
  readonly logStartOffset: number;
  /** In the broker's order, which is that of the abort markers: sort before use. */
  readonly aborted: readonly AbortedTransaction[];
  /** Whole batches, perhaps with a partial last one; empty: nothing there. */
  readonly records: Buffer;
}
export interface FetchAnswer {
  readonly errorCode: number;
  /** None at all, whatever was asked for: the client is over its quota and must wait, which the port sees to. */
  readonly partitions: readonly FetchPartitionAnswer[];
}

export interface ProducePartitionRequest extends TopicPartition {
  /** Exactly one batch (two in one set are answered 87). */
  readonly records: Uint8Array;
}
export interface ProduceRequest {
  readonly transactionalId: string | null;
  /** ms the broker may wait for its replicas; acks are always "all". */
  readonly timeoutMs: number;
  readonly partitions: readonly ProducePartitionRequest[];
}
export interface ProducePartitionAnswer extends TopicPartition {
  readonly errorCode: number;
  readonly baseOffset: number;
  readonly logStartOffset: number;
  readonly recordErrors: readonly { readonly index: number; readonly message: string | null }[];
  readonly errorMessage: string | null;
}
export interface ProduceAnswer {
  readonly partitions: readonly ProducePartitionAnswer[];
}

export interface ListOffsetsRequest {
  /** True: "latest" is the last stable offset; false: the high watermark. */
  readonly readCommitted: boolean;
  /** -1 latest, -2 earliest, else the first offset whose timestamp is ≥ this (offset -1: none). */
  readonly partitions: readonly (TopicPartition & { readonly timestamp: number })[];
}
export interface ListOffsetsAnswer {
  readonly partitions: readonly (TopicPartition & {
    readonly errorCode: number;
    readonly offset: number;
    readonly timestamp: number;
    readonly leaderEpoch: number;
  })[];
}

export interface ProducerIdentity {
  readonly producerId: bigint;
  readonly producerEpoch: number;
}
export interface InitProducerIdRequest {
  readonly transactionalId: string;
  readonly transactionTimeoutMs: number;
  /** KIP-360: with it the epoch is bumped if it still is ours (90: fenced); without it, whoever held the id is fenced. */
  readonly current?: ProducerIdentity;
}
export interface InitProducerIdAnswer extends ProducerIdentity {
  readonly errorCode: number;
}
export interface AddPartitionsToTxnRequest extends ProducerIdentity {
  readonly transactionalId: string;
  readonly partitions: readonly TopicPartition[];
}
export interface PartitionCodes {
  readonly partitions: readonly (TopicPartition & { readonly errorCode: number })[];
}
export interface AddOffsetsToTxnRequest extends ProducerIdentity {
  readonly transactionalId: string;
  readonly groupId: string;
}
export interface MemberIdentity {
  readonly groupId: string;
  readonly memberId: string;
  readonly generationId: number;
  readonly groupInstanceId: string | null;
}
export interface TxnOffsetCommitRequest extends ProducerIdentity, MemberIdentity {
  readonly transactionalId: string;
  readonly partitions: readonly OffsetToCommit[];
}
export interface OffsetToCommit extends TopicPartition {
  /** The next offset to read. */
  readonly offset: number;
  /** At most 4,096 bytes. */
  readonly metadata: string;
}
export interface EndTxnRequest extends ProducerIdentity {
  readonly transactionalId: string;
  readonly commit: boolean;
}
export interface CodeAnswer {
  readonly errorCode: number;
}
/** What the coordinator knows of a transactional id (KIP-664). */
export interface TransactionDescription extends ProducerIdentity {
  readonly transactionalId: string;
  /** 105: nobody has ever used it, or it has expired. */
  readonly errorCode: number;
  /** By Kafka's names: `Ongoing` is open; `PrepareCommit` and `PrepareAbort` are decided. */
  readonly state: string;
  readonly timeoutMs: number;
}
export interface DescribeTransactionsAnswer {
  readonly transactions: readonly TransactionDescription[];
}

export interface OffsetCommitRequest extends MemberIdentity {
  readonly partitions: readonly OffsetToCommit[];
}
export interface OffsetFetchRequest {
  readonly groupId: string;
  /** 88 per partition while a transaction over its offsets is being completed. */
  readonly requireStable: boolean;
  readonly partitions: readonly TopicPartition[];
}
export interface OffsetFetchAnswer {
  readonly errorCode: number;
  readonly partitions: readonly (TopicPartition & {
    readonly errorCode: number;
    /** -1: none committed. */
    readonly offset: number;
    readonly metadata: string;
  })[];
}

export interface JoinGroupRequest {
  readonly groupId: string;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly { readonly name: string; readonly metadata: Uint8Array }[];
}
export interface JoinGroupAnswer {
  /** 79: repeat with the member id given. */
  readonly errorCode: number;
  readonly generationId: number;
  readonly protocol: string | null;
  readonly leaderId: string;
  readonly memberId: string;
  /** Filled for the leader only. */
  readonly members: readonly { readonly memberId: string; readonly groupInstanceId: string | null; readonly metadata: Uint8Array }[];
}
export interface SyncGroupRequest extends MemberIdentity {
  /** Filled by the leader only. */
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Uint8Array }[];
}
export interface SyncGroupAnswer {
  readonly errorCode: number;
  readonly assignment: Uint8Array;
}
export interface LeaveGroupRequest {
  readonly groupId: string;
  readonly members: readonly { readonly memberId: string; readonly groupInstanceId: string | null }[];
}

/** Who is in a group, as anybody may ask. */
export interface GroupDescription {
  readonly errorCode: number;
  readonly members: readonly {
    readonly memberId: string;
    readonly groupInstanceId: string | null;
    readonly clientId: string;
    readonly clientHost: string;
    /** What it claims; empty during a rebalance. */
    readonly metadata: Uint8Array;
  }[];
}

export interface NewTopic {
  readonly topic: string;
  readonly partitions: number;
  /** -1: the broker's default. */
  readonly replicationFactor: number;
  readonly configs: Readonly<Record<string, string>>;
}
export interface TopicCodes {
  readonly topics: readonly { readonly topic: string; readonly errorCode: number; readonly errorMessage: string | null }[];
}
export interface DescribeConfigsAnswer {
  readonly topics: readonly { readonly topic: string; readonly errorCode: number; readonly configs: ReadonlyMap<string, string | null> }[];
}
export interface DeleteRecordsRequest {
  /** -1: up to the high watermark. Sent to the partitions' leader. */
  readonly partitions: readonly (TopicPartition & { readonly offset: number })[];
  readonly timeoutMs: number;
}

export interface KafkaPort {
  /** From any broker that answers. Topics that do not exist come back with code 3; they are never created. */
  metadata(topics: readonly string[]): Promise<MetadataAnswer>;
  /** From any broker that answers. */
  findCoordinator(request: FindCoordinatorRequest): Promise<FindCoordinatorAnswer>;

  fetch(node: NodeId, request: FetchRequest, lane: FetchLane): Promise<FetchAnswer>;
  /** On the lane of the transactions: on two connections they collide. */
  produce(node: NodeId, request: ProduceRequest): Promise<ProduceAnswer>;
  listOffsets(node: NodeId, request: ListOffsetsRequest): Promise<ListOffsetsAnswer>;
  deleteRecords(node: NodeId, request: DeleteRecordsRequest): Promise<PartitionCodes>;

  initProducerId(node: NodeId, request: InitProducerIdRequest): Promise<InitProducerIdAnswer>;
  addPartitionsToTxn(node: NodeId, request: AddPartitionsToTxnRequest): Promise<PartitionCodes>;
  addOffsetsToTxn(node: NodeId, request: AddOffsetsToTxnRequest): Promise<CodeAnswer>;
  /** To the group's coordinator, on the lane of the transactions. */
  txnOffsetCommit(node: NodeId, request: TxnOffsetCommitRequest): Promise<PartitionCodes>;
  endTxn(node: NodeId, request: EndTxnRequest): Promise<CodeAnswer>;
  /** To the ids' coordinator: of others it answers 16. */
  describeTransactions(node: NodeId, transactionalIds: readonly string[]): Promise<DescribeTransactionsAnswer>;

  offsetCommit(node: NodeId, request: OffsetCommitRequest): Promise<PartitionCodes>;
  offsetFetch(node: NodeId, request: OffsetFetchRequest): Promise<OffsetFetchAnswer>;
  joinGroup(node: NodeId, request: JoinGroupRequest): Promise<JoinGroupAnswer>;
  syncGroup(node: NodeId, request: SyncGroupRequest): Promise<SyncGroupAnswer>;
  heartbeat(node: NodeId, request: MemberIdentity): Promise<CodeAnswer>;
  leaveGroup(node: NodeId, request: LeaveGroupRequest): Promise<CodeAnswer>;
  describeGroup(node: NodeId, groupId: string): Promise<GroupDescription>;

  /** To the controller. */
  createTopics(topics: readonly NewTopic[], timeoutMs: number): Promise<TopicCodes>;
  deleteTopics(topics: readonly string[], timeoutMs: number): Promise<TopicCodes>;
  describeConfigs(topics: readonly string[], names: readonly string[]): Promise<DescribeConfigsAnswer>;

  /** Ends every connection; requests in flight reject with DISCONNECTED. */
  close(): Promise<void>;
}

/** Makes a port of its own (own connections, own lanes) for one instance. */
export interface Broker {
  connect(clientId: string): KafkaPort;
}
