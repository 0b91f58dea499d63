import type { CheckedConfig } from '../config';
import { MillraceError } from '../errors/millrace-error';
import { ClusterView } from '../kafka/cluster-view';
import { InternalTopics } from '../kafka/internal-topics';
import { Deadline, within } from '../kafka/retrying';
import type { KafkaPort } from '../kafka/port';
import type { Outgoing } from '../model/outgoing';
import type { RestoreProgress } from '../model/restore-progress';
import { worstCaseSize } from '../state/cells';
import type { Slot } from '../state/slot';
import type { Plan } from '../task/plan';
import { watermarkCells } from '../task/watermark-plan';
import type { SealedTask } from '../task/stream-task';
import type { TaskTopology } from '../task/topology';
import type { Adapters } from './adapters';
import type { AppState } from './app-state';
import { caughtUp } from './caught-up';
import { closingPort } from './closing-port';
import type { Commit } from './commit-event';
import { Composition } from './composition';
import { type InstanceAtWork, instanceAtWork, workOf } from './instance-at-work';
import { layOut, type Layout } from './layout';
import { GlobalTables } from './global-tables';
import { describeTopics } from './described-topics';

export interface InstanceOptions {
  readonly config: CheckedConfig;
  readonly adapters: Adapters;
  readonly plan: Plan;
  readonly topology: TaskTopology;
  readonly untilCaughtUp: boolean;
  readonly isWatched: (topic: string) => boolean;
  readonly committed: (commit: Commit) => void;
  readonly output: (outgoing: Outgoing) => void;
  readonly state: (state: AppState) => void;
  readonly restoring?: (progress: RestoreProgress) => void;
}

/** What is open once the instance runs. */
interface Running {
  readonly parts: Composition;
  readonly layout: Layout;
  readonly port: KafkaPort;
  readonly slot: Slot;
  readonly globals: GlobalTables;
}

/** ms between two looks at the committed offsets of the whole group, while waiting to be caught up. */
const CAUGHT_UP_POLL_MS = 50;

/** One running instance: topics → slot → producer → group; and back in reverse. */
export class Instance {
  /** Settles when the instance has ended; rejects with what made it fail. */
  readonly ended: Promise<void>;
  private end: { resolve: () => void; reject: (reason: MillraceError) => void } | undefined;
  private ending: Promise<void> | undefined;
  private running: Running | undefined;
  private degraded = false;
  /** What went wrong before it was running. */
  private failedEarly: MillraceError | undefined;

  constructor(private readonly options: InstanceOptions) {
    this.ended = new Promise((resolve, reject) => {
      this.end = { resolve, reject };
    });
    this.ended.catch(() => undefined);
  }

  /** Settles when the group is being joined. */
  async start(): Promise<void> {
    const { config, adapters, plan } = this.options;
    const port = closingPort(adapters.broker.connect(config.applicationId));
    let slot: Slot | undefined;
    let globals: GlobalTables | undefined;
    try {
      const { view, layout, sinks } = await this.prepare(port);
      slot = await adapters.openSlot();
      const { logger, connectTimeout: giveUpAfterMs } = config;
      const written = await describeTopics({ port, view, layout, sinks, plan, logger, giveUpAfterMs, clock: adapters.clock });
      globals = await GlobalTables.load({
        ...{ config, port, view, slot },
        ...(this.options.restoring !== undefined && { restoring: this.options.restoring }),
        topics: plan.globals,
        clock: adapters.clock,
        openBytes: adapters.openBytes,
        tombstoneRetention: written.tombstoneRetention,
        failed: (reason) => {
          this.fail(reason);
        },
      });
      const parts = new Composition(
        { ...this.options, port, view, layout, slot, written, globalRows: globals.rows },
        {
          committed: (sealed) => {
            this.committed(sealed);
          },
          changed: () => {
            this.changed();
          },
          afterSlice: () => {
            this.afterSlice();
          },
          failed: (reason) => {
            this.fail(reason);
          },
        },
      );
      // Before the group is joined: a transaction that a predecessor left open ends here, and its offsets can be read.
      await parts.producer.initialise();
      await parts.local.folders.load();
      if (this.failedEarly !== undefined) throw this.failedEarly;
      this.running = { parts, layout, port, slot, globals };
    } catch (cause) {
      await globals?.close();
      await slot?.release();
      await port.close();
      throw cause;
    }
    this.running.parts.cycle.start();
    this.running.parts.local.standbys.start();
    this.running.parts.membership.start();
    if (this.options.untilCaughtUp) void this.endWhenCaughtUp(this.running);
  }

  /** Undefined: it does not run yet. */
  get atWork(): InstanceAtWork | undefined {
    return this.running && instanceAtWork(this.running);
  }

  /** Has every instance of the group end, this one too, with APPLICATION_STOPPED. */
  stopAll(reason: string): void {
    this.running?.parts.membership.stopAll(reason);
  }

  /** Drains, commits, leaves; what is not through after `within` ms is given up. `forGood`: also a static member leaves. */
  close(within: number, forGood = false): Promise<void> {
    this.ending ??= this.shutDown(within, undefined, forGood);
    return this.ending;
  }

  private fail(reason: MillraceError): void {
    if (this.ending !== undefined) return;
    this.options.config.logger.error({ code: reason.code }, reason.message);
    if (this.running === undefined) this.failedEarly ??= reason;
    else this.ending = this.shutDown(this.options.config.requestTimeout, reason);
  }

