import { Observable, type Observer, type OperatorFunction, type Subscriber, Subscription } from 'rxjs';
import { MillraceError } from '../src/errors/millrace-error';
import type { KafkaRecord, Placement } from '../src/model/record';
import type { ResultWindows } from '../src/model/window';
import { runtime, type StoreRuntime } from '../src/state/handle';
import { subscribeAs, type WiringNode } from '../src/state/wiring';
import { agingWith } from './aging/observing-receiver';

/** Any record: what operators that keep the type of a record as a whole are constrained by. */
export type AnyRecord = KafkaRecord<unknown, unknown, Placement>;

/** A function of the user's: the value first, then the record that carries it. */
export type Project<K, V, P extends Placement, R> = (value: V, record: KafkaRecord<K, V, P>) => R;

/** Each input becomes one output. A throwing `project` is an error PROCESSING of the operator. */
export function mapInputs<In, Out>(operator: string, project: (input: In) => Out): OperatorFunction<In, Out> {
  const node = operatorNode(operator);
  return (source) => subscribing(node, source, (destination) => new MapInputs(destination, operator, project));
}

/** Inputs for which `keep` is true pass. */
export function filterInputs<In>(operator: string, keep: (input: In) => boolean): OperatorFunction<In, In> {
  const node = operatorNode(operator);
  return (source) => subscribing(node, source, (destination) => new FilterInputs(destination, operator, keep));
}

/** Each input becomes one output on its way to one of `topics`: the end of a stream. */
export function sendInputs<In, Out>(
  operator: string,
  topics: readonly { readonly name: string }[],
  project: (input: In) => Out,
): OperatorFunction<In, Out> {
  const node: WiringNode = { kind: 'sink', name: topics.map(({ name }) => name).join(', '), operator, topics };
  return (source) => subscribing(node, source, (destination) => new MapInputs(destination, operator, project));
}

/** What a stateful operator does, for one subscription: takes each input and emits what follows from it, or nothing. */
export interface Receiver<In> {
  receive(input: In): void;
  /** The source has completed. False: this completes the destination itself, once it is through with what it has received. */
  complete?(): boolean;
  /** The subscription has ended, in whatever way. */
  release?(): void;
  /** Its records come from these windows: called for the windows next to it on each way, while it subscribes. */
  meets?(windows: ResultWindows): void;
  /** It has subscribed to its source. What this throws, the subscription ends with. */
  subscribed?(): void;
}

/**
 * A stateful operator over one store. The store is claimed for each subscription, before `start` is called, and freed when it ends.
 * What `receive` throws is an error PROCESSING of the operator. A call of this is one operator: it may be subscribed once at a time.
 */
export function receiveWithStore<In, Out>(
  operator: string,
  store: StoreRuntime,
  start: (destination: Subscriber<Out>) => Receiver<In>,
): OperatorFunction<In, Out> {
  return receiveWithStores(operator, [store], start);
}

/** The same over several stores: each is claimed, in this order. */
export function receiveWithStores<In, Out>(
  operator: string,
  stores: readonly StoreRuntime[],
  start: (destination: Subscriber<Out>) => Receiver<In>,
): OperatorFunction<In, Out> {
  const token = {};
  return (source) => {
    const output: Observable<Out> = new Observable<Out>((destination) =>
      holding(operator, stores, token, (release) => {
        const receiver = start(destination);
        const [started] = aging(operator, stores, destination, [receiver]);
        release.push(started!);
        const meets = receiver.meets && ((windows: ResultWindows) => receiver.meets?.(windows));
        // Without a store it is a node all the same: behind a share() the planner goes by those that have subscribed before.
        const nodes = stores.length === 0 ? [operatorNode(operator)] : stores.map((store) => storeNode(operator, store, meets));
        const subscribe = (): Subscription => source.subscribe(new ReceiveInputs(destination, operator, started!));
        const subscription = nodes.reduceRight(
          (inner, node, at) => () => subscribeAs(node, source, inner, at === 0 ? output : undefined),
          subscribe,
        )();
        // What `holding` has not got yet it cannot end.
        try {
          receiver.subscribed?.();
        } catch (error) {
          subscription.unsubscribe();
          throw error;
        }
        return subscription;
      }),
    );
    return output;
  };
}

/** The same; but the planner sees each subscription, also where it finds no way upstream of what is shared: in a merge, say. */
export function seenByPlanner<T>(operator: string, name: string, shared: Observable<T>): Observable<T> {
  const node: WiringNode = { kind: 'operator', name, operator };
  return new Observable<T>((subscriber) => subscribeAs(node, shared, () => shared.subscribe(subscriber)));
}

