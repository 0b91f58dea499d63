import type { CheckedConfig } from '../config';
import { MillraceError } from '../errors/millrace-error';
import { ClusterView } from '../kafka/cluster-view';
import { Fetcher } from '../kafka/fetcher';
import { InternalTopics } from '../kafka/internal-topics';
import { Membership } from '../kafka/membership';
import { OffsetReader } from '../kafka/offsets';
import type { Broker, KafkaPort } from '../kafka/port';
import { TransactionalProducer } from '../kafka/transaction';
import type { TransactionStep } from '../kafka/transaction-outcome';
import type { Outgoing } from '../model/outgoing';
import { worstCaseSize } from '../state/cells';
import type { OpenBytes } from '../state/open-bytes';
import type { Slot } from '../state/slot';
import { Loop } from '../task/loop';
import { planTopology } from '../task/plan';
import type { SealedTask } from '../task/stream-task';
import type { Topology } from '../task/topology';
import type { Clock } from '../time/clock';
import type { AppState } from './app-state';
import { TaskAssignment } from './assignment';
import { caughtUp } from './caught-up';
import { CommitCycle } from './commit';
import type { Commit } from './commit-event';
import { layOut, partitionsOf, type Layout } from './layout';
import { RepartitionPurge } from './repartition-purge';
import { StartPositions } from './start-positions';
import { TaskBuilder } from './task-builder';
import { describeWritten } from './written-topics';

/** What only the composition root names. */
export interface Adapters {
  readonly clock: Clock;
  readonly broker: Broker;
  /** Undefined: every store is in memory. */
  readonly openBytes: OpenBytes | undefined;
  /** Told as each step of a transaction begins; for tests that stop the process there. */
  readonly onTransactionStep?: (step: TransactionStep) => void;
  /** Takes this instance's slot under the state directory. */
  readonly openSlot: () => Promise<Slot>;
}

export interface InstanceOptions {
  readonly config: CheckedConfig;
  readonly adapters: Adapters;
  readonly topology: Topology;
  readonly untilCaughtUp: boolean;
  readonly isWatched: (topic: string) => boolean;
  readonly committed: (commit: Commit) => void;
  readonly output: (outgoing: Outgoing) => void;
  readonly state: (state: AppState) => void;
}

/** ms a broker may hold a fetch: a partition that is added waits for the one under way. */
const FETCH_WAIT_MS = 100;
/** ms between two looks at the committed offsets of the whole group, while waiting to be caught up. */
const CAUGHT_UP_POLL_MS = 50;

/** One running instance: everything is made here, started in order, and ended in reverse. */
export class Instance {
  /** Settles when the instance has ended; rejects with what made it fail. */
  readonly ended: Promise<void>;
  private end: { resolve: () => void; reject: (reason: MillraceError) => void } | undefined;
  private ending: Promise<void> | undefined;
  private parts: Parts | undefined;
  private needsRecovery = false;
  private degraded = false;

  constructor(private readonly options: InstanceOptions) {
    this.ended = new Promise((resolve, reject) => {
      this.end = { resolve, reject };
    });
    this.ended.catch(() => undefined);
  }

  /** Settles when the group is being joined. */
  async start(): Promise<void> {
    const { config, adapters, topology } = this.options;
    const plan = planTopology(topology, adapters.clock);
    worstCaseSize(plan.cells);
    const port = adapters.broker.connect(config.applicationId);
    let slot: Slot | undefined;
    try {
      const { clock } = adapters;
      const view = new ClusterView({ port, clock, logger: config.logger, giveUpAfterMs: config.connectTimeout });
      const topics = [...plan.sources.map(({ name }) => name), ...plan.sinks];
      const known = await view.topics(topics);
      const counts = new Map([...known].map(([name, { partitions }]) => [name, partitions]));
      const layout = layOut(plan, config.applicationId, counts);
      await new InternalTopics({ port, view, clock, logger: config.logger, replicationFactor: config.replicationFactor }).ensure(
        layout.owned,
      );
      slot = await adapters.openSlot();
      await this.compose({ port, view, layout, slot, sinks: plan.sinks });
    } catch (cause) {
      await slot?.release();
      await port.close();
      throw cause;
    }
  }

