import type { JoinGroupRequest } from '../kafka/port';
import type { Clock } from '../time/clock';
import { brokerCode } from './broker-code';
import { type Group, type GroupMember, hasSameProtocols, type JoinAnswer, joinRefused } from './group';
import type { Rebalance } from './rebalance';

export interface JoinCall {
  readonly request: JoinGroupRequest;
  readonly clientId: string;
  readonly answer: JoinAnswer;
}

const MIN_SESSION_TIMEOUT_MS = 6_000;
const MAX_SESSION_TIMEOUT_MS = 1_800_000;

/** Why the request is refused whoever sends it, or 0. */
export function refuseJoin({ groupId, sessionTimeoutMs }: JoinGroupRequest): number {
  if (groupId === '') return brokerCode.INVALID_GROUP_ID;
  const isAllowed = sessionTimeoutMs >= MIN_SESSION_TIMEOUT_MS && sessionTimeoutMs <= MAX_SESSION_TIMEOUT_MS;
  return isAllowed ? brokerCode.NONE : brokerCode.INVALID_SESSION_TIMEOUT;
}

/** JoinGroup: who may come in, and who has to wait for a rebalance. */
export class GroupJoin {
  constructor(
    private readonly clock: Clock,
    private readonly rebalance: Rebalance,
  ) {}

  join(group: Group, call: JoinCall): void {
    const { request, answer } = call;
    if (!group.supports(request.protocolType, request.protocols)) {
      answer(joinRefused(request.memberId, brokerCode.INCONSISTENT_GROUP_PROTOCOL));
    } else if (request.memberId !== '') {
      this.#joinKnown(group, call);
    } else if (request.groupInstanceId !== null) {
      this.#joinStatic(group, call, request.groupInstanceId);
    } else {
      const memberId = this.#newMemberId(call.clientId);
      this.rebalance.expect(group, memberId, request.sessionTimeoutMs);
      answer(joinRefused(memberId, brokerCode.MEMBER_ID_REQUIRED));
    }
  }

  #joinKnown(group: Group, call: JoinCall): void {
    const { request, answer } = call;
    const { memberId, groupInstanceId } = request;
    if (group.pendingJoins.has(memberId)) {
      group.pendingJoins.get(memberId)?.cancel();
      group.pendingJoins.delete(memberId);
      this.#add(group, memberId, call);
      return;
    }
    const errorCode = group.checkMember(memberId, groupInstanceId);
    const member = group.members.get(memberId);
    if (errorCode !== brokerCode.NONE || member === undefined) answer(joinRefused(memberId, errorCode));
    else if (this.#mustRebalance(group, member, request)) this.#rejoin(group, member, call);
    // The answer to its last JoinGroup was lost, or nothing has changed.
    else answer(group.joinAnswer(member));
  }

  #mustRebalance(group: Group, member: GroupMember, { protocols }: JoinGroupRequest): boolean {
    if (group.state === 'preparing rebalance') return true;
    if (!hasSameProtocols(member, protocols)) return true;
    // A leader that joins again wants a rebalance: its subscriptions or the topics have changed.
    return group.state === 'stable' && group.leaderId === member.memberId;
  }

  #rejoin(group: Group, member: GroupMember, { request, answer }: JoinCall): void {
    member.protocols = copyOf(request.protocols);
    member.sessionTimeoutMs = request.sessionTimeoutMs;
    member.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
    member.joining = answer;
    this.rebalance.prepare(group);
  }

  #joinStatic(group: Group, call: JoinCall, groupInstanceId: string): void {
    const memberId = this.#newMemberId(groupInstanceId);
    const old = group.members.get(group.memberOfInstance(groupInstanceId) ?? '');
    if (old === undefined) {
      this.#add(group, memberId, call);
      return;
    }
    const leaderBefore = group.leaderId;
    const member = group.replace(old, memberId);
    member.protocols = copyOf(call.request.protocols);
    this.rebalance.touch(group, member);
    if (group.state === 'stable' && group.selectProtocol() === group.protocol) {
      // No rebalance. A returning leader is told of the leader it was, lest it assign.
      call.answer(group.joinAnswer(member, leaderBefore));
      return;
    }
    this.#rejoin(group, member, call);
  }

  #add(group: Group, memberId: string, { request, clientId, answer }: JoinCall): void {
    const member: GroupMember = {
      memberId,
      clientId,
      groupInstanceId: request.groupInstanceId,
      sessionTimeoutMs: request.sessionTimeoutMs,
      rebalanceTimeoutMs: request.rebalanceTimeoutMs,
      protocols: copyOf(request.protocols),
      assignment: Buffer.alloc(0),
      joining: answer,
      syncing: undefined,
      session: undefined,
    };
    group.add(member, request.protocolType);
    this.rebalance.prepare(group);
  }

  #newMemberId(prefix: string): string {
    const digits = Array.from({ length: 32 }, () => Math.floor(this.clock.random() * 16).toString(16)).join('');
    return `${prefix}-${digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')}`;
  }
}

function copyOf(protocols: JoinGroupRequest['protocols']): JoinGroupRequest['protocols'] {
  return protocols.map(({ name, metadata }) => ({ name, metadata: Buffer.from(metadata) }));
}
