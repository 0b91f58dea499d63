import type { PartitionCodes, TopicCodes, TopicPartition } from '../kafka/port';
import type { AnswerOf, Api, ApiName, CallOf } from './call';
import { joinRefused, syncRefused } from './group';
import { fetchRefused } from './partition';
import { transactionUndescribed } from './transactions';

type Refusals = { readonly [A in ApiName]: (request: Api[A]['request'], errorCode: number) => AnswerOf<A> };

const ofPartitions = ({ partitions }: { readonly partitions: readonly TopicPartition[] }, errorCode: number): PartitionCodes => ({
  partitions: partitions.map(({ topic, partition }) => ({ topic, partition, errorCode })),
});
const ofTopics = (names: readonly string[], errorCode: number): TopicCodes => ({
  topics: names.map((topic) => ({ topic, errorCode, errorMessage: null })),
});
const ofAll = (_: unknown, errorCode: number): { readonly errorCode: number } => ({ errorCode });

const refusals: Refusals = {
  metadata: ({ topics }, errorCode) => ({
    clusterId: '',
    brokers: [],
    topics: topics.map((topic) => ({ topic, errorCode, topicId: '', partitions: [] })),
  }),
  findCoordinator: (_, errorCode) => ({ errorCode, nodeId: -1 }),
  fetch: ({ partitions }, errorCode) => ({ errorCode: 0, partitions: partitions.map((each) => fetchRefused(each, errorCode)) }),
  produce: ({ partitions }, errorCode) => ({
    partitions: partitions.map(({ topic, partition }) => ({
      ...{ topic, partition, errorCode },
      ...{ baseOffset: -1, logStartOffset: -1, recordErrors: [], errorMessage: null },
    })),
  }),
  listOffsets: (request, errorCode) => ({
    partitions: ofPartitions(request, errorCode).partitions.map((each) => ({ ...each, offset: -1, timestamp: -1, leaderEpoch: -1 })),
  }),
  deleteRecords: ofPartitions,
  initProducerId: (_, errorCode) => ({ errorCode, producerId: -1n, producerEpoch: -1 }),
  addPartitionsToTxn: ofPartitions,
  addOffsetsToTxn: ofAll,
  txnOffsetCommit: ofPartitions,
  endTxn: ofAll,
  describeTransactions: ({ transactionalIds }, errorCode) => ({
    transactions: transactionalIds.map((transactionalId) => transactionUndescribed(transactionalId, errorCode)),
  }),
  offsetCommit: ofPartitions,
  offsetFetch: (_, errorCode) => ({ errorCode, partitions: [] }),
  joinGroup: ({ memberId }, errorCode) => joinRefused(memberId, errorCode),
  syncGroup: (_, errorCode) => syncRefused(errorCode),
  heartbeat: ofAll,
  leaveGroup: ofAll,
  describeGroup: (_, errorCode) => ({ errorCode, members: [] }),
  createTopics: ({ topics }, errorCode) =>
    ofTopics(
      topics.map(({ topic }) => topic),
      errorCode,
    ),
  deleteTopics: ({ topics }, errorCode) => ofTopics(topics, errorCode),
  describeConfigs: ({ topics }, errorCode) => ({ topics: topics.map((topic) => ({ topic, errorCode, configs: new Map() })) }),
};

/** The answer of this kind of request that carries one code, for everything it names. */
export function refusedAnswer<A extends ApiName>(call: CallOf<A>, errorCode: number): AnswerOf<A> {
  return refusals[call.api](call.request, errorCode);
}
