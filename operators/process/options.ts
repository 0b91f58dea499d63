import type { KafkaRecord } from '../../src/model/record';
import type { TimerStore } from '../../src/model/store-definition';

/** A timer that fires: the time it was set for, and under which name its store was given to the operator. */
export interface FiredTimer<K, N extends string = string> {
  readonly store: N;
  readonly key: K;
  /** ms since the epoch. */
  readonly time: number;
  /** A record of the timer's key and time: what a timer has to emit. */
  readonly record: <V>(value: V) => KafkaRecord<K, V>;
}

/** What fires of the timer stores among `S`; `store` tells them apart. */
export type TimerOf<S> = { [N in keyof S & string]: S[N] extends TimerStore<infer K> ? FiredTimer<K, N> : never }[keyof S & string];

/** A promise stops the task's loop until it settles (a range scan, say); point reads and writes need none. */
export interface Processor<K, V, S, R> {
  /** Gives what is to be emitted; [] for nothing. */
  readonly record: (record: KafkaRecord<K, V>, stores: S) => Iterable<R> | Promise<Iterable<R>>;
  /** The same for a timer that fires; needed iff there is a timer store. */
  readonly timer?: (timer: TimerOf<S>, stores: S) => Iterable<NoInfer<R>> | Promise<Iterable<NoInfer<R>>>;
}
