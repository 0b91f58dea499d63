import { MillraceError } from '../errors/millrace-error';
import type { Logger } from '../model/logger';
import { delay, type Clock, type TimerHandle } from '../time/clock';
import { assign } from './assignor';
import type { ClusterView } from './cluster-view';
import { describeCode } from './describe-code';
import { kafkaCode } from './error-codes';
import { decodeClaim, decodeOrder, encodeClaim, encodeOrder, groupProtocol, protocolType, type MemberOrder } from './group-protocol';
import type { HeldTask } from './held-tasks';
import type { JoinGroupAnswer, KafkaPort, MemberIdentity, NodeId, TopicPartition } from './port';
import { coordinatorBusy, coordinatorMoved } from './retriable-codes';
import { fatal, troubleOf, unexpected } from './membership-trouble';
import { isUnread, steady } from './retrying';

/** What a membership tells its owner. *revoked*, *lost* and a stop are three things. */
export interface MembershipEvents {
  /** These tasks are ours from now on, besides those we have. */
  assigned(tasks: readonly number[]): void;
  /** These go to others: drain, commit, close; the group is joined again when this settles. */
  revoked(tasks: readonly number[]): Promise<void>;
  /**
   * Exactly these are to be followed from now on: told after what the same join assigned and revoked, at every join. Never told by a leader
   * of revision 1, which knows of none: those there are stay.
   */
  followed(order: FollowOrder): void;
  /** The generation is void: nothing of what is under way may be committed. A new join is under way already. */
  lost(reason: MillraceError): void;
  /** The group cannot be joined: not retried. */
  failed(reason: MillraceError): void;
}

/** Tasks whose changelogs this instance follows while another is active. */
export interface FollowOrder {
  readonly standby: readonly number[];
  /** To be taken over: once one is within the acceptable lag, `joinAnew`. */
  readonly warmup: readonly number[];
}

export interface MembershipOptions {
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly groupId: string;
  readonly groupInstanceId: string | null;
  readonly instance: string;
  readonly nonce: string;
  readonly transactionalId: string;
  readonly topics: readonly string[];
  readonly taskCount: number;
  /** The input partitions of a task, shown by Kafka's own tools. */
  readonly partitionsOf: (task: number) => readonly TopicPartition[];
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Asked at every join: the tasks whose state lies on this instance's disk. */
  readonly held: () => readonly HeldTask[];
  /** A fingerprint of the stores: positions of members that have another one are not compared with ours. */
  readonly plan: string;
  /** What this member asks for if it leads. */
  readonly standbyReplicas: number;
  readonly acceptableLag: number;
  readonly maxWarmups: number;
  readonly probingIntervalMs: number;
  readonly events: MembershipEvents;
}

/**
 * One member of the group: joins, keeps its heartbeat, and joins again when others come or go. Cooperative: tasks that stay are
 * never interrupted; what must move is given up first, then the group is joined once more. One join at a time.
 */
export class Membership {
  private memberId = '';
  private generationId = -1;
  private owned: readonly number[] = [];
  private ownedIn = -1;
  private stopped = false;
  private rejoinWanted = false;
  private joining: Promise<void> | undefined;
  private running: Promise<void> | undefined;
  private wakeHeartbeat: (() => void) | undefined;
  private heartbeatTimer: TimerHandle | undefined;
  /** Joins again although nothing was heard of a warm-up. */
  private probe: TimerHandle | undefined;

  constructor(private readonly options: MembershipOptions) {}

  start(): void {
    this.running ??= this.run();
  }

  /** As of now: what a transaction's offsets are fenced with. */
  identity(): MemberIdentity {
    const { groupId, groupInstanceId } = this.options;
    return { groupId, memberId: this.memberId, generationId: this.generationId, groupInstanceId };
  }

  /** The tasks that are ours, by the last join that was completed. */
  get tasks(): readonly number[] {
    return this.owned;
  }

  /** Settles when no join is under way. */
  async settled(): Promise<void> {
    while (this.joining !== undefined) await this.joining;
  }

  /** Asks the coordinator now: true while this membership is valid, also during somebody's join. */
  async inGoodStanding(): Promise<boolean> {
    const { port } = this.options;
    const answer = await this.ask('Heartbeat', (node) => port.heartbeat(node, this.identity()), false);
    return answer?.errorCode === kafkaCode.NONE || answer?.errorCode === kafkaCode.REBALANCE_IN_PROGRESS;
  }