  /** Drains, commits, leaves; what is not through after `within` ms is given up. */
  close(within: number): Promise<void> {
    this.ending ??= this.shutDown(within, undefined);
    return this.ending;
  }

  private fail(reason: MillraceError): void {
    this.options.config.logger.error({ code: reason.code }, reason.message);
    this.ending ??= this.shutDown(this.options.config.requestTimeout, reason);
  }

  // ---- composing

  private async compose(base: Base): Promise<void> {
    const { config, adapters, topology, isWatched } = this.options;
    const { clock } = adapters;
    const { logger, metrics } = config;
    const { port, view, layout, slot } = base;
    const groupId = config.applicationId;
    const described = await describeWritten(base);
    const transactionalId = `${groupId}-${slot.id}-0`;
    const offsets = new OffsetReader({ port, view, clock });
    const producer = new TransactionalProducer({
      port,
      view,
      clock,
      logger,
      transactionalId,
      transactionTimeoutMs: config.transactionTimeout,
      ...(adapters.onTransactionStep === undefined ? {} : { onStep: adapters.onTransactionStep }),
    });
    await producer.initialise();
    const fetcher = new Fetcher({ port, view, clock, logger, lane: 'input', readCommitted: true, maxWaitMs: FETCH_WAIT_MS });
    const loop = new Loop({
      clock,
      fairInEventTime: layout.repartitionOrder.length > 0,
      afterSlice: () => {
        this.afterSlice();
      },
    });
    const membership = new Membership({
      port,
      view,
      clock,
      logger,
      groupId,
      groupInstanceId: config.instanceId ?? null,
      instance: slot.id,
      nonce: `${String(clock.now())}-${String(clock.random())}`,
      transactionalId,
      topics: layout.inputs.map(({ topic }) => topic),
      taskCount: layout.tasks,
      partitionsOf: (task) => partitionsOf(layout, task),
      sessionTimeoutMs: config.sessionTimeout,
      heartbeatIntervalMs: config.heartbeatInterval,
      rebalanceTimeoutMs: Math.max(config.sessionTimeout, config.transactionTimeout),
      events: {
        assigned: (tasks) => {
          metrics.add('rebalance-total', 1, {});
          assignment.assigned(tasks);
        },
        revoked: (tasks) => assignment.revoked(tasks),
        lost: () => {
          assignment.lost();
        },
        failed: (reason) => {
          this.fail(reason);
        },
      },
    });
    const purge = new RepartitionPurge({ layout, topics: new InternalTopics({ port, view, clock, logger }), clock, logger });
    const cycle = new CommitCycle({
      producer,
      membership,
      clock,
      logger,
      metrics,
      layout,
      intervalMs: config.commitInterval,
      compression: config.compression,
      written: described.written,
      tasks: () => assignment.all(),
      events: {
        committed: (sealed) => {
          purge.committed(sealed);
          this.committed(sealed);
        },
        aborted: (tasks, reason) => {
          logger.warn({ code: reason.code }, `a transaction was aborted, its tasks start again: ${reason.message}`);
          assignment.revive(tasks);
        },
        lost: (reason) => {
          this.needsRecovery = true;
          logger.warn({ code: reason.code }, reason.message);
          assignment.lost();
        },
        failed: (reason) => {
          this.fail(reason);
        },
      },
    });
    const starts = new StartPositions({ port, view, offsets, membership, clock, groupId, layout });
    const builder = new TaskBuilder({
      config,
      layout,
      topology,
      clock,
      view,
      offsets,
      port,
      openBytes: adapters.openBytes,
      slot,
      isWatched,
      wake: () => {
        loop.wake();
      },
      ...described,
    });
    const assignment = new TaskAssignment({
      layout,
      fetcher,
      loop,
      starts,
      factory: builder,
      clock,
      logger,
      drainWithinMs: Math.min(10_000, config.sessionTimeout),
      beforeOpen: async () => {
        await cycle.idle();
        if (!this.needsRecovery) return;
        await producer.recover();
        this.needsRecovery = false;
      },
      commitNow: () => cycle.now(),
      failed: (reason) => {
        this.fail(reason);
      },
      changed: () => {
        this.changed();
      },
    });
    this.parts = { ...base, producer, fetcher, loop, membership, cycle, assignment, offsets };
    cycle.start();
    membership.start();
    if (this.options.untilCaughtUp) void this.endWhenCaughtUp(this.parts);
  }

