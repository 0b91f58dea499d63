import { BehaviorSubject, Observable, Subject, type Subscriber } from 'rxjs';
import type { CheckedConfig } from './config';
import type { Commit } from './commit/commit-event';
import type { Adapters } from './commit/adapters';
import { Instance } from './commit/instance';
import { MillraceError } from './errors/millrace-error';
import type { Duration } from './model/duration';
import type { Outgoing } from './model/outgoing';
import type { RestoreProgress } from './model/restore-progress';
import type { Topic } from './model/topic';
import type { Clock } from './time/clock';
import type { AppState } from './commit/app-state';
import { partitionStreams, type Partition } from './commit/partition-streams';
import { planTopology, type Plan } from './task/plan';
import type { TaskTopology, Topology } from './task/topology';
import type { SpawnWorker } from './threads/spawn-worker';
import { ThreadGroup } from './threads/thread-group';
import { loadTopology, TopologyModule, withModuleOptions } from './threads/topology-module';
import { WatchedOutputs } from './threads/watched-outputs';

/** Of `App.run`. */
export interface RunOptions {
  /**
   * 'caught-up': completes when every input's committed position has reached the end offsets read at the start. Windows that are still
   * open then are not emitted: event time has not passed them. They stay in their store, and the next run goes on with them.
   */
  readonly until?: 'caught-up';
}

/** What `millrace` gives: one instance of an application. */
export interface App {
  /**
   * Cold and single: a second subscription while one runs fails with ALREADY_RUNNING and says `share()`. Emits a `Commit` per
   * transaction, completes after `close`, or, with `until: 'caught-up'`, when the inputs are done. Unsubscribing starts the same as `close`.
   * With `threads` > 1 a module is run, in each thread: see `topologyModule`.
   */
  run(topology: Topology | TopologyModule, options?: RunOptions): Observable<Commit>;
  /**
   * Committed records of one topic, typed; hot, any number of subscribers. At most once to this process; kept only while somebody watches.
   * With `threads` > 1 they are decoded from the bytes that were written; codecs that do not read them are an error DECODE.
   */
  outputs<K, V>(topic: Topic<K, V>): Observable<Outgoing<K, V>>;
  /** The present state, then each that follows; never completes. Of several threads the worst: degraded, rebalancing, running. */
  readonly state$: Observable<AppState>;
  /**
   * How far restoring has come: of each store that has something to read, and of each global table, an event as it begins, at most ten a
   * second, and one when it is `done`; a restore that is cut off ends without. Hot; completes after `close`. Each event is plain data.
   */
  readonly restores$: Observable<RestoreProgress>;
  /**
   * Partitions as observables and nothing else: no stores, no outputs. A partition is emitted when it is assigned (and again after a
   * failure, with new streams); subscribe to its streams at once, synchronously. A record is done when its push has returned; offsets
   * are committed every commit interval. Single, as `run` is; refused with `threads` > 1 (ONE_THREAD_ONLY).
   */
  partitions(...topics: readonly { readonly name: string }[]): Observable<Partition>;
  /** Drains, commits, leaves the group, unless it has an `instanceId` and is to come back. */
  close(options?: CloseOptions): Promise<void>;
}

/** Of `App.close`. */
export interface CloseOptions {
  /** ms for what is under way to be committed, default 30,000; then it is given up, which takes a few seconds at most. */
  readonly within?: Duration;
  /**
   * Only of use with `instanceId`. Default false: the group keeps this instance's place until `sessionTimeout` has passed, so that a restart
   * moves nothing. True: it goes for good, and the others get its tasks at once.
   */
  readonly leaveGroup?: boolean;
}

/** What an instance is started for. */
interface Work {
  readonly topology: TaskTopology;
  readonly plan: (clock: Clock) => Plan;
}

/** What runs: in this thread, or in several. */
interface Started {
  readonly ended: Promise<void>;
  start(): Promise<void>;
  close(within: Duration, leaveGroup: boolean): Promise<void>;
}

/** What makes worker threads, and the brokers that they connect to. */
export interface ThreadSupply {
  readonly spawn: SpawnWorker;
  readonly brokers: readonly string[];
}

const CLOSE_WITHIN_MS = 30_000;

