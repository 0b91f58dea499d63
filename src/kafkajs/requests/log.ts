/** What is asked of a partition's leader: Fetch, Produce, ListOffsets, DeleteRecords. All classic. */
import type {
  DeleteRecordsRequest,
  FetchAnswer,
  FetchRequest,
  ListOffsetsAnswer,
  ListOffsetsRequest,
  PartitionCodes,
  ProduceAnswer,
  ProduceRequest,
} from '../../kafka/port';
import type { Exchange } from '../exchange';
import { byTopic, byTopicInOrder, readTopics, writeTopics } from './by-topic';

const NO_REPLICA = -1;
const NO_SESSION = 0;
const SESSIONLESS_EPOCH = -1;
const ACKS_ALL = -1;

/** v11: whole answers, no fetch session (it would resend unchanged partitions all the same). */
export const fetch: Exchange<FetchRequest, FetchAnswer> = {
  key: 1,
  version: 11,
  name: 'Fetch',
  flexible: false,
  sizeHint: ({ partitions }) => partitions.reduce((bytes, { topic }) => bytes + 38 + 3 * topic.length, 64),
  write: (writer, request) => {
    writer.int32(NO_REPLICA).int32(request.maxWaitMs).int32(request.minBytes).int32(request.maxBytes);
    writer.int8(request.readCommitted ? 1 : 0);
    writer.int32(NO_SESSION).int32(SESSIONLESS_EPOCH);
    writeTopics(writer, byTopicInOrder(request.partitions), (_, { partition, leaderEpoch, offset, maxBytes }) => {
      writer.int32(partition).int32(leaderEpoch).int64(offset).int64(-1).int32(maxBytes);
    });
    writer.int32(0); // topics of a session to forget
    writer.string(''); // rack: the leader is asked
  },
  read: (reader) => {
    const throttleMs = reader.int32();
    const errorCode = reader.int16();
    reader.int32(); // session
    const partitions = readTopics(reader, (_, topic) => {
      const partition = reader.int32();
      const partitionCode = reader.int16();
      const highWatermark = reader.int64();
      const lastStableOffset = reader.int64();
      const logStartOffset = reader.int64();
      const aborted = reader.array(() => ({ producerId: reader.bigint64(), firstOffset: reader.int64() }));
      reader.int32(); // preferred replica
      const records = reader.bytes();
      return { topic, partition, errorCode: partitionCode, highWatermark, lastStableOffset, logStartOffset, aborted, records };
    });
    return { throttleMs, answer: { errorCode, partitions } };
  },
};

/** v8 is the first that says which record was refused, and why (KIP-467). */
export const produce: Exchange<ProduceRequest, ProduceAnswer> = {
  key: 0,
  version: 8,
  name: 'Produce',
  flexible: false,
  sizeHint: ({ transactionalId, partitions }) =>
    partitions.reduce(
      (bytes, { topic, records }) => bytes + records.length + 14 + 3 * topic.length,
      64 + 3 * (transactionalId ?? '').length,
    ),
  write: (writer, { transactionalId, timeoutMs, partitions }) => {
    writer.string(transactionalId).int16(ACKS_ALL).int32(timeoutMs);
    writeTopics(writer, byTopic(partitions), (_, { partition, records }) => {
      writer.int32(partition).bytes(records);
    });
  },
  read: (reader) => {
    const partitions = readTopics(reader, (_, topic) => {
      const partition = reader.int32();
      const errorCode = reader.int16();
      const baseOffset = reader.int64();
      reader.int64(); // log append time
      const logStartOffset = reader.int64();
      const recordErrors = reader.array(() => ({ index: reader.int32(), message: reader.nullableString() }));
      return { topic, partition, errorCode, baseOffset, logStartOffset, recordErrors, errorMessage: reader.nullableString() };
    });
    return { throttleMs: reader.int32(), answer: { partitions } };
  },
};

export const listOffsets: Exchange<ListOffsetsRequest, ListOffsetsAnswer> = {
  key: 2,
  version: 5,
  name: 'ListOffsets',
  flexible: false,
  write: (writer, { readCommitted, partitions }) => {
    writer.int32(NO_REPLICA).int8(readCommitted ? 1 : 0);
    writeTopics(writer, byTopic(partitions), (_, { partition, timestamp }) => {
      writer.int32(partition).int32(-1).int64(timestamp);
    });
  },
  read: (reader) => {
    const throttleMs = reader.int32();
    const partitions = readTopics(reader, (_, topic) => {
      const partition = reader.int32();
      const errorCode = reader.int16();
      const timestamp = reader.int64();
      return { topic, partition, errorCode, timestamp, offset: reader.int64(), leaderEpoch: reader.int32() };
    });
    return { throttleMs, answer: { partitions } };
  },
};

export const deleteRecords: Exchange<DeleteRecordsRequest, PartitionCodes> = {
  key: 21,
  version: 1,
  name: 'DeleteRecords',
  flexible: false,
  write: (writer, { partitions, timeoutMs }) => {
    writeTopics(writer, byTopic(partitions), (_, { partition, offset }) => {
      writer.int32(partition).int64(offset);
    });
    writer.int32(timeoutMs);
  },
  read: (reader) => {
    const throttleMs = reader.int32();
    const partitions = readTopics(reader, (_, topic) => {
      const partition = reader.int32();
      reader.int64(); // low watermark
      return { topic, partition, errorCode: reader.int16() };
    });
    return { throttleMs, answer: { partitions } };
  },
};
