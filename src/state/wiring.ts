import type { Observable, Subscription } from 'rxjs';
import type { ResultWindows } from '../model/window';

/** What the planner draws: an operator of ours with the store, topics or table it stands for. */
export interface WiringNode {
  /** A `join` is where inputs meet without a store of its own; a `lookup` the table that it looks up in, which moves no event time. */
  readonly kind: 'source' | 'store' | 'repartition' | 'sink' | 'operator' | 'join' | 'lookup';
  /** Name of the store, topic or table. */
  readonly name: string;
  readonly operator: string;
  /** Sinks: every topic that may be written. */
  readonly topics?: readonly unknown[];
  /** Windowed stores: of which windows. */
  readonly windows?: ResultWindows;
  /** Told of the windows that its records come from, those next to it on each way. */
  readonly meets?: (windows: ResultWindows) => void;
}

/** Who listens while a topology is subscribed; nobody in an operator's own unit test. */
export interface WiringListener {
  /** `node` subscribes to `source`; everything subscribed before the matching `leave` lies upstream of it. `output` is what it gives. */
  enter(node: WiringNode, source: Observable<unknown>, output: Observable<unknown> | undefined): void;
  leave(): void;
  /** A table has been made that lives only while somebody is subscribed to it. */
  announce(store: string, operator: string): void;
}

let listener: WiringListener | undefined;

/** Who is subscribing, the last of them upstream of all others. */
const path: WiringNode[] = [];

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

/**
 * Subscribes on behalf of one of our operators, so that the planner sees what lies upstream of it; with `output`, also what lies upstream of
 * whoever subscribes to that behind a share(), when it is not subscribed again.
 */
export function subscribeAs(
  node: WiringNode,
  source: Observable<unknown>,
  subscribe: () => Subscription,
  output?: Observable<unknown>,
): Subscription {
  const to = listener;
  if (node.windows !== undefined) tellBelow(node.windows);
  path.push(node);
  to?.enter(node, source, output);
  try {
    return subscribe();
  } finally {
    to?.leave();
    path.pop();
  }
}

function tellBelow(windows: ResultWindows): void {
  for (let at = path.length - 1; at >= 0; at--) {
    const below = path[at]!;
    below.meets?.(windows);
    if (below.windows !== undefined) return;
  }
}

/** Tells the planner of a table, so that one nobody uses is found. */
export function announceTable(store: string, operator: string): void {
  listener?.announce(store, operator);
}
