import type { MillraceError } from '../errors/millrace-error';
import { Fetcher } from '../kafka/fetcher';
import { InternalTopics } from '../kafka/internal-topics';
import type { HeldTask } from '../kafka/held-tasks';
import { Membership } from '../kafka/membership';
import { PartitionWatch } from '../kafka/partition-watch';
import { OffsetReader } from '../kafka/offsets';
import { TransactionalProducer } from '../kafka/transaction';
import { Loop } from '../task/loop';
import type { SealedTask } from '../task/stream-task';
import { TaskAssignment } from './assignment';
import { CommitCycle } from './commit';
import type { Ground } from './ground';
import { partitionsOf } from './layout';
import { LocalTasks } from './local-tasks';
import { nonceOfProcess } from './member-thread';
import { planFingerprint } from './plan-fingerprint';
import { RepartitionPurge } from './repartition-purge';
import { StartPositions } from './start-positions';

/** ms a broker may hold a fetch: a partition that is added waits for the one under way. */
const FETCH_WAIT_MS = 100;
/** ms a task may take to reach a boundary when it is given up; every joining member waits as long. */
const DRAIN_WITHIN_MS = 10_000;

/** What the parts tell the instance. */
export interface CompositionEvents {
  committed(sealed: readonly SealedTask[]): void;
  /** Tasks came, went or became ready. */
  changed(): void;
  afterSlice(): void;
  failed(reason: MillraceError): void;
}

/** The parts of one running instance, made and tied together; nothing is started here. */
export class Composition {
  readonly offsets: OffsetReader;
  readonly producer: TransactionalProducer;
  readonly fetcher: Fetcher;
  readonly loop: Loop;
  readonly membership: Membership;
  readonly cycle: CommitCycle;
  readonly assignment: TaskAssignment;
  readonly partitions: PartitionWatch;
  readonly local: LocalTasks;
  private readonly transactionalId: string;
  private needsRecovery = false;
  /** Several tasks begin at once. */
  private recovering: Promise<void> | undefined;

  constructor(
    private readonly ground: Ground,
    private readonly events: CompositionEvents,
  ) {
    const { config, adapters, layout, slot, port, view } = ground;
    const { clock } = adapters;
    this.transactionalId = `${config.applicationId}-${slot.id}-${adapters.thread?.number ?? 0}`;
    this.offsets = new OffsetReader({ port, view, clock });
    this.producer = this.makeProducer();
    this.fetcher = new Fetcher({ port, view, clock, logger: config.logger, lane: 'input', readCommitted: true, maxWaitMs: FETCH_WAIT_MS });
    this.loop = new Loop({
      clock,
      fairInEventTime: layout.repartitionOrder.length > 0,
      afterSlice: () => {
        events.afterSlice();
      },
    });
    this.partitions = this.makePartitionWatch();
    this.membership = this.makeMembership();
    this.cycle = this.makeCycle();
    this.local = new LocalTasks(ground, {
      offsets: this.offsets,
      wake: () => {
        this.loop.wake();
      },
      joinAnew: () => {
        this.membership.joinAnew();
      },
      looked: () => {
        this.assignment.notePositions();
      },
    });
    this.assignment = this.makeAssignment();
  }

  private makeProducer(): TransactionalProducer {
    const { port, view, adapters, config } = this.ground;
    return new TransactionalProducer({
      port,
      view,
      clock: adapters.clock,
      logger: config.logger,
      transactionalId: this.transactionalId,
      transactionTimeoutMs: config.transactionTimeout,
      ...(adapters.onTransactionStep === undefined ? {} : { onStep: adapters.onTransactionStep }),
    });
  }

  private makeMembership(): Membership {
    const { port, view, adapters, config, layout, slot } = this.ground;
    const { clock } = adapters;
    return new Membership({
      port,
      view,
      clock,
      logger: config.logger,
      groupId: config.applicationId,
      groupInstanceId: config.instanceId === undefined ? null : `${config.instanceId}-${adapters.thread?.number ?? 0}`,
      instance: slot.id,
      nonce: adapters.thread?.nonce ?? nonceOfProcess(clock),
      transactionalId: this.transactionalId,
      topics: layout.inputs.map(({ topic }) => topic),
      taskCount: layout.tasks,
      partitionsOf: (task) => partitionsOf(layout, task),
      sessionTimeoutMs: config.sessionTimeout,
      heartbeatIntervalMs: config.heartbeatInterval,
      rebalanceTimeoutMs: Math.max(config.sessionTimeout, config.transactionTimeout),
      held: () => this.held(),
      plan: planFingerprint(layout),
      standbyReplicas: layout.stores.length === 0 ? 0 : config.standbyReplicas,
      acceptableLag: config.acceptableLag,
      maxWarmups: config.maxWarmups,
      probingIntervalMs: config.probingInterval,
      events: {
        joined: () => {
          this.partitions.look();
        },
        assigned: (tasks) => {
          config.metrics.add('rebalance-total', 1, {});
          this.assignment.assigned(tasks);
        },
        revoked: (tasks) => this.assignment.revoked(tasks, true),
        followed: (order) => {
          this.local.standbys.follow(order);
          // Without tasks there is nothing else to be told by: an instance that is left over is at work too.
          this.events.changed();
        },
        lost: () => {
          this.assignment.lost();
        },
        stopAll: (reason) => {
          this.events.failed(reason);
        },
        failed: (reason) => {
          this.events.failed(reason);
        },
      },
    });
  }

