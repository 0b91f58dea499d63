import type { Adapters } from '../commit/adapters';
import type { AppState } from '../commit/app-state';
import type { InputsInOrder } from '../commit/caught-up';
import type { Commit } from '../commit/commit-event';
import { nonceOfProcess } from '../commit/member-thread';
import { forgetNotes } from '../commit/task-folders';
import { silentMetrics, type CheckedConfig } from '../config';
import { MillraceError } from '../errors/millrace-error';
import { Deadline, within } from '../kafka/retrying';
import { silentLogger } from '../model/logger';
import type { RestoreProgress } from '../model/restore-progress';
import type { WorkerFailure } from '../model/worker-failure';
import type { SharedSlot } from '../state/shared-slot';
import type { Slot } from '../state/slot';
import { GroupClient } from './group-client';
import { worstOf } from './group-state';
import { verdictOn } from './failure-verdict';
import type { FromWorker, WorkerData } from './messages';
import { RecentFailures } from './recent-failures';
import type { SpawnWorker } from './spawn-worker';
import { Thread, type ThreadEnd } from './thread';
import type { TopologyModule } from './topology-module';
import type { WatchedOutputs } from './watched-outputs';
import { WorkOfThreads } from './work-of-threads';

export interface ThreadGroupOptions {
  readonly config: CheckedConfig;
  readonly brokers: readonly string[];
  readonly adapters: Adapters;
  readonly module: TopologyModule;
  readonly spawn: SpawnWorker;
  readonly untilCaughtUp: boolean;
  readonly outputs: WatchedOutputs;
  readonly committed: (commit: Commit) => void;
  readonly state: (state: AppState) => void;
  readonly restoring: (progress: RestoreProgress) => void;
}

/** ms beyond a session for the word to reach the threads of this process, and for them to drain. */
const STOPPED_WITHIN_MS = 30_000;

/** All worker threads of a process, as one instance: it has the slot, they share its folders and are members of the group. */
export class ThreadGroup {
  /** Settles when all have ended; rejects with what made it fail. */
  readonly ended: Promise<void>;
  private end: { resolve: () => void; reject: (reason: MillraceError) => void } | undefined;
  private ending: Promise<void> | undefined;
  private endsNow: () => void = () => undefined;
  /** Settles when the ending begins. */
  private readonly endBegins = new Promise<void>((resolve) => {
    this.endsNow = resolve;
  });
  private slot: Slot | undefined;
  private shared: SharedSlot | undefined;
  private readonly nonce: string;
  private readonly threads = new Map<number, Thread>();
  private readonly states: AppState[];
  private layout: InputsInOrder | undefined;
  private readonly client: GroupClient;
  private readonly failures: RecentFailures;
  private areStarted = false;

  constructor(private readonly options: ThreadGroupOptions) {
    const { config, adapters } = options;
    this.nonce = nonceOfProcess(adapters.clock);
    this.client = new GroupClient(config, adapters);
    this.failures = new RecentFailures(adapters.clock, config.threads);
    this.states = Array.from({ length: config.threads }, () => 'rebalancing');
    this.ended = new Promise((resolve, reject) => {
      this.end = { resolve, reject };
    });
    this.ended.catch(() => undefined);
  }

  /** Settles when all join the group; rejects with the first error of one that does not come so far. */
  async start(): Promise<void> {
    const { adapters, config, outputs } = this.options;
    this.slot = await adapters.openSlot();
    const { id, directory } = this.slot;
    try {
      if (directory === undefined)
        throw new MillraceError('ONE_THREAD_ONLY', 'without a state directory there is one thread: set stateDirectory');
      await forgetNotes(this.slot);
      this.shared = { id, directory };
      const numbers = Array.from({ length: config.threads }, (_, number) => number);
      await Promise.all(numbers.map((number) => this.spawn(number).started));
    } catch (cause) {
      await Promise.all([...this.threads.values()].map((thread) => thread.terminate()));
      await this.slot.release();
      throw cause;
    }
    this.areStarted = true;
    outputs.changed = () => {
      for (const thread of this.threads.values()) thread.tell({ type: 'watch', topics: outputs.names });
    };
    if (this.options.untilCaughtUp) void this.endWhenCaughtUp();
  }

  /** All drain, commit, leave; what is not through after `withinMs` is given up. */
  close(withinMs: number, leaveGroup = false): Promise<void> {
    return this.beginEnd(() => this.shutDown(withinMs, undefined, leaveGroup));
  }

  private fail(reason: MillraceError): void {
    if (this.ending !== undefined) return;
    this.options.config.logger.error({ code: reason.code }, reason.message);
    void this.beginEnd(() => this.shutDown(this.options.config.requestTimeout, reason));
  }

  private beginEnd(end: () => Promise<void>): Promise<void> {
    if (this.ending === undefined) {
      this.endsNow();
      this.ending = end();
    }
    return this.ending;
  }

  private async endWhenCaughtUp(): Promise<void> {
    const { layout } = this;
    if (layout === undefined) return;
    const work = new WorkOfThreads(() => this.atWork, this.options.config.threads);
    try {
      const reached = await this.client.untilCaughtUp(layout, work, () => this.ending !== undefined);
      if (reached) await this.close(this.options.config.requestTimeout);
    } catch (cause) {
      this.fail(cause instanceof MillraceError ? cause : new MillraceError('BROKER_ERROR', String(cause), { cause }));
    }
  }

