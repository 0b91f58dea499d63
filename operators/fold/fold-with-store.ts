import type { OperatorFunction, Subscriber } from 'rxjs';
import type { KafkaRecord } from '../../src/model/record';
import type { KeyValueStore, SessionStore, WindowStore } from '../../src/model/store-definition';
import type { InSession, InWindows, Windowed } from '../../src/model/window';
import type { Counted } from '../../src/state/counted';
import type { KeyValueRuntime, RowRuntime, StoreRuntime, WindowRuntime } from '../../src/state/handle';
import { receiveWithStore, type Receiver, runtimeOf } from '../operator';
import { FoldInSessions, openSessions } from '../session/fold-in-sessions';
import { mergeOf } from '../session/merge-of';
import { FoldInCountedWindows } from '../counted/fold-in-counted-windows';
import { FoldInSlidingWindows, openSlidingWindows } from '../sliding/fold-in-sliding-windows';
import { checkAssignedWindows } from '../windowed/assign-windows';
import { checkEmit } from '../windowed/check-emit';
import { FoldInWindows } from '../windowed/fold-in-windows';
import { OpenWindows } from '../windowed/open-windows';
import type { Fold } from './fold';
import { FoldByKey } from './fold-by-key';
import type { Emit, Windowing } from './options';

/** The families a fold comes in; which one it is, the store decides. */
export type FoldOperator<K, V, A> =
  | InWindowsOperator<K, V, A>
  | OperatorFunction<InSession<K, V>, KafkaRecord<Windowed<K>, A>>
  | OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, A>>;

/** The one operator behind `aggregateWithStore`, `countWithStore` and `reduceWithStore`. */
export function foldWithStore<K, V, A>(
  operator: string,
  handle: WindowStore<K, A> | SessionStore<K, A> | KeyValueStore<K, A>,
  fold: Fold<K, V, A>,
  windowing: Windowing<K, V, Emit>,
): FoldOperator<K, V, A> {
  const store = runtimeOf(handle, operator);
  switch (store.shape.kind) {
    case 'window':
      return foldInWindows(operator, store as WindowRuntime<K, A>, fold, windowing);
    case 'sliding':
      return foldInSlidingWindows(operator, store as RowRuntime<K, A>, fold, windowing);
    case 'counted':
      return foldInCountedWindows(operator, store as RowRuntime<K, Counted<A>>, fold, windowing);
    case 'session':
      return foldInSessions(operator, store as RowRuntime<K, A>, fold, windowing);
    default:
      return foldByKey(operator, store as KeyValueRuntime<K, A>, fold);
  }
}

function foldByKey<K, V, A>(
  operator: string,
  store: KeyValueRuntime<K, A>,
  fold: Fold<K, V, A>,
): OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, A>> {
  return receiveWithStore(operator, store, (destination) => new FoldByKey(operator, store, fold, destination));
}

type InWindowsOperator<K, V, A> = OperatorFunction<InWindows<K, V>, KafkaRecord<Windowed<K>, A>>;

function foldInWindows<K, V, A>(
  operator: string,
  store: WindowRuntime<K, A>,
  fold: Fold<K, V, A>,
  { emit = 'update', late }: Windowing<K, V, Emit>,
): InWindowsOperator<K, V, A> {
  return receiveWindowed(operator, store, emit, (destination) => {
    const windows = new OpenWindows(operator, store, emit, destination);
    return new FoldInWindows(windows, windows.eventTimes[0]!, fold, late);
  });
}

function foldInSlidingWindows<K, V, A>(
  operator: string,
  store: RowRuntime<K, A>,
  fold: Fold<K, V, A>,
  { emit = 'update', late }: Windowing<K, V, Emit>,
): InWindowsOperator<K, V, A> {
  return receiveWindowed(operator, store, emit, (destination) => {
    const open = openSlidingWindows(operator, store, emit, destination);
    return new FoldInSlidingWindows(open, open.eventTimes[0]!, fold, late);
  });
}

function foldInCountedWindows<K, V, A>(
  operator: string,
  store: RowRuntime<K, Counted<A>>,
  fold: Fold<K, V, A>,
  { emit = 'update' }: Windowing<K, V, Emit>,
): InWindowsOperator<K, V, A> {
  return receiveWindowed(operator, store, emit, (destination) => new FoldInCountedWindows(operator, store, fold, emit, destination));
}

function foldInSessions<K, V, A>(
  operator: string,
  store: RowRuntime<K, A>,
  fold: Fold<K, V, A>,
  { emit = 'update', late }: Windowing<K, V, Emit>,
): OperatorFunction<InSession<K, V>, KafkaRecord<Windowed<K>, A>> {
  const merge = mergeOf(operator, fold, store.shape);
  return receiveWindowed(operator, store, emit, (destination) => {
    const open = openSessions(operator, store, emit, destination);
    return new FoldInSessions(open, open.eventTimes[0]!, fold, merge, late);
  });
}

/** What comes in windows must come in those of the store. */
function receiveWindowed<In, Out>(
  operator: string,
  store: StoreRuntime,
  emit: Emit,
  start: (destination: Subscriber<Out>) => Receiver<In>,
): OperatorFunction<In, Out> {
  checkEmit(operator, emit, store.shape);
  const receive = receiveWithStore(operator, store, start);
  return (source) => {
    checkAssignedWindows(operator, source, store.shape);
    return receive(source);
  };
}
