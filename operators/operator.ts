import { Observable, type Observer, type OperatorFunction, type Subscriber, Subscription } from 'rxjs';
import { MillraceError } from '../src/errors/millrace-error';
import type { KafkaRecord, Placement } from '../src/model/record';
import { runtime, type StoreRuntime } from '../src/state/handle';
import { subscribeAs, type WiringNode } from '../src/state/wiring';
import { agingWith } from './aging/observing-receiver';

/** Any record: what operators that keep the type of a record as a whole are constrained by. */
export type AnyRecord = KafkaRecord<unknown, unknown, Placement>;

/** A function of the user's: the value first, then the record that carries it. */
export type Project<K, V, P extends Placement, R> = (value: V, record: KafkaRecord<K, V, P>) => R;

/** Each input becomes one output. A throwing `project` is an error PROCESSING of the operator. */
export function mapInputs<In, Out>(operator: string, project: (input: In) => Out): OperatorFunction<In, Out> {
  const node: WiringNode = { kind: 'operator', name: operator, operator };
  return (source) => subscribing(node, source, (destination) => new MapInputs(destination, operator, project));
}

/** Inputs for which `keep` is true pass. */
export function filterInputs<In>(operator: string, keep: (input: In) => boolean): OperatorFunction<In, In> {
  const node: WiringNode = { kind: 'operator', name: operator, operator };
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
  const nodes = stores.map(({ shape }): WiringNode => ({ kind: 'store', name: shape.name, operator }));
  return (source) =>
    new Observable<Out>((destination) =>
      holding(operator, stores, token, (release) => {
        const [started] = aging(operator, stores, destination, [start(destination)]);
        release.push(started!);
        const subscribe = (): Subscription => source.subscribe(new ReceiveInputs(destination, operator, started!));
        return nodes.reduceRight((inner, node) => () => subscribeAs(node, source, inner), subscribe)();
      }),
    );
}

/**
 * The same with several sources that meet in one store: `start` gives a receiver for each, in their order. Completes with the last of
 * them.
 */
export function receiveFromAll<In, Out>(
  operator: string,
  store: StoreRuntime,
  sources: readonly Observable<In>[],
  start: (destination: Subscriber<Out>) => readonly Receiver<In>[],
): Observable<Out> {
  const token = {};
  const meeting: WiringNode = { kind: 'store', name: store.shape.name, operator };
  const input: WiringNode = { kind: 'operator', name: operator, operator };
  // Each source is an input of its own, so that the planner finds what lies upstream of it even behind a share().
  const together = new Observable<never>();
  return new Observable<Out>((destination) =>
    holding(operator, [store], token, (release) => {
      const receivers = aging(operator, [store], destination, start(destination));
      release.push(...receivers);
      let active = sources.length;
      const isLast = (): boolean => --active === 0;
      return subscribeAs(meeting, together, () => {
        const upstream = new Subscription();
        sources.forEach((source, at) => {
          const observer = new ReceiveOneOf(destination, operator, receivers[at]!, isLast);
          if (!destination.closed) upstream.add(subscribeAs(input, source, () => source.subscribe(observer)));
        });
        return upstream;
      });
    }),
  );
}

/**
 * An operator over a stream that looks rows up in a table: it keeps the table alive, and both must have the same partitions. The table's
 * records move none of the event time behind it.
 */
export function receiveWithTable<In, Out>(
  operator: string,
  table: { readonly name: string; readonly updates: Observable<unknown> },
  start: (destination: Subscriber<Out>) => Receiver<In>,
): OperatorFunction<In, Out> {
  const meeting: WiringNode = { kind: 'join', name: table.name, operator };
  const lookup: WiringNode = { kind: 'lookup', name: table.name, operator };
  const input: WiringNode = { kind: 'operator', name: operator, operator };
  return (source) =>
    new Observable<Out>((destination) => {
      const together = new Observable<never>();
      const error = (cause: unknown): void => {
        destination.error(cause);
      };
      return subscribeAs(meeting, together, () => {
        const held = subscribeAs(lookup, table.updates, () => table.updates.subscribe({ error }));
        const observer = new ReceiveInputs(destination, operator, start(destination));
        held.add(subscribeAs(input, source, () => source.subscribe(observer)));
        return held;
      });
    });
}

/** Claims stores for as long as what `subscribe` gives is subscribed; releases what it has pushed before they are free. */
function holding(
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
function aging<In>(
  operator: string,
  stores: readonly StoreRuntime[],
  destination: Subscriber<unknown>,
  receivers: readonly Receiver<In>[],
): readonly Receiver<In>[] {
  return agingWith(receivers, stores, destination, (cause) => destination.error(processingError(cause, operator)));
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
  return new Observable<Out>((destination) => subscribeAs(node, source, () => source.subscribe(observe(destination))));
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

class ReceiveInputs<In, Out> extends OperatorObserver<In, Out> {
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