  /** What was done under this membership is void: all tasks are given up at once, and asked for anew by another join. */
  startOver(): void {
    this.owned = [];
    this.ownedIn = -1;
    this.joinAnew();
  }

  /** Joins once more, for another generation; tasks stay. What was sent under this one and is executed late is refused from then on. */
  joinAnew(): void {
    this.rejoinWanted = true;
    this.wakeHeartbeat?.();
  }

  /** Ends heartbeats and joins, and says nothing to the group: its session ends by itself. */
  stop(): void {
    this.stopped = true;
    this.probe?.cancel();
    this.wakeHeartbeat?.();
  }

  /** Stops and leaves; a static member stays in the group until its session ends, so that a restart moves nothing. */
  async leave(): Promise<void> {
    if (this.stopped) return;
    this.stop();
    const { port, groupId, groupInstanceId } = this.options;
    if (this.memberId === '' || groupInstanceId !== null) return;
    try {
      const node = await this.coordinator();
      await port.leaveGroup(node, { groupId, members: [{ memberId: this.memberId, groupInstanceId }] });
    } catch (cause) {
      this.options.logger.warn({ group: groupId, cause: String(cause) }, 'could not leave the group; its session will time out');
    }
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      try {
        await this.joinAndSync();
        await this.stay();
      } catch (cause) {
        if (!this.isStopped()) this.options.events.failed(cause instanceof MillraceError ? cause : unexpected(cause));
        return;
      }
    }
  }

  // ---- joining

  private async joinAndSync(): Promise<void> {
    let done: () => void = () => undefined;
    this.joining = new Promise((resolve) => {
      done = resolve;
    });
    let order: MemberOrder | undefined;
    try {
      while (order === undefined && !this.stopped) order = await this.joinOnce();
    } finally {
      this.joining = undefined;
      done();
    }
    if (order !== undefined && !this.stopped) await this.follow(order);
  }

  /** One JoinGroup and SyncGroup; undefined: again. */
  private async joinOnce(): Promise<MemberOrder | undefined> {
    this.rejoinWanted = false;
    this.probe?.cancel();
    const { port, groupId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs } = this.options;
    const joined = await this.ask('JoinGroup', (node) =>
      port.joinGroup(node, {
        groupId,
        memberId: this.memberId,
        groupInstanceId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        protocolType,
        protocols: [{ name: groupProtocol, metadata: this.claim() }],
      }),
    );
    if (joined === undefined) return undefined;
    if (joined.errorCode === kafkaCode.MEMBER_ID_REQUIRED) {
      this.memberId = joined.memberId;
      return undefined;
    }
    if (joined.errorCode !== kafkaCode.NONE) {
      this.troubled('JoinGroup', joined.errorCode);
      return undefined;
    }
    this.memberId = joined.memberId;
    this.generationId = joined.generationId;
    return this.sync(joined);
  }

  private async sync(joined: JoinGroupAnswer): Promise<MemberOrder | undefined> {
    const { port } = this.options;
    const assignments = joined.leaderId === joined.memberId ? this.lead(joined) : [];
    const synced = await this.ask('SyncGroup', (node) => port.syncGroup(node, { ...this.identity(), assignments }));
    if (synced === undefined) return undefined;
    if (synced.errorCode !== kafkaCode.NONE) {
      this.troubled('SyncGroup', synced.errorCode);
      return undefined;
    }
    return decodeOrder(synced.assignment);
  }

  private lead(joined: JoinGroupAnswer): { memberId: string; assignment: Uint8Array }[] {
    const { taskCount, partitionsOf, logger, groupId, standbyReplicas, acceptableLag, maxWarmups, probingIntervalMs } = this.options;
    const members = joined.members.map(({ memberId, metadata }) => ({ ...decodeClaim(metadata), memberId }));
    const { orders } = assign(members, { taskCount, standbyReplicas, acceptableLag, maxWarmups, probingIntervalMs });
    logger.info({ group: groupId, generation: joined.generationId, members: members.length, tasks: taskCount }, 'assigning tasks');
    return members.map(({ memberId }) => {
      const { active: tasks = [], ...others } = orders.get(memberId) ?? {};
      return { memberId, assignment: encodeOrder(tasks.flatMap(partitionsOf), { tasks, ...others }) };
    });
  }

  private claim(): Uint8Array {
    const { topics, instance, nonce, transactionalId, taskCount, plan, held } = this.options;
    const { owned, ownedIn: generation } = this;
    return encodeClaim(topics, { instance, nonce, owned, generation, transactionalId, taskCount, plan, held: held() });
  }

  /** Takes what is new at once, gives up what must go, and joins again if something went. */
  private async follow({ tasks, standby, warmup = [], rejoinAfterMs }: MemberOrder): Promise<void> {
    const revoked = this.owned.filter((task) => !tasks.includes(task));
    const added = tasks.filter((task) => !this.owned.includes(task));
    this.owned = tasks;
    this.ownedIn = this.generationId;
    if (added.length > 0) this.options.events.assigned(added);
    if (revoked.length > 0) await this.giveUp(revoked);
    if (this.stopped) return;
    if (standby !== undefined) this.options.events.followed({ standby, warmup });
    if (rejoinAfterMs !== undefined) {
      this.probe = this.options.clock.setTimer(rejoinAfterMs, () => {
        this.joinAnew();
      });
    }
  }

  private async giveUp(revoked: readonly number[]): Promise<void> {
    const given = { up: false };
    const draining = this.options.events.revoked(revoked).finally(() => {
      given.up = true;
      this.wakeHeartbeat?.();
    });
    // Awaited below; a rejection before that is not unhandled.
    draining.catch(() => undefined);
    while (!given.up && !this.stopped) await this.beat(() => given.up);
    await draining;
    this.rejoinWanted = true;
  }

  // ---- staying

  private async stay(): Promise<void> {
    while (!this.stopped && !this.rejoinWanted) await this.beat(() => this.rejoinWanted);
  }

  /** Waits for one interval, then sends one heartbeat. */
  private async beat(enough: () => boolean): Promise<void> {
    await this.pause();
    if (this.stopped || enough() || this.memberId === '') return;
    const { port } = this.options;
    const answer = await this.ask('Heartbeat', (node) => port.heartbeat(node, this.identity()), false);
    if (answer === undefined || answer.errorCode === kafkaCode.NONE || this.isStopped()) return;
    if (answer.errorCode === kafkaCode.REBALANCE_IN_PROGRESS) this.rejoinWanted = true;
    else this.troubled('Heartbeat', answer.errorCode);
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        this.heartbeatTimer?.cancel();
        this.wakeHeartbeat = undefined;
        resolve();
      };
      this.wakeHeartbeat = go;
      this.heartbeatTimer = this.options.clock.setTimer(this.options.heartbeatIntervalMs, go);
    });
  }

  // ---- asking and its troubles

  /** Asks the coordinator; undefined: it moved, is loading, or the answer was never read. With `wait`, after a short pause. */
  private async ask<A extends { readonly errorCode: number }>(
    what: string,
    send: (node: NodeId) => Promise<A>,
    wait = true,
  ): Promise<A | undefined> {
    const { clock, view, groupId, logger } = this.options;
    try {
      const answer = await send(await this.coordinator());
      if (!coordinatorBusy.has(answer.errorCode)) return answer;
      if (coordinatorMoved.has(answer.errorCode)) view.forgetCoordinator('group', groupId);
    } catch (cause) {
      if (!isUnread(cause)) throw cause;
      if (this.stopped) return undefined;
      logger.warn({ group: groupId, cause: cause.message }, `${what} was not answered`);
      view.forgetCoordinator('group', groupId);
    }
    if (wait) await delay(clock, steady(0, clock));
    return undefined;
  }

  private coordinator(): Promise<NodeId> {
    return this.options.view.coordinator('group', this.options.groupId);
  }

  private troubled(what: string, code: number): void {
    const trouble = troubleOf(code);
    const { groupId, logger } = this.options;
    const said = `${what} was answered ${describeCode(code)}`;
    if (trouble === 'fatal') throw fatal(code, said, this.options);
    this.rejoinWanted = true;
    if (trouble === 'rejoin') return;
    logger.warn({ group: groupId, member: this.memberId, generation: this.generationId }, `membership lost: ${said}`);
    if (code === kafkaCode.UNKNOWN_MEMBER_ID) this.memberId = '';
    this.generationId = -1;
    const had = this.owned.length > 0;
    this.owned = [];
    this.ownedIn = -1;
    if (had)
      this.options.events.lost(new MillraceError('BROKER_ERROR', `membership of group "${groupId}" lost: ${said}`, { retryable: true }));
  }

  private isStopped(): boolean {
    return this.stopped;
  }
}
