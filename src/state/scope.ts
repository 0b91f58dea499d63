import type { Observable } from 'rxjs';
import type { MetricName } from '../model/metrics';
import type { Origin } from '../model/origin';
import type { KafkaRecord, Placement } from '../model/record';
import type { InternalTopic } from '../model/topic';
import type { Cell } from './cell';
import type { EventTime } from './event-time';

export type { Cell } from './cell';

/** A counter private to the push until it is committed. */
export interface Counter {
  value: number;
}

/**
 * One step of work that must be through before the task's next record, but between whose steps a commit may fall.
 * true: done. false: call again. A promise: the task is parked until it settles, then call again.
 */
export type Step = () => boolean | Promise<void>;

/** What an operator reaches of the task it works in, through the store handle it was given. Lives as long as the task does. */
export interface Scope {
  readonly partition: number;
  /** The origin of the push under way. */
  readonly origin: Origin;
  /**
   * What writes of this push carry, ms since the epoch: the timestamp of the record being pushed, until an operator sets it to that of
   * what it calls a function of the user's for.
   */
  timestamp: number;
  /** The wall clock, ms since the epoch. */
  readonly wallTime: number;
  /** True once something below threw in this push: everything is about to be undone, so stop emitting. */
  readonly failed: boolean;
  /** The same cell for the same (store, name), at its restored value; `initial` if it was never committed. Ask at subscription. */
  cell<T extends number | string>(store: string, name: string, initial: T): Cell<T>;
  /**
   * The event time that operators on `store` go by. `advanced` is called when it has moved other than by `observe`: inside a push, or
   * before the task's next record. `name` is for operators with several clocks. Ask at subscription.
   */
  eventTime(store: string, advanced: () => void, name?: string): EventTime;
  /** The same counter for the same arguments. Ask at subscription. */
  counter(name: MetricName, operator: string, reason?: string): Counter;
  /**
   * Opens an emission that is not the pushed record itself (a window close, a timer): `kind`, `time` and `key` identify it across replays.
   * False: it is poisoned (the policy has been applied) or the push has failed: do not emit, but go on with the bookkeeping.
   * True: emit, then call `end`.
   */
  begin(store: string, kind: string, time: number, key: string): boolean;
  end(): void;
  /** Through an internal topic, as `task.repartition`: for operators that need one of their own, named after `store` if that is given. Ask while the topology is assembled. */
  repartition<K, V>(
    topic: InternalTopic<K, V>,
    store?: string,
  ): (source: Observable<KafkaRecord<K, V, Placement>>) => Observable<KafkaRecord<K, V>>;
  /** Runs steps before the task's next record; the latest driven first. May be called at subscription: runs before the first record. */
  drive(step: Step): void;
  /**
   * Until `letGo` no commit may fall: for what a push has begun, and only steps can end, and which no store remembers. As many calls of
   * one as of the other.
   */
  hold(): void;
  letGo(): void;
  /**
   * Calls `wake` in a push of its own once the wall clock has come to `time`; Infinity: never. For one `wake` the last call holds. Ask at
   * subscription.
   */
  wakeAt(time: number, wake: () => void): void;
}
