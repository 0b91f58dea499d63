import type { OperatorFunction } from 'rxjs';
import { MillraceError } from '../../src/errors/millrace-error';
import type { KafkaRecord } from '../../src/model/record';
import type { KeyValueStore, SessionStore, StoreShape, WindowStore } from '../../src/model/store-definition';
import type { InSession, InWindows, Windowed } from '../../src/model/window';
import type { KeyValueRuntime, RowRuntime, WindowRuntime } from '../../src/state/handle';
import { receiveWithStore, runtimeOf } from '../operator';
import { FoldInSessions, openSessions } from '../session/fold-in-sessions';
import { checkAssignedWindows } from '../windowed/assign-windows';
import { checkEmit } from '../windowed/check-emit';
import { FoldInWindows } from '../windowed/fold-in-windows';
import { OpenWindows } from '../windowed/open-windows';
import type { Fold } from './fold';
import { FoldByKey } from './fold-by-key';
import type { Emit, Windowing } from './options';

/** The families a fold comes in; which one it is, the store decides. */
export type FoldOperator<K, V, A> =
  | OperatorFunction<InWindows<K, V>, KafkaRecord<Windowed<K>, A>>
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

function foldInSessions<K, V, A>(
  operator: string,
  store: RowRuntime<K, A>,
  fold: Fold<K, V, A>,
  windowing: Windowing<K, V, Emit>,
): OperatorFunction<InSession<K, V>, KafkaRecord<Windowed<K>, A>> {
  const { emit = 'update', late } = windowing;
  const { merge } = fold;
  checkEmit(operator, emit, store.shape);
  if (merge === undefined) throw mergeMissing(operator, store.shape);
  const receive = receiveWithStore<InSession<K, V>, KafkaRecord<Windowed<K>, A>>(
    operator,
    store,
    (destination) => new FoldInSessions(openSessions(operator, store, emit, destination), fold, merge, late),
  );
  return (source) => {
    checkAssignedWindows(operator, source, store.shape);
    return receive(source);
  };
}

function mergeMissing(operator: string, { name }: StoreShape): MillraceError {
  return new MillraceError(
    'CONFIG',
    `${operator}: the option merge is missing; a record may join two sessions of the store ${name}, so say what their aggregates become: merge: (a, b) => ...`,
    { where: { operator, store: name, option: 'merge' } },
  );
}
