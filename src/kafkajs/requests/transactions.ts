/** What is asked of a transaction's coordinator, and TxnOffsetCommit of a group's. All flexible, and the last before transactions v2. */
import type {
  AddOffsetsToTxnRequest,
  AddPartitionsToTxnRequest,
  CodeAnswer,
  DescribeTransactionsAnswer,
  EndTxnRequest,
  InitProducerIdAnswer,
  InitProducerIdRequest,
  PartitionCodes,
  TxnOffsetCommitRequest,
} from '../../kafka/port';
import type { Reader } from '../bytes';
import type { Exchange, Throttled } from '../exchange';
import { byTopic, readCompactTopics, writeCompactTopics } from './by-topic';

const readCode = (reader: Reader): Throttled<CodeAnswer> => ({ throttleMs: reader.int32(), answer: { errorCode: reader.int16() } });

const readPartitionCodes = (reader: Reader): Throttled<PartitionCodes> => ({
  throttleMs: reader.int32(),
  answer: { partitions: readCompactTopics(reader, (_, topic) => ({ topic, partition: reader.int32(), errorCode: reader.int16() })) },
});

/** v4 tells a transaction that timed out (0) from a fenced one (90); v3 answers 47 to both. */
export const initProducerId: Exchange<InitProducerIdRequest, InitProducerIdAnswer> = {
  key: 22,
  version: 4,
  name: 'InitProducerId',
  flexible: true,
  write: (writer, { transactionalId, transactionTimeoutMs, current }) => {
    writer.compactString(transactionalId).int32(transactionTimeoutMs);
    writer.bigint64(current?.producerId ?? -1n).int16(current?.producerEpoch ?? -1);
  },
  read: (reader) => ({
    throttleMs: reader.int32(),
    answer: { errorCode: reader.int16(), producerId: reader.bigint64(), producerEpoch: reader.int16() },
  }),
};

export const addPartitionsToTxn: Exchange<AddPartitionsToTxnRequest, PartitionCodes> = {
  key: 24,
  version: 3,
  name: 'AddPartitionsToTxn',
  flexible: true,
  write: (writer, { transactionalId, producerId, producerEpoch, partitions }) => {
    writer.compactString(transactionalId).bigint64(producerId).int16(producerEpoch);
    writeCompactTopics(writer, byTopic(partitions), (_, { partition }) => writer.int32(partition));
  },
  read: readPartitionCodes,
};

export const addOffsetsToTxn: Exchange<AddOffsetsToTxnRequest, CodeAnswer> = {
  key: 25,
  version: 3,
  name: 'AddOffsetsToTxn',
  flexible: true,
  write: (writer, { transactionalId, producerId, producerEpoch, groupId }) => {
    writer.compactString(transactionalId).bigint64(producerId).int16(producerEpoch).compactString(groupId);
  },
  read: readCode,
};

/** v3 is the first that carries member and generation (KIP-447). */
export const txnOffsetCommit: Exchange<TxnOffsetCommitRequest, PartitionCodes> = {
  key: 28,
  version: 3,
  name: 'TxnOffsetCommit',
  flexible: true,
  write: (writer, request) => {
    writer.compactString(request.transactionalId).compactString(request.groupId);
    writer.bigint64(request.producerId).int16(request.producerEpoch);
    writer.int32(request.generationId).compactString(request.memberId).compactString(request.groupInstanceId);
    writeCompactTopics(writer, byTopic(request.partitions), (_, { partition, offset, metadata }) => {
      writer.int32(partition).int64(offset).int32(-1).compactString(metadata).tags();
    });
  },
  read: readPartitionCodes,
};

/** v3 does not bump the epoch: sequences go on after a commit. */
export const endTxn: Exchange<EndTxnRequest, CodeAnswer> = {
  key: 26,
  version: 3,
  name: 'EndTxn',
  flexible: true,
  write: (writer, { transactionalId, producerId, producerEpoch, commit }) => {
    writer.compactString(transactionalId).bigint64(producerId).int16(producerEpoch).boolean(commit);
  },
  read: readCode,
};

/** KIP-664, Kafka 3.0. */
export const describeTransactions: Exchange<readonly string[], DescribeTransactionsAnswer> = {
  key: 65,
  version: 0,
  name: 'DescribeTransactions',
  flexible: true,
  write: (writer, transactionalIds) => {
    writer.compactArray(transactionalIds, (_, transactionalId) => writer.compactString(transactionalId));
  },
  read: (reader) => ({
    throttleMs: reader.int32(),
    answer: {
      transactions: reader.compactArray(() => {
        const errorCode = reader.int16();
        const transactionalId = reader.compactString();
        const state = reader.compactString();
        const timeoutMs = reader.int32();
        reader.int64(); // start
        const identity = { producerId: reader.bigint64(), producerEpoch: reader.int16() };
        reader.compactArray(() => {
          reader.compactString();
          reader.compactArray(() => reader.int32());
          reader.tags();
        });
        reader.tags();
        return { transactionalId, errorCode, state, timeoutMs, ...identity };
      }),
    },
  }),
};
