import type { Observable } from 'rxjs';
import { MillraceError } from '../src/errors/millrace-error';
import type { KafkaRecord } from '../src/model/record';
import type { KeyValueStore, WindowStore } from '../src/model/store-definition';
import type { InWindows, Windowed } from '../src/model/window';
import type { KeyValueRuntime, StoreRuntime, WindowRuntime } from '../src/state/handle';
import { AggregateFold, type Fold } from './fold/fold';
import { FoldByKey } from './fold/fold-by-key';
import type { Grouped, GroupedInWindows } from './fold/grouping';
import type { Emit, State, Windowing } from './fold/options';
import { receiveFromAll, runtimeOf } from './operator';
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
 * Keeps one aggregate of the values of several streams for each key, or for each key and window, in a store. A function, not an
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
 * In windows each stream has a stream time of its own, as in Kafka Streams: a record is late by what its own stream has seen. Windows
 * close ('close'), and are removed, when all streams have passed them; a stream that is silent holds them open.
 *
 * @throws STORE_WINDOWS when records come in other windows than the store's; CONFIG without streams. In the stream: STORE_IN_USE at a
 *   second subscription while one is active, PROCESSING when a function throws
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
export function cogroupWithStore<K, A extends State>(
  store: KeyValueStore<K, A>,
  options: Cogrouping<A, Grouped<K, NoInfer<A>>>,
): Observable<KafkaRecord<K, A>>;
export function cogroupWithStore<K, A extends State>(
  store: WindowStore<K, A> | KeyValueStore<K, A>,
  options: Cogrouping<A, Grouped<K, A> | GroupedInWindows<K, A>> & Windowing<K, unknown, Emit>,
): Observable<KafkaRecord<Windowed<K>, A>> | Observable<KafkaRecord<K, A>> {
  const behind = runtimeOf(store, operator);
  if (options.of.length === 0) throw noStreams(behind);
  if (behind.shape.kind !== 'window') return byKey(behind as KeyValueRuntime<K, A>, options as Cogrouping<A, Grouped<K, A>>);
  return inWindows(behind as WindowRuntime<K, A>, options as Cogrouping<A, GroupedInWindows<K, A>> & Windowing<K, unknown, Emit>);
}

function byKey<K, A extends State>(
  store: KeyValueRuntime<K, A>,
  { initial, of }: Cogrouping<A, Grouped<K, A>>,
): Observable<KafkaRecord<K, A>> {
  return receiveFromAll<KafkaRecord<K, unknown>, KafkaRecord<K, A>>(operator, store, of.map(sourceOf), (destination) =>
    of.map(({ add }) => new FoldByKey(operator, store, adding<K, A>(initial, add), destination)),
  );
}

function inWindows<K, A extends State>(
  store: WindowRuntime<K, A>,
  { initial, of, emit = 'update', late }: Cogrouping<A, GroupedInWindows<K, A>> & Windowing<K, unknown, Emit>,
): Observable<KafkaRecord<Windowed<K>, A>> {
  checkEmit(operator, emit, store.shape);
  for (const { source } of of) checkAssignedWindows(operator, source, store.shape);
  const clocks = of.map((_, position) => `streamTime${position}`);
  return receiveFromAll<InWindows<K, unknown>, KafkaRecord<Windowed<K>, A>>(operator, store, of.map(sourceOf), (destination) => {
    const windows = new OpenWindows<K, A>(operator, store, emit, destination, clocks);
    return of.map(({ add }, position) => new FoldInWindows(windows, windows.eventTimes[position]!, adding<K, A>(initial, add), late));
  });
}

function sourceOf<T>({ source }: { readonly source: T }): T {
  return source;
}

/** `grouped` has seen to it that `add` takes the values of its source. */
function adding<K, A extends State>(initial: () => A, add: Grouped<K, A>['add']): Fold<K, unknown, A> {
  return new AggregateFold<K, unknown, A>({ initial, add: add as (aggregate: A, value: unknown, record: KafkaRecord<K, unknown>) => A });
}

function noStreams({ shape: { name } }: StoreRuntime): MillraceError {
  return new MillraceError('CONFIG', `${operator}: the option of is empty; it must hold at least one stream: grouped(source, add)`, {
    where: { operator, store: name, option: 'of' },
  });
}
