/** What is asked of a group's coordinator: membership with static ids (KIP-345), committed offsets. Classic, but OffsetFetch. */
import type {
  CodeAnswer,
  GroupDescription,
  JoinGroupAnswer,
  JoinGroupRequest,
  LeaveGroupRequest,
  MemberIdentity,
  OffsetCommitRequest,
  OffsetFetchAnswer,
  OffsetFetchRequest,
  PartitionCodes,
  SyncGroupAnswer,
  SyncGroupRequest,
} from '../../kafka/port';
import type { Writer } from '../bytes';
import type { Exchange } from '../exchange';
import { byTopic, readCompactTopics, readTopics, writeCompactTopics, writeTopics } from './by-topic';

const writeMember = (writer: Writer, member: MemberIdentity): Writer =>
  writer.string(member.groupId).int32(member.generationId).string(member.memberId).string(member.groupInstanceId);

export const joinGroup: Exchange<JoinGroupRequest, JoinGroupAnswer> = {
  key: 11,
  version: 5,
  name: 'JoinGroup',
  flexible: false,
  write: (writer, request) => {
    writer.string(request.groupId).int32(request.sessionTimeoutMs).int32(request.rebalanceTimeoutMs);
    writer.string(request.memberId).string(request.groupInstanceId).string(request.protocolType);
    writer.array(request.protocols, (_, { name, metadata }) => writer.string(name).bytes(metadata));
  },
  read: (reader) => ({
    throttleMs: reader.int32(),
    answer: {
      errorCode: reader.int16(),
      generationId: reader.int32(),
      protocol: reader.nullableString(),
      leaderId: reader.string(),
      memberId: reader.string(),
      members: reader.array(() => ({
        memberId: reader.string(),
        groupInstanceId: reader.nullableString(),
        metadata: Buffer.from(reader.bytes()), // a copy: it is kept long after the answer
      })),
    },
  }),
};

export const syncGroup: Exchange<SyncGroupRequest, SyncGroupAnswer> = {
  key: 14,
  version: 3,
  name: 'SyncGroup',
  flexible: false,
  write: (writer, request) => {
    writeMember(writer, request).array(request.assignments, (_, { memberId, assignment }) => writer.string(memberId).bytes(assignment));
  },
  read: (reader) => ({
    throttleMs: reader.int32(),
    answer: { errorCode: reader.int16(), assignment: Buffer.from(reader.bytes()) },
  }),
};

export const heartbeat: Exchange<MemberIdentity, CodeAnswer> = {
  key: 12,
  version: 3,
  name: 'Heartbeat',
  flexible: false,
  write: writeMember,
  read: (reader) => ({ throttleMs: reader.int32(), answer: { errorCode: reader.int16() } }),
};

/** v3 is the first that names several members, static ones too. */
export const leaveGroup: Exchange<LeaveGroupRequest, CodeAnswer> = {
  key: 13,
  version: 3,
  name: 'LeaveGroup',
  flexible: false,
  write: (writer, { groupId, members }) => {
    writer.string(groupId).array(members, (_, { memberId, groupInstanceId }) => writer.string(memberId).string(groupInstanceId));
  },
  read: (reader) => {
    const throttleMs = reader.int32();
    const code = reader.int16();
    const memberCodes = reader.array(() => {
      reader.string();
      reader.nullableString();
      return reader.int16();
    });
    // The answer as a whole is 0 even if a member was unknown: the first refusal is the answer's.
    const errorCode = code !== 0 ? code : (memberCodes.find((memberCode) => memberCode !== 0) ?? 0);
    return { throttleMs, answer: { errorCode } };
  },
};

const NO_GROUP: GroupDescription = { errorCode: 0, members: [] };

/** v5: v4 is the first with instance ids, v5 the first flexible one. */
export const describeGroup: Exchange<string, GroupDescription> = {
  key: 15,
  version: 5,
  name: 'DescribeGroups',
  flexible: true,
  write: (writer, groupId) => {
    writer.compactArray([groupId], (_, each) => writer.compactString(each)).boolean(false);
  },
  read: (reader) => {
    const throttleMs = reader.int32();
    const groups = reader.compactArray(() => {
      const errorCode = reader.int16();
      for (let text = 0; text < 4; text++) reader.compactString(); // group, state, protocol type, protocol
      const members = reader.compactArray(() => {
        const member = {
          memberId: reader.compactString(),
          groupInstanceId: reader.nullableCompactString(),
          clientId: reader.compactString(),
          clientHost: reader.compactString(),
          metadata: Buffer.from(reader.slice(reader.unsignedVarint() - 1)),
        };
        reader.slice(reader.unsignedVarint() - 1); // assignment
        reader.tags();
        return member;
      });
      reader.int32(); // authorized operations
      reader.tags();
      return { errorCode, members };
    });
    return { throttleMs, answer: groups[0] ?? NO_GROUP };
  },
};

export const offsetCommit: Exchange<OffsetCommitRequest, PartitionCodes> = {
  key: 8,
  version: 7,
  name: 'OffsetCommit',
  flexible: false,
  write: (writer, request) => {
    writeMember(writer, request);
    writeTopics(writer, byTopic(request.partitions), (_, { partition, offset, metadata }) => {
      writer.int32(partition).int64(offset).int32(-1).string(metadata);
    });
  },
  read: (reader) => ({
    throttleMs: reader.int32(),
    answer: { partitions: readTopics(reader, (_, topic) => ({ topic, partition: reader.int32(), errorCode: reader.int16() })) },
  }),
};

/** v7 is the first with requireStable (KIP-447). */
export const offsetFetch: Exchange<OffsetFetchRequest, OffsetFetchAnswer> = {
  key: 9,
  version: 7,
  name: 'OffsetFetch',
  flexible: true,
  write: (writer, { groupId, partitions, requireStable }) => {
    writer.compactString(groupId);
    writeCompactTopics(writer, byTopic(partitions), (_, { partition }) => writer.int32(partition));
    writer.boolean(requireStable);
  },
  read: (reader) => {
    const throttleMs = reader.int32();
    const partitions = readCompactTopics(reader, (_, topic) => {
      const partition = reader.int32();
      const offset = reader.int64();
      reader.int32(); // leader epoch
      return { topic, partition, offset, metadata: reader.compactString(), errorCode: reader.int16() };
    });
    return { throttleMs, answer: { errorCode: reader.int16(), partitions } };
  },
};
