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
   */
  run(topology: Topology, options?: RunOptions): Observable<Commit>;
  /** Committed records of one topic, typed; hot, any number of subscribers. At most once to this process; kept only while somebody watches. */
  outputs<K, V>(topic: Topic<K, V>): Observable<Outgoing<K, V>>;
  /** The present state, then each that follows; never completes. */
  readonly state$: Observable<AppState>;
  /**
   * How far restoring has come: of each store that has something to read, and of each global table, an event as it begins, at most ten a
   * second, and one when it is `done`; a restore that is cut off ends without. Hot; completes after `close`. Each event is plain data.
   */
  readonly restores$: Observable<RestoreProgress>;
  /**
   * Partitions as observables and nothing else: no stores, no outputs. A partition is emitted when it is assigned (and again after a
   * failure, with new streams); subscribe to its streams at once, synchronously. A record is done when its push has returned; offsets
   * are committed every commit interval. Single, as `run` is.
   */
  partitions(...topics: readonly { readonly name: string }[]): Observable<Partition>;
  /** Drains, commits, leaves the group. `within` ms (default 30,000), then what is not committed is given up. */
  close(options?: { readonly within?: Duration }): Promise<void>;
}

/** What an instance is started for. */
interface Work {
  readonly topology: TaskTopology;
  readonly plan: (clock: Clock) => Plan;
  readonly committed: (commit: Commit) => void;
}

const CLOSE_WITHIN_MS = 30_000;

/** One instance as a cold observable. */
export class MillraceApp implements App {
  readonly state$: Observable<AppState>;
  readonly restores$: Observable<RestoreProgress>;
  private readonly restores = new Subject<RestoreProgress>();
  private readonly state = new BehaviorSubject<AppState>('created');
  private readonly watched = new Map<string, { readonly subject: Subject<Outgoing>; watchers: number }>();
  private running: { readonly instance: Promise<Instance | undefined>; readonly ended: Promise<void> } | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly config: CheckedConfig,
    private readonly adapters: () => Promise<Adapters>,
  ) {
    this.state$ = this.state.asObservable();
    this.restores$ = this.restores.asObservable();
  }

  run(topology: Topology, options: RunOptions = {}): Observable<Commit> {
    return new Observable<Commit>((subscriber) => {
      const work = { topology, plan: (clock: Clock) => planTopology(topology, clock), committed: subscriber.next.bind(subscriber) };
      return this.begin(work, options, subscriber);
    });
  }

  partitions(...topics: readonly { readonly name: string }[]): Observable<Partition> {
    return new Observable<Partition>((subscriber) => {
      const { plan, topology } = partitionStreams(topics as readonly Topic<unknown, unknown>[], subscriber);
      return this.begin({ topology, plan: () => plan, committed: () => undefined }, {}, subscriber);
    });
  }

  outputs<K, V>(topic: Topic<K, V>): Observable<Outgoing<K, V>> {
    return new Observable<Outgoing<K, V>>((subscriber) => {
      let entry = this.watched.get(topic.name);
      if (entry === undefined) {
        entry = { subject: new Subject(), watchers: 0 };
        this.watched.set(topic.name, entry);
      }
      const { subject } = entry;
      entry.watchers++;
      const subscription = (subject as unknown as Subject<Outgoing<K, V>>).subscribe(subscriber);
      return () => {
        subscription.unsubscribe();
        entry.watchers--;
      };
    });
  }

  close(options: { readonly within?: Duration } = {}): Promise<void> {
    this.closing ??= this.stop(options.within ?? CLOSE_WITHIN_MS);
    return this.closing;
  }

  /** Starts, unless something runs already; gives what an unsubscription does. */
  private begin(work: Work, options: RunOptions, subscriber: Subscriber<unknown>): (() => void) | undefined {
    const refusal = this.refusal();
    if (refusal !== undefined) {
      subscriber.error(refusal);
      return undefined;
    }
    this.start(work, options, subscriber);
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

  private start(work: Work, options: RunOptions, subscriber: Subscriber<unknown>): void {
    this.state.next('rebalancing');
    let ended: () => void = () => undefined;
    const instance = this.open(work, options).catch((cause: unknown) => {
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

  private async open(work: Work, options: RunOptions): Promise<Instance> {
    const adapters = await this.adapters();
    const instance = new Instance({
      config: this.config,
      adapters,
      topology: work.topology,
      plan: work.plan(adapters.clock),
      untilCaughtUp: options.until === 'caught-up',
      isWatched: (topic) => (this.watched.get(topic)?.watchers ?? 0) > 0,
      committed: work.committed,
      output: (outgoing) => {
        this.watched.get(outgoing.topic)?.subject.next(outgoing);
      },
      state: (state) => {
        if (this.state.value !== state) this.state.next(state);
      },
      restoring: (progress) => {
        this.restores.next(progress);
      },
    });
    await instance.start();
    return instance;
  }

  private async stop(within: Duration): Promise<void> {
    const { running } = this;
    if (running === undefined) {
      this.state.next('closed');
      this.restores.complete();
      return;
    }
    if (this.state.value !== 'closed' && this.state.value !== 'failed') this.state.next('draining');
    const instance = await running.instance;
    try {
      await instance?.close(within);
      await running.ended;
    } finally {
      for (const { subject } of this.watched.values()) subject.complete();
      this.restores.complete();
    }
  }
}