/** Claims stores for as long as what `subscribe` gives is subscribed; releases what it has pushed before they are free. */
export function holding(
  operator: string,
  stores: readonly StoreRuntime[],
  token: object,
  subscribe: (release: Pick<Receiver<never>, 'release'>[]) => Subscription,
): Subscription {
  const claimed: (() => void)[] = [];
  const release: Pick<Receiver<never>, 'release'>[] = [];
  const leave = (): void => {
    for (const receiver of release) receiver.release?.();
    for (const free of claimed) free();
  };
  try {
    for (const store of stores) claimed.push(store.claim(token, operator));
    // Not the source's subscription: an operator that has something left to do outlives its source.
    const held = new Subscription();
    held.add(subscribe(release));
    held.add(leave);
    return held;
  } catch (error) {
    leave();
    throw error;
  }
}

/** With what stores declared with a `ttl` need; for any other `receivers` as they are. */
export function aging<In>(
  operator: string,
  stores: readonly StoreRuntime[],
  destination: Subscriber<unknown>,
  receivers: readonly Receiver<In>[],
): readonly Receiver<In>[] {
  return agingWith(receivers, stores, destination, (cause) => destination.error(processingError(cause, operator)));
}

function operatorNode(operator: string): WiringNode {
  return { kind: 'operator', name: operator, operator };
}

export function storeNode(operator: string, { shape }: StoreRuntime, meets?: WiringNode['meets']): WiringNode {
  const { name, windows, releasedAtEnd = false } = shape;
  return { kind: 'store', name, operator, ...(windows && { windows: { windows, releasedAtEnd } }), ...(meets && { meets }) };
}

/** What is behind a store handle. */
export function runtimeOf(store: object, operator: string): StoreRuntime {
  const behind = (store as { readonly [runtime]?: StoreRuntime })[runtime];
  if (behind !== undefined) return behind;
  throw new MillraceError('CONFIG', `${operator}: this is no store; take it from task.store(definition) or memoryStore(definition)`, {
    where: { operator },
  });
}

/** The error an operator ends with: PROCESSING unless it already has a code; with the operator, the runtime adds the record's place. */
export function processingError(cause: unknown, operator: string): MillraceError {
  if (!(cause instanceof MillraceError)) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new MillraceError('PROCESSING', `${operator}: ${reason}`, { cause, where: { operator } });
  }
  if (cause.where.operator !== undefined) return cause;
  const message = cause.message.slice(cause.code.length + ': '.length);
  const { code, retryable, where } = cause;
  return new MillraceError(code, `${operator}: ${message}`, { cause, retryable, where: { ...where, operator } });
}

function subscribing<In, Out>(
  node: WiringNode,
  source: Observable<In>,
  observe: (destination: Subscriber<Out>) => Observer<In>,
): Observable<Out> {
  const output: Observable<Out> = new Observable<Out>((destination) =>
    subscribeAs(node, source, () => source.subscribe(observe(destination)), output),
  );
  return output;
}

/** Stays silent once its destination has closed: a source that emits while it is being subscribed cannot be stopped in time. */
abstract class OperatorObserver<In, Out> implements Observer<In> {
  protected readonly destination: Subscriber<Out>;
  private readonly operator: string;

  constructor(destination: Subscriber<Out>, operator: string) {
    this.destination = destination;
    this.operator = operator;
  }

  protected abstract take(input: In): void;

  next(input: In): void {
    if (this.destination.closed) return;
    try {
      this.take(input);
    } catch (error) {
      this.destination.error(processingError(error, this.operator));
    }
  }

  error(error: unknown): void {
    this.destination.error(error);
  }

  complete(): void {
    this.destination.complete();
  }
}

class MapInputs<In, Out> extends OperatorObserver<In, Out> {
  private readonly project: (input: In) => Out;

  constructor(destination: Subscriber<Out>, operator: string, project: (input: In) => Out) {
    super(destination, operator);
    this.project = project;
  }

  protected take(input: In): void {
    const { project } = this;
    this.destination.next(project(input));
  }
}

class FilterInputs<In> extends OperatorObserver<In, In> {
  private readonly keep: (input: In) => boolean;

  constructor(destination: Subscriber<In>, operator: string, keep: (input: In) => boolean) {
    super(destination, operator);
    this.keep = keep;
  }

  protected take(input: In): void {
    const { keep } = this;
    if (keep(input)) this.destination.next(input);
  }
}

/** Gives a receiver what it is subscribed to. */
export class ReceiveInputs<In, Out> extends OperatorObserver<In, Out> {
  private readonly receiver: Receiver<In>;

  constructor(destination: Subscriber<Out>, operator: string, receiver: Receiver<In>) {
    super(destination, operator);
    this.receiver = receiver;
  }

  protected take(input: In): void {
    this.receiver.receive(input);
  }

  override complete(): void {
    if (this.receiver.complete?.() !== false) this.destination.complete();
  }
}
