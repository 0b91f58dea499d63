import { BehaviorSubject, Observable, Subject, type Subscriber } from 'rxjs';
import type { CheckedConfig } from './config';
import type { Commit } from './commit/commit-event';
import type { Adapters } from './commit/adapters';
import { Instance } from './commit/instance';
import { MillraceError } from './errors/millrace-error';
import type { Duration } from './model/duration';
import type { Outgoing } from './model/outgoing';
import type { Topic } from './model/topic';
import type { AppState } from './commit/app-state';
import type { Topology } from './task/topology';

export interface RunOptions {
  /** Completes when every input's committed position has reached the end offsets read at the start. */
  readonly until?: 'caught-up';
}

export interface App {
  /**
   * Cold and single: a second subscription while one runs fails with ALREADY_RUNNING and says `share()`. Emits a `Commit` per
   * transaction, completes after `close`, or, with `until: 'caught-up'`, when the inputs are done. Unsubscribing starts the same as `close`.
   */
  run(topology: Topology, options?: RunOptions): Observable<Commit>;
  /** Committed records of one topic, typed; hot, any number of subscribers. At most once to this process; kept only while somebody watches. */
  outputs<K, V>(topic: Topic<K, V>): Observable<Outgoing<K, V>>;
  readonly state$: Observable<AppState>;
  /** Drains, commits, leaves the group. `within` ms (default 30,000), then what is not committed is given up. */
  close(options?: { readonly within?: Duration }): Promise<void>;
}

const CLOSE_WITHIN_MS = 30_000;

/** One instance as a cold observable. */
export class MillraceApp implements App {
  readonly state$: Observable<AppState>;
  private readonly state = new BehaviorSubject<AppState>('created');
  private readonly watched = new Map<string, { readonly subject: Subject<Outgoing>; watchers: number }>();
  private running: { readonly instance: Promise<Instance | undefined>; readonly ended: Promise<void> } | undefined;
  private closing: Promise<void> | undefined;

  constructor(
    private readonly config: CheckedConfig,
    private readonly adapters: () => Promise<Adapters>,
  ) {
    this.state$ = this.state.asObservable();
  }

  run(topology: Topology, options: RunOptions = {}): Observable<Commit> {
    return new Observable<Commit>((subscriber) => {
      const refusal = this.refusal();
      if (refusal !== undefined) {
        subscriber.error(refusal);
        return undefined;
      }
      this.start(topology, options, subscriber);
      return () => {
        void this.close().catch(() => undefined);
      };
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

  private refusal(): MillraceError | undefined {
    if (this.running !== undefined && this.closing === undefined) {
      return new MillraceError('ALREADY_RUNNING', 'run() is subscribed already; put share() behind it if several want its commits');
    }
    if (this.closing !== undefined) return new MillraceError('APPLICATION_CLOSED', 'this app is closed; make another with millrace()');
    return undefined;
  }

  private start(topology: Topology, options: RunOptions, subscriber: Subscriber<Commit>): void {
    this.state.next('rebalancing');
    let ended: () => void = () => undefined;
    const instance = this.open(topology, options, subscriber).catch((cause: unknown) => {
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

  private async open(topology: Topology, options: RunOptions, subscriber: Subscriber<Commit>): Promise<Instance> {
    const instance = new Instance({
      config: this.config,
      adapters: await this.adapters(),
      topology,
      untilCaughtUp: options.until === 'caught-up',
      isWatched: (topic) => (this.watched.get(topic)?.watchers ?? 0) > 0,
      committed: (commit) => {
        subscriber.next(commit);
      },
      output: (outgoing) => {
        this.watched.get(outgoing.topic)?.subject.next(outgoing);
      },
      state: (state) => {
        if (this.state.value !== state) this.state.next(state);
      },
    });
    await instance.start();
    return instance;
  }

  private async stop(within: Duration): Promise<void> {
    const { running } = this;
    if (running === undefined) {
      this.state.next('closed');
      return;
    }
    if (this.state.value !== 'closed' && this.state.value !== 'failed') this.state.next('draining');
    const instance = await running.instance;
    await instance?.close(within);
    await running.ended;
    for (const { subject } of this.watched.values()) subject.complete();
  }
}