  private get atWork(): readonly Thread[] {
    return [...this.threads.values()].filter(({ hasStarted, hasEnded }) => hasStarted && !hasEnded);
  }

  // ---- one thread

  private spawn(number: number): Thread {
    const { spawn, adapters } = this.options;
    const thread = new Thread(number, spawn(this.dataFor(number)), adapters.clock, (message) => {
      this.heard(number, message);
    });
    this.threads.set(number, thread);
    void thread.ended.then((end) => this.hasEnded(thread, end));
    return thread;
  }

  private dataFor(number: number): WorkerData {
    const { config, brokers, module, outputs } = this.options;
    const { cluster: _, logger, metrics, onWorkerFailure: __, onProcessingError, ...plain } = config;
    if (this.shared === undefined || typeof onProcessingError !== 'string') throw new Error('a thread before its slot');
    return {
      config: { ...plain, brokers, onProcessingError },
      module: { url: module.url, exportName: module.exportName },
      slot: this.shared,
      thread: { number, nonce: this.nonce },
      watched: outputs.names,
      forward: { logs: logger !== silentLogger, metrics: metrics !== silentMetrics },
    };
  }

  private heard(number: number, message: FromWorker): void {
    const { committed, outputs, restoring, config } = this.options;
    switch (message.type) {
      case 'started':
        this.layout = message.layout;
        break;
      case 'committed':
        for (const output of message.outputs) outputs.emit(output);
        committed(message.commit);
        break;
      case 'state':
        this.setState(number, message.state);
        break;
      case 'restoring':
        restoring(message.progress);
        break;
      case 'log':
        config.logger[message.level]({ ...message.fields, thread: number }, message.message);
        break;
      case 'metrics':
        for (const [name, amount, tags] of message.added) config.metrics.add(name, amount, { ...tags, thread: String(number) });
        break;
      default:
    }
  }

  private setState(number: number, state: AppState): void {
    this.states[number] = state;
    if (this.ending === undefined) this.options.state(worstOf(this.states));
  }

  // ---- failures

  private async hasEnded(thread: Thread, end: ThreadEnd): Promise<void> {
    // Before all have started it is their start that fails.
    if (!this.areStarted || this.ending !== undefined || end.how === 'closed') return;
    const { config } = this.options;
    const { number, memberId } = thread;
    const { how, error } = end;
    this.failures.add();
    this.setState(number, 'degraded');
    const failure: WorkerFailure = { thread: number, how, error, failures: this.failures.count };
    const verdict = verdictOn(failure, config, this.failures.areTooMany);
    config.logger.error({ thread: number, how, code: error.code, failures: failure.failures, verdict }, error.message);
    // An instance that fails leaves by itself; a static member comes back, or its session ends.
    const hasToLeave = how !== 'failed' && memberId !== '' && config.instanceId === undefined;
    const left = hasToLeave ? this.client.leaveFor(memberId) : Promise.resolve();
    if (verdict === 'replace') await this.replace(number);
    else if (verdict === 'stop-application') void this.beginEnd(() => this.stopApplication(number, error));
    else this.fail(error);
    await left;
  }

  /** What the dead one left open is fenced when the new one asks for a producer id, before it joins. */
  private async replace(number: number): Promise<void> {
    const { clock } = this.options.adapters;
    await within(clock, new Deadline(clock, this.failures.pauseMs), this.endBegins);
    if (this.ending === undefined) this.spawn(number);
  }

  // ---- ending

  /** One thread tells the group; then all of them end, as every instance does. */
  private async stopApplication(number: number, reason: MillraceError): Promise<void> {
    const { config } = this.options;
    const { clock } = this.options.adapters;
    const [living] = this.atWork;
    const teller = living ?? this.spawn(number);
    try {
      await teller.started;
      teller.tell({ type: 'stop-application', reason: reason.message });
      const deadline = new Deadline(clock, config.sessionTimeout + STOPPED_WITHIN_MS);
      await within(clock, deadline, Promise.all([...this.threads.values()].map(({ ended }) => ended)));
    } catch (cause) {
      config.logger.error({ cause: String(cause) }, 'the other instances could not be told to stop: this one stops alone');
    }
    await this.shutDown(config.requestTimeout, reason);
  }

  private async shutDown(withinMs: number, reason: MillraceError | undefined, leaveGroup = false): Promise<void> {
    const { config, outputs } = this.options;
    let failure = reason;
    const ends = [...this.threads.values()].map(async (thread) => {
      if (thread.hasEnded) return;
      const inTime = await thread.close(withinMs, leaveGroup);
      const end = await thread.ended;
      if (!inTime)
        config.logger.warn({ thread: thread.number, within: withinMs }, 'a thread did not end within the time for closing, and was ended');
      else if (end.how !== 'closed' && thread.hasStarted) failure ??= end.error;
    });
    await Promise.all(ends);
    outputs.changed = () => undefined;
    await this.client.close();
    await this.slot?.release();
    if (failure === undefined) this.end?.resolve();
    else this.end?.reject(failure);
  }
}
