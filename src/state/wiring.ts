import type { Observable, Subscription } from 'rxjs';

/** What the planner draws: an operator of ours with the store, topics or table it stands for. */
export interface WiringNode {
  /** A `join` is where inputs meet without a store of its own; a `lookup` the table that it looks up in, which moves no event time. */
  readonly kind: 'source' | 'store' | 'repartition' | 'sink' | 'operator' | 'join' | 'lookup';
  /** Name of the store, topic or table. */
  readonly name: string;
  readonly operator: string;
  /** Sinks: every topic that may be written. */
  readonly topics?: readonly unknown[];
}

/** Who listens while a topology is subscribed; nobody in an operator's own unit test. */
export interface WiringListener {
  /** `node` subscribes to `source`; everything subscribed before the matching `leave` lies upstream of it. */
  enter(node: WiringNode, source: Observable<unknown>): void;
  leave(): void;
  /** A table has been made that lives only while somebody is subscribed to it. */
  announce(store: string, operator: string): void;
}

let listener: WiringListener | undefined;

/** Subscriptions made inside `assemble` are reported to `to`. Synchronous, not nested. */
export function listenToWiring<R>(to: WiringListener, assemble: () => R): R {
  const before = listener;
  listener = to;
  try {
    return assemble();
  } finally {
    listener = before;
  }
}

/** Subscribes on behalf of one of our operators, so that the planner sees what lies upstream of it. */
export function subscribeAs(node: WiringNode, source: Observable<unknown>, subscribe: () => Subscription): Subscription {
  if (listener === undefined) return subscribe();
  const to = listener;
  to.enter(node, source);
  try {
    return subscribe();
  } finally {
    to.leave();
  }
}

/** Tells the planner of a table, so that one nobody uses is found. */
export function announceTable(store: string, operator: string): void {
  listener?.announce(store, operator);
}
