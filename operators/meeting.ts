import { Observable, type OperatorFunction, type Subscriber, Subscription } from 'rxjs';
import type { StoreRuntime } from '../src/state/handle';
import { subscribeAs, type WiringNode } from '../src/state/wiring';
import { aging, holding, ReceiveInputs, type Receiver, storeNode } from './operator';

/**
 * A stateful operator over one store in which several sources meet: `start` gives a receiver for each, in their order. Completes with the
 * last of them.
 */
export function receiveFromAll<In, Out>(
  operator: string,
  store: StoreRuntime,
  sources: readonly Observable<In>[],
  start: (destination: Subscriber<Out>) => readonly Receiver<In>[],
): Observable<Out> {
  return receiveTogether(operator, storeNode(operator, store), [store], sources, start);
}

/** The same with two sources of different types. Without a store they meet in the operator itself: in a table that it makes, `name`. */
export function receiveFromBoth<L, R, Out>(
  operator: string,
  at: StoreRuntime | { readonly name: string },
  left: Observable<L>,
  right: Observable<R>,
  start: (destination: Subscriber<Out>) => readonly [Receiver<L>, Receiver<R>],
): Observable<Out> {
  const isStore = 'shape' in at;
  const meeting: WiringNode = isStore ? { kind: 'store', name: at.shape.name, operator } : { kind: 'join', name: at.name, operator };
  const sources = [left, right] as readonly Observable<L | R>[];
  return receiveTogether(
    operator,
    meeting,
    isStore ? [at] : [],
    sources,
    start as (destination: Subscriber<Out>) => readonly Receiver<L | R>[],
  );
}

function receiveTogether<In, Out>(
  operator: string,
  meeting: WiringNode,
  stores: readonly StoreRuntime[],
  sources: readonly Observable<In>[],
  start: (destination: Subscriber<Out>) => readonly Receiver<In>[],
): Observable<Out> {
  const token = {};
  const input: WiringNode = { kind: 'operator', name: operator, operator };
  // Each source is an input of its own, so that the planner finds what lies upstream of it even behind a share().
  const together = new Observable<never>();
  const output: Observable<Out> = new Observable<Out>((destination) =>
    holding(operator, stores, token, (release) => {
      const receivers = aging(operator, stores, destination, start(destination));
      release.push(...receivers);
      let active = sources.length;
      const isLast = (): boolean => --active === 0;
      const subscribe = (): Subscription => {
        const upstream = new Subscription();
        sources.forEach((source, at) => {
          const observer = new ReceiveOneOf(destination, operator, receivers[at]!, isLast);
          if (!destination.closed) upstream.add(subscribeAs(input, source, () => source.subscribe(observer)));
        });
        return upstream;
      };
      return subscribeAs(meeting, together, subscribe, output);
    }),
  );
  return output;
}

/**
 * An operator over a stream that looks rows up in a table: it keeps the table alive, and both must have the same partitions. The table's
 * records move none of the event time behind it.
 *
 * @param buffer its own store, if it has one: fed by the stream alone
 */
export function receiveWithTable<In, Out>(
  operator: string,
  table: { readonly name: string; readonly updates: Observable<unknown> },
  start: (destination: Subscriber<Out>) => Receiver<In>,
  buffer?: StoreRuntime,
): OperatorFunction<In, Out> {
  const token = {};
  const meeting: WiringNode = { kind: 'join', name: table.name, operator };
  const lookup: WiringNode = { kind: 'lookup', name: table.name, operator };
  const input: WiringNode = buffer === undefined ? { kind: 'operator', name: operator, operator } : storeNode(operator, buffer);
  return (source) => {
    const output: Observable<Out> = new Observable<Out>((destination) =>
      holding(operator, buffer === undefined ? [] : [buffer], token, (release) => {
        const together = new Observable<never>();
        const error = (cause: unknown): void => {
          destination.error(cause);
        };
        const subscribe = (): Subscription => {
          // Not the table's subscription: what is looked up in a table that has completed outlives it.
          const held = new Subscription();
          held.add(subscribeAs(lookup, table.updates, () => table.updates.subscribe({ error })));
          const receiver = start(destination);
          release.push(receiver);
          held.add(subscribeAs(input, source, () => source.subscribe(new ReceiveInputs(destination, operator, receiver))));
          receiver.subscribed?.();
          return held;
        };
        return subscribeAs(meeting, together, subscribe, output);
      }),
    );
    return output;
  };
}

/** One of several inputs: only the last of them to complete says so. */
class ReceiveOneOf<In, Out> extends ReceiveInputs<In, Out> {
  private readonly isLast: () => boolean;

  constructor(destination: Subscriber<Out>, operator: string, receiver: Receiver<In>, isLast: () => boolean) {
    super(destination, operator, receiver);
    this.isLast = isLast;
  }

  override complete(): void {
    if (this.isLast()) super.complete();
  }
}