  private makePartitionWatch(): PartitionWatch {
    const { port, view, adapters, config, layout, plan } = this.ground;
    return new PartitionWatch({
      port,
      clock: adapters.clock,
      logger: config.logger,
      inputs: layout.inputs,
      globals: new Map(plan.globals.map(({ name }) => [name, view.knownPartitions(name) ?? Infinity])),
      isStateful: layout.owned.length > 0 || layout.stores.length > 0,
      grown: (reason) => {
        this.events.failed(reason);
      },
    });
  }

  private makeCycle(): CommitCycle {
    const { port, view, adapters, config, layout, written } = this.ground;
    const { logger, metrics } = config;
    const { clock } = adapters;
    const purge = new RepartitionPurge({ layout, topics: new InternalTopics({ port, view, clock, logger }), clock, logger });
    return new CommitCycle({
      producer: this.producer,
      membership: this.membership,
      clock,
      metrics,
      layout,
      intervalMs: config.commitInterval,
      compression: config.compression,
      written: written.written,
      tasks: () => this.assignment.all(),
      events: {
        committed: (sealed) => {
          purge.committed(sealed);
          // What was read and is committed now takes no memory any more.
          this.assignment.relieve();
          this.events.committed(sealed);
        },
        aborted: (tasks, reason) => {
          logger.warn({ code: reason.code }, `a transaction was aborted, its tasks start again: ${reason.message}`);
          this.assignment.revive(tasks);
        },
        lost: (tasks, reason) => {
          this.needsRecovery = true;
          logger.warn({ code: reason.code }, reason.message);
          // The membership was lost in the meantime, and its tasks dropped: those of now are of another one.
          if (tasks.length > 0 && tasks.every(({ dropped }) => dropped)) return;
          this.assignment.lost();
          // The group may still count us in: then nobody else would ever get these tasks, nor we again.
          this.membership.startOver();
        },
        failed: (reason) => {
          this.events.failed(reason);
        },
      },
    });
  }

  /** Of a task that has been given to this instance a moment ago its standby may still speak. */
  private held(): HeldTask[] {
    const all = [...this.local.folders.held(), ...this.local.standbys.held(), ...this.assignment.held()];
    return [...new Map(all.map((each) => [each.task, each])).values()];
  }

  private makeAssignment(): TaskAssignment {
    const { ground, offsets, membership, loop, fetcher, cycle, local } = this;
    const { folders, standbys, builder: factory } = local;
    const { port, view, adapters, config, layout } = ground;
    const { clock } = adapters;
    return new TaskAssignment({
      layout,
      fetcher,
      loop,
      starts: new StartPositions({ port, view, offsets, membership, clock, groupId: config.applicationId, layout }),
      factory,
      stores: {
        open: (task) => folders.open(task),
        take: (task) => standbys.take(task),
        rest: (stores) => {
          standbys.rest(stores);
        },
        close: (stores) => folders.close(stores),
      },
      clock,
      logger: config.logger,
      drainWithinMs: Math.min(DRAIN_WITHIN_MS, config.sessionTimeout),
      beforeOpen: () => this.recover(),
      commitNow: () => cycle.now(),
      failed: (reason) => {
        this.events.failed(reason);
      },
      changed: () => {
        this.events.changed();
      },
    });
  }

  /** After a lost membership the producer's epoch is renewed, now that the group was joined again; never before. */
  private async recover(): Promise<void> {
    await this.cycle.settled();
    if (this.needsRecovery) await (this.recovering ??= this.recoverOnce());
  }

  private async recoverOnce(): Promise<void> {
    try {
      const fenced = await this.producer.recover();
      if (fenced !== undefined) throw fenced;
      this.needsRecovery = false;
    } finally {
      this.recovering = undefined;
    }
  }
}
