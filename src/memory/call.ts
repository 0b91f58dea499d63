import type * as port from '../kafka/port';

/** Requests of one lane and node travel on one connection: they are answered one after the other. The same lanes as on sockets. */
export type Lane = 'prompt' | 'join' | 'admin' | 'transactions' | port.FetchLane;

/** Every request of the port, with its answer. */
export interface Api {
  metadata: { request: { readonly topics: readonly string[] }; answer: port.MetadataAnswer };
  findCoordinator: { request: port.FindCoordinatorRequest; answer: port.FindCoordinatorAnswer };
  fetch: { request: port.FetchRequest; answer: port.FetchAnswer };
  produce: { request: port.ProduceRequest; answer: port.ProduceAnswer };
  listOffsets: { request: port.ListOffsetsRequest; answer: port.ListOffsetsAnswer };
  deleteRecords: { request: port.DeleteRecordsRequest; answer: port.PartitionCodes };
  initProducerId: { request: port.InitProducerIdRequest; answer: port.InitProducerIdAnswer };
  addPartitionsToTxn: { request: port.AddPartitionsToTxnRequest; answer: port.PartitionCodes };
  addOffsetsToTxn: { request: port.AddOffsetsToTxnRequest; answer: port.CodeAnswer };
  txnOffsetCommit: { request: port.TxnOffsetCommitRequest; answer: port.PartitionCodes };
  endTxn: { request: port.EndTxnRequest; answer: port.CodeAnswer };
  describeTransactions: { request: { readonly transactionalIds: readonly string[] }; answer: port.DescribeTransactionsAnswer };
  offsetCommit: { request: port.OffsetCommitRequest; answer: port.PartitionCodes };
  offsetFetch: { request: port.OffsetFetchRequest; answer: port.OffsetFetchAnswer };
  joinGroup: { request: port.JoinGroupRequest; answer: port.JoinGroupAnswer };
  syncGroup: { request: port.SyncGroupRequest; answer: port.SyncGroupAnswer };
  heartbeat: { request: port.MemberIdentity; answer: port.CodeAnswer };
  leaveGroup: { request: port.LeaveGroupRequest; answer: port.CodeAnswer };
  describeGroup: { request: { readonly groupId: string }; answer: port.GroupDescription };
  createTopics: { request: { readonly topics: readonly port.NewTopic[] }; answer: port.TopicCodes };
  deleteTopics: { request: { readonly topics: readonly string[] }; answer: port.TopicCodes };
  describeConfigs: {
    request: { readonly topics: readonly string[]; readonly names: readonly string[] };
    answer: port.DescribeConfigsAnswer;
  };
}

export type ApiName = keyof Api;
export type AnswerOf<A extends ApiName> = Api[A]['answer'];

/** A request under way from one client to one node. */
export interface CallOf<A extends ApiName> {
  readonly api: A;
  readonly node: port.NodeId;
  readonly clientId: string;
  readonly lane: Lane;
  readonly request: Api[A]['request'];
}

/** A call of any kind; `api` tells which request it carries. */
export type Call = { [A in ApiName]: CallOf<A> }[ApiName];
export type AnyAnswer = AnswerOf<ApiName>;
