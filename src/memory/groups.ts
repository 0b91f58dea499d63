import type {
  GroupDescription,
  LeaveGroupRequest,
  MemberIdentity,
  OffsetFetchAnswer,
  OffsetFetchRequest,
  OffsetToCommit,
  ProducerIdentity,
  SyncGroupRequest,
} from '../kafka/port';
import type { Clock } from '../time/clock';
import { brokerCode } from './broker-code';
import { Group, joinRefused, type SyncAnswer, syncRefused } from './group';
import { GroupJoin, type JoinCall, refuseJoin } from './group-join';
import { offsetUnknown } from './group-offsets';
import type { Marker } from './marker';
import { Rebalance, type RebalanceOptions } from './rebalance';

/** `max.message.bytes` of __consumer_offsets: metadata and assignments of a group are one record there. */
const MAX_RECORD_BYTES = 1_048_588;

/** The group coordinator: the classic protocol of consumer groups, and their offsets. */
export class GroupCoordinator {
  readonly #groups = new Map<string, Group>();
  readonly #rebalance: Rebalance;
  readonly #join: GroupJoin;

  constructor(clock: Clock, options: RebalanceOptions) {
    this.#rebalance = new Rebalance(clock, options);
    this.#join = new GroupJoin(clock, this.#rebalance);
  }

  get(groupId: string): Group | undefined {
    return this.#groups.get(groupId);
  }

  join(call: JoinCall): void {
    const { groupId, memberId } = call.request;
    const errorCode = refuseJoin(call.request);
    const known = this.#groups.get(groupId);
    if (errorCode !== brokerCode.NONE) call.answer(joinRefused(memberId, errorCode));
    else if (known === undefined && memberId !== '') call.answer(joinRefused(memberId, brokerCode.UNKNOWN_MEMBER_ID));
    else this.#join.join(known ?? this.#create(groupId), call);
  }

  sync(request: SyncGroupRequest, answer: SyncAnswer): void {
    const { group, errorCode } = this.#memberOf(request);
    const member = group?.members.get(request.memberId);
    if (errorCode !== brokerCode.NONE || group === undefined || member === undefined) {
      answer(syncRefused(errorCode));
      return;
    }
    if (group.state === 'preparing rebalance') {
      answer(syncRefused(brokerCode.REBALANCE_IN_PROGRESS));
      return;
    }
    group.awaitedSyncs.delete(member.memberId);
    member.syncing = answer;
    if (group.state === 'completing rebalance') {
      if (member.memberId !== group.leaderId) return;
      for (const each of group.members.values()) {
        const assigned = request.assignments.find(({ memberId }) => memberId === each.memberId);
        each.assignment = Buffer.from(assigned?.assignment ?? []);
      }
      if (group.recordBytes > MAX_RECORD_BYTES) {
        this.#rebalance.answerSyncs(group, brokerCode.UNKNOWN_SERVER_ERROR);
        this.#rebalance.prepare(group);
        return;
      }
      group.state = 'stable';
    }
    this.#rebalance.answerSyncs(group, brokerCode.NONE);
  }

  heartbeat(request: MemberIdentity): number {
    const { group, errorCode } = this.#memberOf(request);
    if (errorCode !== brokerCode.NONE || group === undefined) return errorCode;
    this.#rebalance.touch(group, group.members.get(request.memberId)!);
    return group.state === 'preparing rebalance' ? brokerCode.REBALANCE_IN_PROGRESS : brokerCode.NONE;
  }

  /** The first code that is not 0, of the members in the order of the request. */
  leave({ groupId, members }: LeaveGroupRequest): number {
    const group = this.#groups.get(groupId);
    if (group === undefined) return brokerCode.UNKNOWN_MEMBER_ID;
    const codes = members.map(({ memberId, groupInstanceId }) => {
      const id = memberId === '' && groupInstanceId !== null ? (group.memberOfInstance(groupInstanceId) ?? '') : memberId;
      if (this.#rebalance.forgetExpected(group, id)) return brokerCode.NONE;
      const errorCode = group.checkMember(id, groupInstanceId);
      if (errorCode === brokerCode.NONE) this.#rebalance.remove(group, id);
      return errorCode;
    });
    return codes.find((code) => code !== brokerCode.NONE) ?? brokerCode.NONE;
  }

  describe(groupId: string): GroupDescription {
    const group = this.#groups.get(groupId);
    const members = Array.from(group?.members.values() ?? [], ({ memberId, groupInstanceId, clientId, protocols }) => {
      const known = group?.state === 'stable' ? protocols.find(({ name }) => name === group.protocol)?.metadata : undefined;
      return { memberId, groupInstanceId, clientId, clientHost: '/127.0.0.1', metadata: Buffer.from(known ?? []) };
    });
    return { errorCode: brokerCode.NONE, members };
  }

  /** May this member commit offsets, within a transaction or not? */
  checkCommit(identity: MemberIdentity, isTransactional: boolean): number {
    const { groupId, memberId, generationId, groupInstanceId } = identity;
    const group = this.#groups.get(groupId);
    if (group === undefined) return generationId < 0 ? brokerCode.NONE : brokerCode.ILLEGAL_GENERATION;
    if (generationId < 0 && group.state === 'empty') return brokerCode.NONE;
    const isAnonymous = generationId < 0 && memberId === '' && groupInstanceId === null;
    // Nothing is checked of an anonymous commit inside a transaction: the loophole of old producers.
    if (isAnonymous) return isTransactional ? brokerCode.NONE : brokerCode.UNKNOWN_MEMBER_ID;
    const { errorCode } = this.#memberOf(identity);
    if (errorCode !== brokerCode.NONE || isTransactional) return errorCode;
    return group.state === 'completing rebalance' ? brokerCode.REBALANCE_IN_PROGRESS : brokerCode.NONE;
  }

  commit(groupId: string, entry: OffsetToCommit, producer?: ProducerIdentity): number {
    return (this.#groups.get(groupId) ?? this.#create(groupId)).offsets.commit(entry, producer);
  }

  isOpen(groupId: string, producer: ProducerIdentity): boolean {
    return this.#groups.get(groupId)?.offsets.isOpen(producer) ?? false;
  }

  mark(groupId: string, marker: Marker): void {
    this.#groups.get(groupId)?.offsets.mark(marker);
  }

  fetchOffsets({ groupId, requireStable, partitions }: OffsetFetchRequest): OffsetFetchAnswer {
    const offsets = this.#groups.get(groupId)?.offsets;
    return {
      errorCode: brokerCode.NONE,
      partitions: partitions.map((each) => offsets?.fetch(each, requireStable) ?? offsetUnknown(each)),
    };
  }

  forgetTopic(topic: string): void {
    for (const group of this.#groups.values()) group.offsets.forgetTopic(topic);
  }

  #create(groupId: string): Group {
    const group = new Group(groupId);
    this.#groups.set(groupId, group);
    return group;
  }

  /** The group in which this member is, in the present generation; else 25, 82 or 22. */
  #memberOf(request: MemberIdentity): { readonly group: Group | undefined; readonly errorCode: number } {
    const group = this.#groups.get(request.groupId);
    const errorCode = group?.checkMember(request.memberId, request.groupInstanceId) ?? brokerCode.UNKNOWN_MEMBER_ID;
    if (errorCode !== brokerCode.NONE) return { group, errorCode };
    return { group, errorCode: group?.generation === request.generationId ? brokerCode.NONE : brokerCode.ILLEGAL_GENERATION };
  }
}