/** One instance as a cold observable. */
export class MillraceApp implements App {
  readonly state$: Observable<AppState>;
  readonly restores$: Observable<RestoreProgress>;
  private readonly restores = new Subject<RestoreProgress>();
  private readonly state = new BehaviorSubject<AppState>('created');
  private readonly watched = new WatchedOutputs();
  private running: { readonly instance: Promise<Started | undefined>; readonly ended: Promise<void> } | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly config: CheckedConfig,
    private readonly adapters: () => Promise<Adapters>,
    /** Needed with `threads` > 1. */
    private readonly supply?: ThreadSupply,
  ) {
    this.state$ = this.state.asObservable();
    this.restores$ = this.restores.asObservable();
  }

  run(topology: Topology | TopologyModule, options: RunOptions = {}): Observable<Commit> {
    return new Observable<Commit>((subscriber) => {
      const committed = subscriber.next.bind(subscriber);
      return this.begin(subscriber, () => {
        if (this.config.threads > 1) return this.inThreads(topology, options, committed);
        if (topology instanceof TopologyModule) return this.ofModule(topology, options, committed);
        return this.inThisThread(this.config, { topology, plan: (clock) => planTopology(topology, clock) }, options, committed);
      });
    });
  }

  partitions(...topics: readonly { readonly name: string }[]): Observable<Partition> {
    return new Observable<Partition>((subscriber) => {
      return this.begin(subscriber, () => {
        if (this.config.threads > 1)
          throw oneThreadOnly('partitions() hands its streams to this thread: use threads: 1, and several processes');
        const { plan, topology } = partitionStreams(topics as readonly Topic<unknown, unknown>[], subscriber);
        return this.inThisThread(this.config, { topology, plan: () => plan }, {}, () => undefined);
      });
    });
  }

  outputs<K, V>(topic: Topic<K, V>): Observable<Outgoing<K, V>> {
    return this.watched.observe(topic);
  }

  close({ within = CLOSE_WITHIN_MS, leaveGroup = false }: CloseOptions = {}): Promise<void> {
    this.closing ??= this.stop(within, leaveGroup);
    return this.closing;
  }

  /** Starts, unless something runs already; gives what an unsubscription does. */
  private begin(subscriber: Subscriber<unknown>, make: () => Promise<Started>): (() => void) | undefined {
    const refusal = this.refusal();
    if (refusal !== undefined) {
      subscriber.error(refusal);
      return undefined;
    }
    this.start(subscriber, make);
    return () => {
      void this.close().catch(() => undefined);
    };
  }

  private refusal(): MillraceError | undefined {
    if (this.running !== undefined && this.closing === undefined) {
      return new MillraceError('ALREADY_RUNNING', 'run() is subscribed already; put share() behind it if several want its commits');
    }
    if (this.closing !== undefined) return new MillraceError('APPLICATION_CLOSED', 'this app is closed; make another with millrace()');
    return undefined;
  }

  private start(subscriber: Subscriber<unknown>, make: () => Promise<Started>): void {
    this.state.next('rebalancing');
    let ended: () => void = () => undefined;
    const instance = opened(make).catch((cause: unknown) => {
      this.state.next('failed');
      subscriber.error(cause);
      return undefined;
    });
    this.running = {
      instance,
      ended: new Promise((resolve) => {
        ended = resolve;
      }),
    };
    void instance
      .then((started) => started?.ended)
      .then(
        () => {
          if (this.state.value !== 'failed') this.state.next('closed');
          subscriber.complete();
        },
        (cause: unknown) => {
          this.state.next('failed');
          subscriber.error(cause);
        },
      )
      .finally(ended);
  }

  private async inThisThread(
    config: CheckedConfig,
    work: Work,
    options: RunOptions,
    committed: (commit: Commit) => void,
  ): Promise<Started> {
    const adapters = await this.adapters();
    return new Instance({
      config,
      adapters,
      topology: work.topology,
      plan: work.plan(adapters.clock),
      untilCaughtUp: options.until === 'caught-up',
      isWatched: this.watched.isWatched,
      committed,
      output: (outgoing) => {
        this.watched.emit(outgoing);
      },
      state: this.setState,
      restoring: this.restoring,
    });
  }

  private async ofModule(module: TopologyModule, options: RunOptions, committed: (commit: Commit) => void): Promise<Started> {
    const { topology, options: ofModule } = await loadTopology(module);
    const work = { topology, plan: (clock: Clock) => planTopology(topology, clock) };
    return this.inThisThread(withModuleOptions(this.config, ofModule), work, options, committed);
  }

  private async inThreads(module: Topology | TopologyModule, options: RunOptions, committed: (commit: Commit) => void): Promise<Started> {
    const { config, supply, watched: outputs } = this;
    if (!(module instanceof TopologyModule)) {
      throw oneThreadOnly(
        'run() was given a function, which cannot be handed to a thread: put it into a module that exports it as `topology`, and run ' +
          "topologyModule(new URL('./topology.js', import.meta.url)), or its path",
      );
    }
    if (supply === undefined) throw oneThreadOnly('this app was made without what starts threads');
    const untilCaughtUp = options.until === 'caught-up';
    const adapters = await this.adapters();
    return new ThreadGroup({
      ...supply,
      ...{ config, adapters, module, untilCaughtUp, outputs, committed, state: this.setState, restoring: this.restoring },
    });
  }

  private readonly setState = (state: AppState): void => {
    if (this.state.value !== state) this.state.next(state);
  };

  private readonly restoring = (progress: RestoreProgress): void => {
    this.restores.next(progress);
  };

  private async stop(within: Duration, leaveGroup: boolean): Promise<void> {
    const { running } = this;
    if (running === undefined) {
      this.state.next('closed');
      this.restores.complete();
      return;
    }
    if (this.state.value !== 'closed' && this.state.value !== 'failed') this.state.next('draining');
    const instance = await running.instance;
    try {
      await instance?.close(within, leaveGroup);
      await running.ended;
    } finally {
      this.watched.complete();
      this.restores.complete();
    }
  }
}

async function opened(make: () => Promise<Started>): Promise<Started> {
  const instance = await make();
  await instance.start();
  return instance;
}

function oneThreadOnly(message: string): MillraceError {
  return new MillraceError('ONE_THREAD_ONLY', message, { where: { option: 'threads' } });
}
