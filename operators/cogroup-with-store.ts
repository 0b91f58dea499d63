import type { Observable, Subscriber } from 'rxjs';
import { MillraceError } from '../src/errors/millrace-error';
import type { KafkaRecord } from '../src/model/record';
import type { KeyValueStore, SessionStore, WindowStore } from '../src/model/store-definition';
import type { InSession, InWindows, Windowed } from '../src/model/window';
import type { Counted } from '../src/state/counted';
import type { KeyValueRuntime, RowRuntime, StoreRuntime, WindowRuntime } from '../src/state/handle';
import { FoldInCountedWindows } from './counted/fold-in-counted-windows';
import { AggregateFold, type Fold } from './fold/fold';
import { FoldByKey } from './fold/fold-by-key';
import type { Grouped, GroupedInSessions, GroupedInWindows } from './fold/grouping';
import type { Emit, Merging, Retraction, State, Windowing } from './fold/options';
import { receiveFromAll } from './meeting';
import { type Receiver, runtimeOf } from './operator';
import { FoldInSessions, openSessions } from './session/fold-in-sessions';
import { mergeOf } from './session/merge-of';
import { FoldInSlidingWindows, openSlidingWindows } from './sliding/fold-in-sliding-windows';
import { checkAssignedWindows } from './windowed/assign-windows';
import { checkEmit } from './windowed/check-emit';
import { FoldInWindows } from './windowed/fold-in-windows';
import { OpenWindows } from './windowed/open-windows';

const operator = 'cogroupWithStore';

/** How values of several streams become one aggregate, by key. */
export interface Cogrouping<A extends State, G> {
  /** What a key (and window) starts from; the first value, of whichever stream, is added to it. */
  readonly initial: () => NoInfer<A>;
  /** In windows their order is part of the state: add new ones at the end. */
  readonly of: readonly G[];
}

/**
 * Keeps one aggregate of the values of several streams for each key, or for each key and window or session, in a store. A function, not an
 * operator: it has several sources.
 *
 * ```text
 * left   --a1-------a3--|        each adds its values to one list
 * right  -------b2-a2---|
 * out    --a[1]-b[2]-a[1,2]-a[1,2,3]--|
 * ```
 * Emits after every record, with the greatest timestamp of the values. What is dropped and counted is as with `aggregateWithStore`: null
 * keys; null values, unless there are windows. The streams are subscribed in the order of `of`; it completes with the last of them.
 *
 * Over a session store it needs `merge`, and takes back what grows as `sessionize` says.
 *
 * In windows each stream has a stream time of its own, as in Kafka Streams: a record is late by what its own stream has seen. Windows
 * close ('close'), in the order of `aggregateWithStore`, and are removed, when all streams have passed them; a stream that is silent holds
 * them open.
 *
 * @throws STORE_WINDOWS when records come in other windows than the store's; CONFIG without streams, without `merge` over a session
 *   store, and for emit 'close' over windows that never do. In the stream: STORE_IN_USE at a second subscription while one is active,
 *   PROCESSING when a function throws
 * @example
 * cogroupWithStore(store(customers), {
 *   initial: () => ({ orders: 0, visits: 0 }),
 *   of: [
 *     grouped(stream(orders), (customer: Customer) => ({ ...customer, orders: customer.orders + 1 })),
 *     grouped(stream(visits), (customer: Customer) => ({ ...customer, visits: customer.visits + 1 })),
 *   ],
 * }).pipe(to(customersTopic));
 * @see KIP-150
 */
export function cogroupWithStore<K, A extends State>(
  store: WindowStore<K, A>,
  options: Cogrouping<A, GroupedInWindows<K, NoInfer<A>>> & Windowing<K, unknown, Emit>,
): Observable<KafkaRecord<Windowed<K>, A>>;
/** Over a session store: `merge` makes one aggregate of those that a record joins; a null takes back each that was emitted before. */
export function cogroupWithStore<K, A extends State, E extends Emit = 'update'>(
  store: SessionStore<K, A>,
  options: Cogrouping<A, GroupedInSessions<K, NoInfer<A>>> & Merging<A> & Windowing<K, unknown, E>,
): Observable<KafkaRecord<Windowed<K>, A | Retraction[E]>>;
/** Over a key-value store: one aggregate a key. */
export function cogroupWithStore<K, A extends State>(
  store: KeyValueStore<K, A>,
  options: Cogrouping<A, Grouped<K, NoInfer<A>>>,
): Observable<KafkaRecord<K, A>>;
export function cogroupWithStore<K, A extends State>(
  handle: WindowStore<K, A> | SessionStore<K, A> | KeyValueStore<K, A>,
  options: AnyCogrouping<K, A>,
): Observable<KafkaRecord<Windowed<K>, A>> | Observable<KafkaRecord<K, A>> {
  const store = runtimeOf(handle, operator);
  if (options.of.length === 0) throw noStreams(store);
  switch (store.shape.kind) {
    case 'window':
      return inWindows(store as WindowRuntime<K, A>, options);
    case 'sliding':
      return inSlidingWindows(store as RowRuntime<K, A>, options);
    case 'counted':
      return inCountedWindows(store as RowRuntime<K, Counted<A>>, options);
    case 'session':
      return inSessions(store as RowRuntime<K, A>, options);
    default:
      return byKey(store as KeyValueRuntime<K, A>, options);
  }
}

