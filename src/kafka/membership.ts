import { MillraceError } from '../errors/millrace-error';
import { delay, type TimerHandle } from '../time/clock';
import { DepartedProducers } from './departed-producers';
import { describeCode } from './describe-code';
import { DuplicateWatch } from './duplicate-watch';
import { kafkaCode } from './error-codes';
import { decodeOrder, encodeClaim, groupProtocol, protocolType, type MemberClaim, type MemberOrder } from './group-protocol';
import { deferred } from './deferred';
import { GroupRequests } from './group-requests';
import { NO_ORDERS, ordersOf } from './leading';
import type { JoinGroupAnswer, MemberIdentity } from './port';
import type { MembershipOptions } from './membership-options';
import { fatal, notKept, notKeptBudget, troubleOf, unexpected } from './membership-trouble';
import { StopOfAll } from './stop-word';
import { takenOver } from './taken-over';
import { WakeablePause } from './wakeable-pause';

/**
 * One member of the group: joins, keeps its heartbeat, and joins again when others come or go. Cooperative: tasks that stay are
 * never interrupted; what must move is given up first, then the group is joined once more. One join at a time.
 */
export class Membership {
  private memberId = '';
  private generationId = -1;
  private nextGeneration = deferred();
  private owned: readonly number[] = [];
  private ownedIn = -1;
  private stopped = false;
  private rejoinWanted = false;
  private joining: Promise<void> | undefined;
  private running: Promise<void> | undefined;
  /** Joins again although nothing new was heard. */
  private probe: TimerHandle | undefined;

  /** The joins that this member wanted itself. */
  private round = 0;
  /** Times in a row that the broker could not keep the group. */
  private notKept = 0;
  private readonly pause: WakeablePause;
  /** What every JoinGroup says. */
  private readonly asks;
  private readonly requests: GroupRequests;
  private readonly departed: DepartedProducers;
  private readonly stopOfAll: StopOfAll;
  private readonly duplicates: DuplicateWatch;

  constructor(private readonly options: MembershipOptions) {
    const { groupId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs } = options;
    this.asks = { groupId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs };
    const patienceMs = options.sessionTimeoutMs + 2 * options.heartbeatIntervalMs;
    this.requests = new GroupRequests(options);
    this.departed = new DepartedProducers(options);
    this.stopOfAll = new StopOfAll(options);
    this.pause = new WakeablePause(options.clock);
    // By then the session of a process that died as it joined is over, and everybody has heard of that.
    this.duplicates = new DuplicateWatch({ ...options, patienceMs });
  }

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

  /**
   * Settles when no join is under way; with a generation as soon as there is a later one, even if nobody has said yet who gets what: tasks
   * that were ours stay so until we have given them up and joined again.
   */
  async settled(after = Infinity): Promise<void> {
    while (this.joining !== undefined && this.generationId <= after) await Promise.race([this.joining, this.nextGeneration.promise]);
  }

  /** Asks the coordinator now: true while this membership is valid, also during somebody's join. */
  async inGoodStanding(): Promise<boolean> {
    const answer = await this.heartbeat();
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
    this.round++;
    this.rejoinWanted = true;
    this.pause.wake();
  }

  /**
   * Has every member stop, this one included: each is told by `stopAll` as soon as the group has been joined again, and those that cannot be
   * reached when they are. Who joins after that is not meant. If the group cannot be joined within a session, this member stops alone.
   */
  stopAll(reason: string): void {
    this.stopOfAll.say(reason);
    this.joinAnew();
  }

  /** Ends heartbeats and joins, and says nothing to the group: its session ends by itself. */
  stop(): void {
    this.stopped = true;
    this.requests.stop();
    this.departed.pause();
    this.probe?.cancel();
    this.stopOfAll.end();
    this.pause.wake();
  }

