import type { JoinGroupAnswer, JoinGroupRequest, SyncGroupAnswer } from '../kafka/port';
import type { TimerHandle } from '../time/clock';
import { brokerCode } from './broker-code';
import { GroupOffsets } from './group-offsets';

export type GroupState = 'empty' | 'preparing rebalance' | 'completing rebalance' | 'stable';
export type JoinAnswer = (answer: JoinGroupAnswer) => void;
export type SyncAnswer = (answer: SyncGroupAnswer) => void;
type Protocol = JoinGroupRequest['protocols'][number];

export interface GroupMember {
  readonly memberId: string;
  readonly clientId: string;
  readonly groupInstanceId: string | null;
  sessionTimeoutMs: number;
  rebalanceTimeoutMs: number;
  protocols: readonly Protocol[];
  assignment: Buffer;
  /** The JoinGroup that waits for the others. */
  joining: JoinAnswer | undefined;
  /** The SyncGroup that waits for the leader. */
  syncing: SyncAnswer | undefined;
  session: TimerHandle | undefined;
}

const NO_GENERATION = -1;

export function joinRefused(memberId: string, errorCode: number): JoinGroupAnswer {
  return { errorCode, generationId: NO_GENERATION, protocol: null, leaderId: '', memberId, members: [] };
}

export function syncRefused(errorCode: number): SyncGroupAnswer {
  return { errorCode, assignment: Buffer.alloc(0) };
}

/** One consumer group of the classic protocol: who is in it, in which generation. */
export class Group {
  state: GroupState = 'empty';
  generation = 0;
  protocolType: string | undefined;
  protocol: string | null = null;
  leaderId = '';
  /** In order of joining. */
  readonly members = new Map<string, GroupMember>();
  /** Ids that were handed out (79) and have not come back to join: a join waits for them, up to their session timeout. */
  readonly pendingJoins = new Map<string, TimerHandle>();
  /** Members of this generation whose SyncGroup has not come. */
  readonly awaitedSyncs = new Set<string>();
  readonly #memberOfInstance = new Map<string, string>();
  readonly offsets = new GroupOffsets();
  /** The group was empty before: its first generation begins with its timer, whoever has joined by then. */
  isFirstRebalance = false;
  rebalanceTimer: TimerHandle | undefined;
  syncTimer: TimerHandle | undefined;

  constructor(readonly groupId: string) {}

  get rebalanceTimeoutMs(): number {
    return Math.max(0, ...Array.from(this.members.values(), (member) => member.rebalanceTimeoutMs));
  }

  /** What the broker keeps of this generation, about. */
  get recordBytes(): number {
    let bytes = 0;
    for (const { protocols, assignment } of this.members.values()) {
      bytes += assignment.length + (protocols.find(({ name }) => name === this.protocol)?.metadata.length ?? 0);
    }
    return bytes;
  }

  get hasAllJoined(): boolean {
    return this.pendingJoins.size === 0 && [...this.members.values()].every((member) => member.joining !== undefined);
  }

  memberOfInstance(groupInstanceId: string): string | undefined {
    return this.#memberOfInstance.get(groupInstanceId);
  }

  add(member: GroupMember, protocolType: string): void {
    if (this.members.size === 0) {
      this.protocolType = protocolType;
      this.leaderId = '';
    }
    this.members.set(member.memberId, member);
    if (member.groupInstanceId !== null) this.#memberOfInstance.set(member.groupInstanceId, member.memberId);
    if (this.leaderId === '') this.leaderId = member.memberId;
  }

  remove(memberId: string): GroupMember | undefined {
    const member = this.members.get(memberId);
    if (member === undefined) return undefined;
    member.session?.cancel();
    this.members.delete(memberId);
    this.awaitedSyncs.delete(memberId);
    const { groupInstanceId } = member;
    if (groupInstanceId !== null && this.#memberOfInstance.get(groupInstanceId) === memberId)
      this.#memberOfInstance.delete(groupInstanceId);
    if (this.leaderId === memberId) this.leaderId = this.members.keys().next().value ?? '';
    return member;
  }

  /** A static member came back with a new id: same place, same assignment. Whoever still waits under the old id is fenced. */
  replace(old: GroupMember, memberId: string): GroupMember {
    old.joining?.(joinRefused(old.memberId, brokerCode.FENCED_INSTANCE_ID));
    old.syncing?.(syncRefused(brokerCode.FENCED_INSTANCE_ID));
    const wasLeader = this.leaderId === old.memberId;
    const wasAwaited = this.awaitedSyncs.has(old.memberId);
    this.remove(old.memberId);
    const member = { ...old, memberId, joining: undefined, syncing: undefined, session: undefined };
    this.add(member, this.protocolType ?? '');
    if (wasLeader) this.leaderId = memberId;
    if (wasAwaited) this.awaitedSyncs.add(memberId);
    return member;
  }

  /** 0, 25, or 82 when another process has taken over the instance id. */
  checkMember(memberId: string, groupInstanceId: string | null): number {
    if (groupInstanceId !== null) {
      const holder = this.#memberOfInstance.get(groupInstanceId);
      if (holder === undefined) return brokerCode.UNKNOWN_MEMBER_ID;
      if (holder !== memberId) return brokerCode.FENCED_INSTANCE_ID;
    }
    return this.members.has(memberId) ? brokerCode.NONE : brokerCode.UNKNOWN_MEMBER_ID;
  }

  /** Whether somebody with these protocols can be in one group with the present members. */
  supports(protocolType: string, protocols: readonly Protocol[]): boolean {
    if (protocolType === '' || protocols.length === 0) return false;
    if (this.members.size === 0) return true;
    return protocolType === this.protocolType && protocols.some(({ name }) => this.#isCommon(name));
  }

  /** Each member votes for its first protocol that all have; the most votes win, the first one at a tie. */
  selectProtocol(): string {
    const votes = new Map<string, number>();
    for (const member of this.members.values()) {
      const choice = member.protocols.find(({ name }) => this.#isCommon(name))?.name ?? '';
      votes.set(choice, (votes.get(choice) ?? 0) + 1);
    }
    const [[first] = ['']] = [...votes].sort(([, a], [, b]) => b - a);
    return first;
  }

  /** What a member of the present generation is told at its JoinGroup. Only the leader learns about the others. */
  joinAnswer(member: GroupMember, leaderId = this.leaderId): JoinGroupAnswer {
    const isLeader = leaderId === member.memberId;
    const members = isLeader ? Array.from(this.members.values(), (each) => this.#asSeenByLeader(each)) : [];
    const { generation: generationId, protocol } = this;
    return { errorCode: brokerCode.NONE, generationId, protocol, leaderId, memberId: member.memberId, members };
  }

  #asSeenByLeader({ memberId, groupInstanceId, protocols }: GroupMember): JoinGroupAnswer['members'][number] {
    const metadata = protocols.find(({ name }) => name === this.protocol)?.metadata ?? Buffer.alloc(0);
    return { memberId, groupInstanceId, metadata: Buffer.from(metadata) };
  }

  #isCommon(name: string): boolean {
    return [...this.members.values()].every(({ protocols }) => protocols.some((protocol) => protocol.name === name));
  }
}

export function hasSameProtocols(member: GroupMember, protocols: readonly Protocol[]): boolean {
  return (
    member.protocols.length === protocols.length &&
    member.protocols.every(({ name, metadata }, index) => {
      const other = protocols[index]!;
      return name === other.name && Buffer.compare(metadata, other.metadata) === 0;
    })
  );
}