/** What `grouped` has seen to fits its store: by the types, and by `checkAssignedWindows`. */
interface AnyCogrouping<K, A extends State> extends Cogrouping<A, AnyGrouped<A>>, Partial<Merging<A>>, Windowing<K, unknown, Emit> {}

type AnyGrouped<A> = Pick<Grouped<unknown, A>, 'add'> & { readonly source: Observable<unknown> };

function byKey<K, A extends State>(store: KeyValueRuntime<K, A>, options: AnyCogrouping<K, A>): Observable<KafkaRecord<K, A>> {
  const sources = options.of.map(sourceOf) as Observable<KafkaRecord<K, unknown>>[];
  return receiveFromAll<KafkaRecord<K, unknown>, KafkaRecord<K, A>>(operator, store, sources, (destination) =>
    options.of.map((one) => new FoldByKey(operator, store, foldOf<K, A>(one, options), destination)),
  );
}

function inWindows<K, A extends State>(store: WindowRuntime<K, A>, options: AnyCogrouping<K, A>): Observable<KafkaRecord<Windowed<K>, A>> {
  const { of, emit = 'update', late } = options;
  return receiveWindowed<InWindows<K, unknown>, K, A>(store, options, (destination) => {
    const windows = new OpenWindows<K, A>(operator, store, emit, destination, clocksOf(of));
    return of.map((one, position) => new FoldInWindows(windows, windows.eventTimes[position]!, foldOf<K, A>(one, options), late));
  });
}

function inSlidingWindows<K, A extends State>(
  store: RowRuntime<K, A>,
  options: AnyCogrouping<K, A>,
): Observable<KafkaRecord<Windowed<K>, A>> {
  const { of, emit = 'update', late } = options;
  return receiveWindowed<InWindows<K, unknown>, K, A>(store, options, (destination) => {
    const open = openSlidingWindows<K, A>(operator, store, emit, destination, clocksOf(of));
    return of.map((one, position) => new FoldInSlidingWindows(open, open.eventTimes[position]!, foldOf<K, A>(one, options), late));
  });
}

/** Nothing here goes by time: a window counts the records of all streams, as they come. */
function inCountedWindows<K, A extends State>(
  store: RowRuntime<K, Counted<A>>,
  options: AnyCogrouping<K, A>,
): Observable<KafkaRecord<Windowed<K>, A>> {
  const { of, emit = 'update' } = options;
  return receiveWindowed<InWindows<K, unknown>, K, A>(store, options, (destination) =>
    of.map((one) => new FoldInCountedWindows<K, unknown, A>(operator, store, foldOf<K, A>(one, options), emit, destination)),
  );
}

function inSessions<K, A extends State>(store: RowRuntime<K, A>, options: AnyCogrouping<K, A>): Observable<KafkaRecord<Windowed<K>, A>> {
  const { of, emit = 'update', late } = options;
  const merge = mergeOf(operator, foldOf<K, A>(of[0]!, options), store.shape);
  return receiveWindowed<InSession<K, unknown>, K, A>(store, options, (destination) => {
    const open = openSessions<K, A>(operator, store, emit, destination, clocksOf(of));
    return of.map((one, position) => new FoldInSessions(open, open.eventTimes[position]!, foldOf<K, A>(one, options), merge, late));
  });
}

/** What comes in windows must come in those of the store. */
function receiveWindowed<In, K, A extends State>(
  store: StoreRuntime,
  { of, emit = 'update' }: AnyCogrouping<K, A>,
  start: (destination: Subscriber<KafkaRecord<Windowed<K>, A>>) => readonly Receiver<In>[],
): Observable<KafkaRecord<Windowed<K>, A>> {
  checkEmit(operator, emit, store.shape);
  for (const { source } of of) checkAssignedWindows(operator, source, store.shape);
  return receiveFromAll<In, KafkaRecord<Windowed<K>, A>>(operator, store, of.map(sourceOf) as Observable<In>[], start);
}

/** They outlive versions of a program. */
function clocksOf(of: readonly unknown[]): readonly string[] {
  return of.map((_, position) => `streamTime${position}`);
}

function sourceOf({ source }: { readonly source: Observable<unknown> }): Observable<unknown> {
  return source;
}

/** `grouped` has seen to it that `add` takes the values of its source. */
function foldOf<K, A extends State>({ add }: AnyGrouped<A>, { initial, merge }: AnyCogrouping<K, A>): Fold<K, unknown, A> {
  const adding = add as (aggregate: A, value: unknown, record: KafkaRecord<K, unknown>) => A;
  return new AggregateFold<K, unknown, A>({ initial, add: adding, ...(merge !== undefined && { merge }) });
}

function noStreams({ shape: { name } }: StoreRuntime): MillraceError {
  return new MillraceError('CONFIG', `${operator}: the option of is empty; it must hold at least one stream: grouped(source, add)`, {
    where: { operator, store: name, option: 'of' },
  });
}