  /**
   * Stops and leaves. A static member stays in the group until its session ends, so that a restart within that time moves nothing
   * (KIP-345), unless it goes for good: then the others get its tasks at once.
   */
  async leave({ forGood = false }: { readonly forGood?: boolean } = {}): Promise<void> {
    if (this.stopped) return;
    this.stop();
    const { port, groupId, groupInstanceId } = this.options;
    if (this.memberId === '' || (groupInstanceId !== null && !forGood)) return;
    try {
      const node = await this.requests.coordinator();
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
    const done = deferred();
    this.joining = done.promise;
    let order: MemberOrder | undefined;
    try {
      while (order === undefined && !this.stopped) order = await this.joinOnce();
    } finally {
      this.joining = undefined;
      done.resolve();
    }
    if (order !== undefined && !this.stopped) await this.follow(order);
  }

  /** One JoinGroup and SyncGroup; undefined: again. */
  private async joinOnce(): Promise<MemberOrder | undefined> {
    this.rejoinWanted = false;
    this.probe?.cancel();
    this.departed.pause();
    const { memberId } = this;
    const protocols = [{ name: groupProtocol, metadata: this.claim() }];
    const joined = await this.requests.ask('JoinGroup', (node) =>
      this.options.port.joinGroup(node, { ...this.asks, memberId, protocolType, protocols }),
    );
    if (joined === undefined) return undefined;
    if (joined.errorCode === kafkaCode.MEMBER_ID_REQUIRED) {
      this.memberId = joined.memberId;
      return undefined;
    }
    if (joined.errorCode !== kafkaCode.NONE) {
      await this.troubled('JoinGroup', joined.errorCode);
      return undefined;
    }
    this.memberId = joined.memberId;
    this.generationId = joined.generationId;
    this.nextGeneration.resolve();
    this.nextGeneration = deferred();
    return this.sync(joined);
  }

  private async sync(joined: JoinGroupAnswer): Promise<MemberOrder | undefined> {
    const { port, clock } = this.options;
    const leading = { ...this.options, producersOf: (claims: readonly MemberClaim[]) => this.departed.lead(claims) };
    const { assignments, bytes } = joined.leaderId === joined.memberId ? ordersOf(joined, leading) : NO_ORDERS;
    const synced = await this.requests.ask('SyncGroup', (node) => port.syncGroup(node, { ...this.identity(), assignments }));
    if (synced === undefined) return undefined;
    if (synced.errorCode === kafkaCode.UNKNOWN_SERVER_ERROR) {
      this.notKept++;
      // The leader alone: without it the others may be few enough.
      if (bytes !== undefined && this.notKept >= notKeptBudget.times) throw notKept(this.options.groupId, bytes);
      await delay(clock, notKeptBudget.pauseMs);
      return undefined;
    }
    if (synced.errorCode !== kafkaCode.NONE) {
      await this.troubled('SyncGroup', synced.errorCode);
      return undefined;
    }
    this.notKept = 0;
    return decodeOrder(synced.assignment);
  }

  private claim(): Uint8Array {
    const { topics, instance, nonce, transactionalId, taskCount, plan, held } = this.options;
    const { owned, ownedIn: generation, round } = this;
    const { remembered: producers } = this.departed;
    const { word: stop } = this.stopOfAll;
    return encodeClaim(topics, {
      ...{ instance, nonce, owned, generation, transactionalId, taskCount, plan, held: held() },
      ...(round > 0 ? { round } : {}),
      ...(producers.length > 0 ? { producers } : {}),
      ...(stop === undefined ? {} : { stop }),
    });
  }

  /** Takes what is new at once, gives up what must go, and joins again if something went. */
  private async follow(order: MemberOrder): Promise<void> {
    const { standby, warmup = [], rejoinAfterMs, producers } = order;
    this.departed.remember(producers);
    this.options.events.joined();
    const tasks = this.tasksOf(order);
    const revoked = this.owned.filter((task) => !tasks.includes(task));
    const added = tasks.filter((task) => !this.owned.includes(task));
    this.owned = tasks;
    this.ownedIn = this.generationId;
    if (added.length > 0) this.options.events.assigned(added);
    if (revoked.length > 0) await this.giveUp(revoked);
    if (this.stopped) return;
    if (standby !== undefined) this.options.events.followed({ standby, warmup });
    const askAfterMs = this.duplicates.hear(order) ?? rejoinAfterMs;
    if (askAfterMs === undefined) return;
    this.probe = this.options.clock.setTimer(askAfterMs, () => {
      this.joinAnew();
    });
  }

  /** Of those ordered, the ones to have. */
  private tasksOf(order: MemberOrder): readonly number[] {
    const { tasks, to } = order;
    const { taskCount, plan, nonce } = this.options;
    this.stopOfAll.hear(order, this.generationId);
    if (this.stopOfAll.word !== undefined) return tasks.filter((task) => this.owned.includes(task));
    if (to === undefined || to.nonce === nonce) return tasks;
    // Meant for the process whose place we have taken. It may have had another plan: what both know is ours until the group is asked. And
    // if it was to give tasks up, nobody else would ever tell that they are free.
    if (to.plan !== plan || to.taskCount !== taskCount || to.givesUp === true) this.joinAnew();
    return tasks.filter((task) => task < taskCount);
  }

  private async giveUp(revoked: readonly number[]): Promise<void> {
    const given = { up: false };
    const draining = this.options.events.revoked(revoked).finally(() => {
      given.up = true;
      this.pause.wake();
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
    await this.pause.for(this.options.heartbeatIntervalMs);
    if (this.stopped || enough() || this.memberId === '') return;
    const answer = await this.heartbeat();
    if (answer === undefined || answer.errorCode === kafkaCode.NONE || this.isStopped()) return;
    if (answer.errorCode === kafkaCode.REBALANCE_IN_PROGRESS) this.rejoinWanted = true;
    else await this.troubled('Heartbeat', answer.errorCode);
  }

  private heartbeat(): Promise<{ readonly errorCode: number } | undefined> {
    return this.requests.ask('Heartbeat', (node) => this.options.port.heartbeat(node, this.identity()), false);
  }

  // ---- troubles

  private async troubled(what: string, code: number): Promise<void> {
    const trouble = troubleOf(code);
    const { groupId, logger } = this.options;
    const said = `${what} was answered ${describeCode(code)}`;
    if (trouble === 'taken over') throw await takenOver(this.options, this.requests);
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
