import type { Clock } from '../time/clock';
import { brokerCode } from './broker-code';
import { type Group, type GroupMember, joinRefused, syncRefused } from './group';

export interface RebalanceOptions {
  /** group.initial.rebalance.delay.ms: how long the first member of an empty group waits for others. */
  readonly initialDelayMs: number;
}

/** What moves a group from one generation to the next: joins, leaves, and timeouts by the clock. */
export class Rebalance {
  constructor(
    private readonly clock: Clock,
    private readonly options: RebalanceOptions,
  ) {}

  /** Begins a rebalance, or goes on with the one under way. */
  prepare(group: Group): void {
    if (group.state === 'preparing rebalance') {
      this.#completeIfAllJoined(group);
      return;
    }
    group.isFirstRebalance = group.state === 'empty';
    for (const member of group.members.values()) member.assignment = Buffer.alloc(0);
    // Whoever waits for the leader's assignment has to join again.
    this.answerSyncs(group, brokerCode.REBALANCE_IN_PROGRESS);
    group.syncTimer?.cancel();
    group.state = 'preparing rebalance';
    if (group.isFirstRebalance) {
      group.rebalanceTimer = this.clock.setTimer(this.options.initialDelayMs, () => this.#complete(group));
      return;
    }
    group.rebalanceTimer = this.clock.setTimer(group.rebalanceTimeoutMs, () => this.#complete(group));
    this.#completeIfAllJoined(group);
  }

  /** Takes the member out, and lets the others know. */
  remove(group: Group, memberId: string): void {
    const member = group.remove(memberId);
    if (member === undefined) return;
    member.joining?.(joinRefused(memberId, brokerCode.UNKNOWN_MEMBER_ID));
    member.syncing?.(syncRefused(brokerCode.UNKNOWN_MEMBER_ID));
    if (group.state !== 'empty') this.prepare(group);
  }

  /** An id was handed out: it may join within its session timeout, and the others wait for it. */
  expect(group: Group, memberId: string, sessionTimeoutMs: number): void {
    const timer = this.clock.setTimer(sessionTimeoutMs, () => this.forgetExpected(group, memberId));
    group.pendingJoins.set(memberId, timer);
  }

  forgetExpected(group: Group, memberId: string): boolean {
    const timer = group.pendingJoins.get(memberId);
    if (timer === undefined) return false;
    timer.cancel();
    group.pendingJoins.delete(memberId);
    if (group.state === 'preparing rebalance') this.#completeIfAllJoined(group);
    return true;
  }

  /** The member is alive: its session begins anew. */
  touch(group: Group, member: GroupMember): void {
    member.session?.cancel();
    member.session = this.clock.setTimer(member.sessionTimeoutMs, () => {
      // Who waits for an answer of ours cannot send heartbeats; the session goes on when it gets it.
      const isWaiting = member.joining !== undefined || member.syncing !== undefined;
      if (!isWaiting) this.remove(group, member.memberId);
    });
  }

  /** Answers everybody who waits for the assignment. */
  answerSyncs(group: Group, errorCode: number): void {
    for (const member of group.members.values()) {
      const { syncing } = member;
      if (syncing === undefined) continue;
      member.syncing = undefined;
      syncing(errorCode === brokerCode.NONE ? { errorCode, assignment: Buffer.from(member.assignment) } : syncRefused(errorCode));
      this.touch(group, member);
    }
  }

  #completeIfAllJoined(group: Group): void {
    if (group.hasAllJoined && !group.isFirstRebalance) this.#complete(group);
  }

  /** The next generation begins here, whenever its members read their answers. */
  #complete(group: Group): void {
    group.rebalanceTimer?.cancel();
    group.isFirstRebalance = false;
    for (const member of [...group.members.values()]) {
      if (member.joining === undefined && member.groupInstanceId === null) group.remove(member.memberId);
    }
    if (group.members.size > 0 && !electLeader(group)) {
      // Static members only, and none has come: their sessions decide.
      group.rebalanceTimer = this.clock.setTimer(group.rebalanceTimeoutMs, () => this.#complete(group));
      return;
    }
    group.generation++;
    if (group.members.size === 0) {
      group.state = 'empty';
      group.protocol = null;
      return;
    }
    group.state = 'completing rebalance';
    group.protocol = group.selectProtocol();
    group.awaitedSyncs.clear();
    for (const member of group.members.values()) {
      const { joining } = member;
      member.joining = undefined;
      joining?.(group.joinAnswer(member));
      this.touch(group, member);
      group.awaitedSyncs.add(member.memberId);
    }
    this.#expectSyncs(group);
  }

  /** Members that join but do not sync leave the group after the rebalance timeout. */
  #expectSyncs(group: Group): void {
    const { generation } = group;
    group.syncTimer?.cancel();
    group.syncTimer = this.clock.setTimer(group.rebalanceTimeoutMs, () => {
      if (group.generation !== generation || group.awaitedSyncs.size === 0) return;
      for (const memberId of [...group.awaitedSyncs]) group.remove(memberId);
      this.prepare(group);
    });
  }
}

/** The leader stays if it has joined again, else the first who has becomes it. False: nobody has. */
function electLeader(group: Group): boolean {
  if (group.members.get(group.leaderId)?.joining !== undefined) return true;
  const next = [...group.members.values()].find((member) => member.joining !== undefined);
  if (next === undefined) return false;
  group.leaderId = next.memberId;
  return true;
}
