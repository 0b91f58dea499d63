import type { Clock } from '../time/clock';
import { brokerCode } from './broker-code';
import { type Group, type GroupMember, joinRefused, syncRefused } from './group';
import type { GroupCoordinator } from './groups';
import { Rebalance } from './rebalance';

/** What the log has of a group: its last generation whose assignment was taken, or that it was empty. */
interface StoredGroup {
  readonly generation: number;
  readonly protocolType: string | undefined;
  readonly protocol: string | null;
  readonly leaderId: string;
  readonly members: readonly Pick<
    GroupMember,
    'memberId' | 'clientId' | 'groupInstanceId' | 'sessionTimeoutMs' | 'rebalanceTimeoutMs' | 'protocols' | 'assignment'
  >[];
}

const NEVER_STORED: StoredGroup = { generation: 0, protocolType: undefined, protocol: null, leaderId: '', members: [] };

/**
 * What becomes of groups when another node takes over: it reads the log, which knows nothing of a rebalance under way. Its members are as
 * they were, with sessions that begin anew, and a generation that nobody had synced is given once more. Offsets are all in the log.
 */
export class StoredGroups {
  readonly #stored = new Map<string, StoredGroup>();
  readonly #rebalance: Rebalance;

  constructor(
    clock: Clock,
    private readonly groups: GroupCoordinator,
  ) {
    this.#rebalance = new Rebalance(clock, { initialDelayMs: 0 });
  }

  /** After whatever may have changed it: what is stored before that is answered. */
  store(groupId: string): void {
    const group = this.groups.get(groupId);
    if (group?.state !== 'stable' && group?.state !== 'empty') return;
    const { generation, protocolType, protocol, leaderId } = group;
    const members = Array.from(group.members.values(), (member) => ({ ...member, assignment: Buffer.from(member.assignment) }));
    this.#stored.set(groupId, { generation, protocolType, protocol, leaderId, members });
  }

  /** Whoever waits for an answer is told to ask elsewhere. */
  unload(groupId: string): void {
    for (const member of this.groups.get(groupId)?.members.values() ?? []) {
      const { joining, syncing } = member;
      member.joining = undefined;
      member.syncing = undefined;
      joining?.(joinRefused(member.memberId, brokerCode.NOT_COORDINATOR));
      syncing?.(syncRefused(brokerCode.NOT_COORDINATOR));
    }
  }

  load(groupId: string): void {
    const group = this.groups.get(groupId);
    if (group === undefined) return;
    empty(group);
    const { generation, protocolType, protocol, leaderId, members } = this.#stored.get(groupId) ?? NEVER_STORED;
    for (const stored of members) {
      const member = { ...stored, assignment: Buffer.from(stored.assignment), joining: undefined, syncing: undefined, session: undefined };
      group.add(member, protocolType ?? '');
      this.#rebalance.touch(group, member);
    }
    Object.assign(group, { generation, protocol, leaderId, state: members.length > 0 ? 'stable' : 'empty' });
  }
}

function empty(group: Group): void {
  group.rebalanceTimer?.cancel();
  group.syncTimer?.cancel();
  for (const timer of group.pendingJoins.values()) timer.cancel();
  group.pendingJoins.clear();
  for (const memberId of [...group.members.keys()]) group.remove(memberId);
  group.awaitedSyncs.clear();
  group.isFirstRebalance = false;
}
