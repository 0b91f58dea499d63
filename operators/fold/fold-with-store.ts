import type { OperatorFunction } from 'rxjs';
import type { KafkaRecord } from '../../src/model/record';
import type { KeyValueStore, WindowStore } from '../../src/model/store-definition';
import type { InWindows, Windowed } from '../../src/model/window';
import type { KeyValueRuntime, StoreRuntime, WindowRuntime } from '../../src/state/handle';
import { receiveWithStore, runtimeOf } from '../operator';
import { checkAssignedWindows } from '../windowed/assign-windows';
import { checkEmit } from '../windowed/check-emit';
import { FoldInWindows } from '../windowed/fold-in-windows';
import { OpenWindows } from '../windowed/open-windows';
import type { Fold } from './fold';
import { FoldByKey } from './fold-by-key';
import type { Emit, Windowing } from './options';

/** The two families a fold comes in; which one it is, the store decides. */
export type FoldOperator<K, V, A> =
  OperatorFunction<InWindows<K, V>, KafkaRecord<Windowed<K>, A>> | OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, A>>;

/** The one operator behind `aggregateWithStore`, `countWithStore` and `reduceWithStore`. */
export function foldWithStore<K, V, A>(
  operator: string,
  handle: WindowStore<K, A> | KeyValueStore<K, A>,
  fold: Fold<K, V, A>,
  windowing: Windowing<K, V, Emit>,
): FoldOperator<K, V, A> {
  const store = runtimeOf(handle, operator);
  if (!isWindowRuntime<K, A>(store)) return foldByKey(operator, store as KeyValueRuntime<K, A>, fold);
  return foldInWindows(operator, store, fold, windowing);
}

function foldByKey<K, V, A>(
  operator: string,
  store: KeyValueRuntime<K, A>,
  fold: Fold<K, V, A>,
): OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, A>> {
  return receiveWithStore(operator, store, (destination) => new FoldByKey(operator, store, fold, destination));
}

function foldInWindows<K, V, A>(
  operator: string,
  store: WindowRuntime<K, A>,
  fold: Fold<K, V, A>,
  windowing: Windowing<K, V, Emit>,
): OperatorFunction<InWindows<K, V>, KafkaRecord<Windowed<K>, A>> {
  const { emit = 'update', late } = windowing;
  checkEmit(operator, emit, store.shape);
  const receive = receiveWithStore<InWindows<K, V>, KafkaRecord<Windowed<K>, A>>(operator, store, (destination) => {
    const windows = new OpenWindows(operator, store, emit, destination);
    return new FoldInWindows(windows, windows.eventTimes[0]!, fold, late);
  });
  return (source) => {
    checkAssignedWindows(operator, source, store.shape);
    return receive(source);
  };
}

function isWindowRuntime<K, A>(store: StoreRuntime): store is WindowRuntime<K, A> {
  return store.shape.kind === 'window';
}
