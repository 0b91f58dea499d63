import type { OperatorFunction, Subscriber } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import type { KeyValueStore } from '../src/model/store-definition';
import type { KeyValueRuntime } from '../src/state/handle';
import type { Counter } from '../src/state/scope';
import type { State } from './fold/options';
import { receiveWithStore, type Receiver, runtimeOf } from './operator';

/** `step` gives the next state and what to emit; it may not change the state it is given. */
export interface StepWithState<K, V, A extends State, R> {
  /** The state of a key that has none. */
  readonly initial: () => NoInfer<A>;
  readonly step: (state: A, value: V, record: KafkaRecord<K, V>) => readonly [state: NoInfer<A>, result: R];
}

/**
 * `map` with a state for each key, kept in a store: the durable `scan`.
 *
 * ```text
 * in   --a5---a7---a2--|      difference to the last value: [value, value - last]
 * out  --a5---a2---a-5-|
 * ```
 * One result for each record, in order, with the record's own key, timestamp and headers. A null state is deleted: the next record
 * of the key starts from `initial`. Null keys are dropped and counted (`dropped-records-total`); null values go to `step`.
 *
 * @throws STORE_IN_USE at a second subscription while one is active, PROCESSING when a function throws; both in the stream
 * @example
 * stream(prices).pipe(
 *   mapWithStore(store(lastPrice), { initial: () => 0, step: (last, price) => [price, price - last] }),
 *   to(changes),
 * );
 */
export function mapWithStore<K, V, A extends State, R>(
  store: KeyValueStore<K, A>,
  options: StepWithState<K, V, A, R>,
): OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, R>> {
  const operator = 'mapWithStore';
  const target = runtimeOf(store, operator) as KeyValueRuntime<K, A>;
  return receiveWithStore(operator, target, (destination) => new MapWithState(operator, target, options, destination));
}

class MapWithState<K, V, A extends State, R> implements Receiver<KafkaRecord<K, V>> {
  private readonly store: KeyValueRuntime<K, A>;
  private readonly options: StepWithState<K, V, A, R>;
  private readonly destination: Subscriber<KafkaRecord<K, R>>;
  private readonly nullKeys: Counter;

  constructor(
    operator: string,
    store: KeyValueRuntime<K, A>,
    options: StepWithState<K, V, A, R>,
    destination: Subscriber<KafkaRecord<K, R>>,
  ) {
    this.store = store;
    this.options = options;
    this.destination = destination;
    this.nullKeys = store.scope.counter('dropped-records-total', operator, 'null-key');
  }

  receive(record: KafkaRecord<K, V>): void {
    const { key } = record;
    if (key === null || key === undefined) {
      this.nullKeys.value += 1;
      return;
    }
    const { initial, step } = this.options;
    const stored = this.store.find(key);
    const [next, result] = step(stored === undefined ? initial() : stored.value, record.value, record);
    const timestamp = stored !== undefined && stored.timestamp > record.timestamp ? stored.timestamp : record.timestamp;
    // A null written is a removal.
    this.store.write(key, next, timestamp);
    this.destination.next(record.withValue(result));
  }
}