  private async endWhenCaughtUp(parts: Parts): Promise<void> {
    const { config, adapters } = this.options;
    try {
      const reached = await caughtUp({
        layout: parts.layout,
        offsets: parts.offsets,
        clock: adapters.clock,
        groupId: config.applicationId,
        pollMs: CAUGHT_UP_POLL_MS,
        stopped: () => this.ending !== undefined,
      });
      if (reached) await this.close(config.requestTimeout);
    } catch (cause) {
      this.fail(cause instanceof MillraceError ? cause : new MillraceError('BROKER_ERROR', String(cause), { cause }));
    }
  }

  // ---- running

  private afterSlice(): void {
    const { parts } = this;
    if (parts === undefined) return;
    parts.cycle.beginIfDue();
    parts.assignment.relieve();
    for (const { task, dropped } of parts.assignment.all()) {
      if (task?.halted === undefined || dropped) continue;
      this.halted(task.halted);
    }
  }

  /** A task that cannot go on ends the instance, after everything before the failing record has been committed. */
  private halted(reason: MillraceError): void {
    const { config } = this.options;
    if (reason.code !== 'NO_SUBSCRIBERS' || config.strict) {
      this.fail(reason);
      return;
    }
    if (this.degraded) return;
    this.degraded = true;
    config.logger.warn({ code: reason.code }, reason.message);
    this.options.state('degraded');
  }

  private committed(sealed: readonly SealedTask[]): void {
    const tasks = sealed.map(({ task, records, outputs }) => ({ partition: task.partition, records, outputs }));
    for (const { watched } of sealed) for (const outgoing of watched) this.options.output(outgoing);
    this.options.committed({ tasks });
    for (const { stores } of this.parts?.assignment.all() ?? []) {
      if (stores?.flushDue() !== true) continue;
      stores.flush().catch((cause: unknown) => {
        this.fail(cause instanceof MillraceError ? cause : new MillraceError('STATE_IO', String(cause), { cause }));
      });
    }
  }

  private changed(): void {
    if (this.ending !== undefined) return;
    this.options.state(this.parts?.assignment.ready === true ? (this.degraded ? 'degraded' : 'running') : 'rebalancing');
  }

  // ---- ending

  private async shutDown(within: number, reason: MillraceError | undefined): Promise<void> {
    const { parts } = this;
    if (parts !== undefined) {
      parts.cycle.stop();
      if (!(await this.drainedWithin(parts, within))) parts.assignment.lost();
      await this.release(parts);
    }
    if (reason === undefined) this.end?.resolve();
    else this.end?.reject(reason);
  }

  private drainedWithin(parts: Parts, within: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = this.options.adapters.clock.setTimer(within, () => {
        this.options.config.logger.warn({ within }, 'not everything was committed before the time for closing was up');
        resolve(false);
      });
      this.drain(parts)
        .catch((cause: unknown) => {
          this.options.config.logger.warn({ cause: String(cause) }, 'not everything could be committed before the end');
        })
        .finally(() => {
          timer.cancel();
          resolve(true);
        });
    });
  }

  private async drain(parts: Parts): Promise<void> {
    await parts.assignment.revoked(parts.membership.tasks);
    await parts.membership.leave();
  }

  private async release(parts: Parts): Promise<void> {
    parts.loop.stop();
    parts.fetcher.close();
    await parts.producer.close();
    await parts.assignment.closed();
    await parts.slot.release();
    await parts.port.close();
  }
}

interface Base {
  readonly port: KafkaPort;
  readonly view: ClusterView;
  readonly layout: Layout;
  readonly slot: Slot;
  readonly sinks: readonly string[];
}

interface Parts extends Base {
  readonly producer: TransactionalProducer;
  readonly fetcher: Fetcher;
  readonly loop: Loop;
  readonly membership: Membership;
  readonly cycle: CommitCycle;
  readonly assignment: TaskAssignment;
  readonly offsets: OffsetReader;
}
