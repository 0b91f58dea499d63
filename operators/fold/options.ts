import type { NextObserver } from 'rxjs';
import type { KafkaRecord } from '../../src/model/record';
import type { Window } from '../../src/model/window';

/**
 * When a window's result is emitted: at every update; at updates that change the value's bytes; or once, when the window closes.
 * Default 'update'.
 */
export type Emit = 'update' | 'change' | 'close';

/** Any value; spelled out because a constraint with primitives keeps `() => 'idle'` from widening to string. */
export type State = string | number | boolean | bigint | null | undefined | object;

/** A record that came after its window had closed. Times are ms. */
export interface LateRecord<K, V> {
  readonly record: KafkaRecord<K, V>;
  /** That it came too late for; of a session, the one it would have made. */
  readonly window: Window;
  /** The operator's event time by then: the greatest timestamp it had seen or, in watermark mode, the watermark. */
  readonly streamTime: number;
  /** The same: stream time is a watermark that allows for no disorder. */
  readonly watermark: number;
  /** How far the record lies behind event time. Its window had closed `watermark - grace - window.end` ms before. */
  readonly lateness: number;
}

/** How values become one aggregate. Neither function may change the aggregate it is given; a null result deletes it. */
export interface Aggregation<K, V, A extends State> {
  /** What a key (and window) starts from; the first value is added to it. */
  readonly initial: () => NoInfer<A>;
  /** Null deletes. */
  readonly add: (aggregate: A, value: V, record: KafkaRecord<K, V>) => NoInfer<A>;
}

/** How two values become one. The first value of a key (and window) is taken as it is. A null result deletes. */
export interface Reduction<V extends State> {
  readonly reduce: (a: V, b: V) => NoInfer<V>;
}

/** How the aggregates of two sessions become one, when a record joins them; `a` is that of the earlier ones, at first `initial`. Changes neither. */
export interface Merging<A> {
  readonly merge: (a: A, b: A) => NoInfer<A>;
}

/** What a session takes back when it grows: a null for its old bounds on update, nothing on close. */
export interface Retraction {
  readonly update: null;
  readonly change: null;
  readonly close: never;
}

/** What an aggregate in windows or sessions may be told. */
export interface Windowing<K, V, E extends Emit> {
  /** Default 'update'. 'close' over windows that never do is refused (CONFIG). */
  readonly emit?: E;
  /** Is given each late record, once for each window that refuses it, within the same push: what follows from it is committed with it. */
  readonly late?: NextObserver<LateRecord<K, V>>;
}