  /** Plans, finds the topics, lays the plan out on them, and makes those that are ours. */
  private async prepare(port: KafkaPort): Promise<{ view: ClusterView; layout: Layout; sinks: readonly string[] }> {
    const { config, adapters, plan } = this.options;
    const { clock } = adapters;
    const { logger } = config;
    worstCaseSize(plan.cells);
    const unknownTopicAfterMs = Math.min(UNKNOWN_TOPIC_AFTER_MS, config.connectTimeout);
    const view = new ClusterView({ port, clock, logger, giveUpAfterMs: config.connectTimeout, unknownTopicAfterMs });
    const read = [...plan.sources, ...plan.globals].map(({ name }) => name);
    const known = await view.topics([...read, ...plan.sinks]);
    const counts = new Map([...known].map(([name, { partitions }]) => [name, partitions]));
    const layout = layOut(plan, config.applicationId, counts);
    worstCaseSize([...plan.cells, ...watermarkCells(layout.watermarks)]);
    await new InternalTopics({ port, view, clock, logger, replicationFactor: config.replicationFactor }).ensure(layout.owned);
    return { view, layout, sinks: plan.sinks };
  }

  private async endWhenCaughtUp({ parts, layout }: Running): Promise<void> {
    const { config, adapters } = this.options;
    try {
      const reached = await caughtUp({
        layout,
        offsets: parts.offsets,
        clock: adapters.clock,
        groupId: config.applicationId,
        pollMs: CAUGHT_UP_POLL_MS,
        stopped: () => this.ending !== undefined,
        ...workOf(parts),
      });
      if (reached) await this.close(config.requestTimeout);
    } catch (cause) {
      this.fail(cause instanceof MillraceError ? cause : new MillraceError('BROKER_ERROR', String(cause), { cause }));
    }
  }

  // ---- running

  private afterSlice(): void {
    if (this.running === undefined) return;
    const { cycle, assignment } = this.running.parts;
    cycle.beginIfDue();
    assignment.relieve();
    for (const { task, dropped } of assignment.all()) {
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
    for (const { watched } of sealed) for (const outgoing of watched) this.options.output(outgoing);
    this.options.committed({ tasks: sealed.map(({ task, records, outputs }) => ({ partition: task.partition, records, outputs })) });
    for (const { stores } of this.running?.parts.assignment.all() ?? []) {
      if (stores?.flushDue() !== true) continue;
      stores.flush().catch((cause: unknown) => {
        this.fail(cause instanceof MillraceError ? cause : new MillraceError('STATE_IO', String(cause), { cause }));
      });
    }
  }

  private changed(): void {
    if (this.ending !== undefined || this.running === undefined) return;
    const settled = this.degraded ? 'degraded' : 'running';
    this.options.state(this.running.parts.assignment.ready ? settled : 'rebalancing');
  }

  // ---- ending

  private async shutDown(within: number, reason: MillraceError | undefined, forGood = false): Promise<void> {
    const { running } = this;
    let failure = reason;
    if (running !== undefined) {
      running.parts.cycle.stop();
      const isDrained = await this.drainedWithin(running, within, forGood);
      await release(running, isDrained ? END_TRANSACTION_WITHIN_MS : GIVE_UP_WITHIN_MS).catch((cause: unknown) => {
        failure ??= cause instanceof MillraceError ? cause : new MillraceError('STATE_IO', String(cause), { cause });
      });
    }
    if (failure === undefined) this.end?.resolve();
    else this.end?.reject(failure);
  }

  /** Commits what is done and leaves the group; what that takes longer than `ms` is given up, but the group still hears of it. False: it was. */
  private async drainedWithin({ parts }: Running, ms: number, forGood: boolean): Promise<boolean> {
    const { adapters, config } = this.options;
    const { clock } = adapters;
    const drained = drain(parts, forGood).then(
      () => true,
      (cause: unknown) => {
        config.logger.warn({ cause: String(cause) }, 'not everything could be committed before the end');
        return true;
      },
    );
    if ((await within(clock, new Deadline(clock, ms), drained)) === true) return true;
    config.logger.warn({ within: ms }, 'not everything was committed before the time for closing was up');
    parts.assignment.lost();
    await within(clock, new Deadline(clock, LEAVE_WITHIN_MS), parts.membership.leave({ forGood }));
    return false;
  }
}

/** ms for which a cluster may say that a topic does not exist: one just created is not known to every broker at once. */
const UNKNOWN_TOPIC_AFTER_MS = 5_000;

/** ms to tell the group that we leave, when the time for closing is up. */
const LEAVE_WITHIN_MS = 1_000;
/** ms for a transaction under way to end, and as long again to abort it. */
const END_TRANSACTION_WITHIN_MS = 10_000;
/** The same when the time for closing is up. */
const GIVE_UP_WITHIN_MS = 1_000;

async function drain({ assignment, membership }: Composition, forGood: boolean): Promise<void> {
  try {
    await assignment.revoked(assignment.all().map(({ number }) => number));
  } finally {
    await membership.leave({ forGood });
  }
}

async function release({ parts, slot, port, globals }: Running, endTransactionWithinMs: number): Promise<void> {
  parts.loop.stop();
  parts.fetcher.close();
  parts.membership.stop();
  parts.partitions.stop();
  // What did not drain in time, and what a rebalance has given us meanwhile.
  parts.assignment.lost();
  const followed = parts.local.standbys.stop();
  await parts.producer.close(endTransactionWithinMs);
  // Before the tasks that are still being opened: they would ask on.
  await port.close();
  await Promise.all([parts.assignment.closed(), followed]);
  await globals.close();
  await slot.release();
}
