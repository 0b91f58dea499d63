import type { KafkaRecord } from '../../src/model/record';
import type { Aggregation, Reduction, State } from './options';

/** How one more record changes the value of its key. `before` is undefined when there is none; a result of null or undefined deletes. */
export interface Fold<K, V, A> {
  next(before: A | undefined, record: KafkaRecord<K, V>): A | null | undefined;
}

export class AggregateFold<K, V, A extends State> implements Fold<K, V, A> {
  private readonly options: Aggregation<K, V, A>;

  constructor(options: Aggregation<K, V, A>) {
    this.options = options;
  }

  next(before: A | undefined, record: KafkaRecord<K, V>): A {
    const { initial, add } = this.options;
    return add(before === undefined ? initial() : before, record.value, record);
  }
}

export class ReduceFold<K, V extends State> implements Fold<K, V, V> {
  private readonly options: Reduction<V>;

  constructor(options: Reduction<V>) {
    this.options = options;
  }

  next(before: V | undefined, record: KafkaRecord<K, V>): V {
    const { reduce } = this.options;
    return before === undefined ? record.value : reduce(before, record.value);
  }
}

export class CountFold<K, V> implements Fold<K, V, number> {
  next(before: number | undefined): number {
    return before === undefined ? 1 : before + 1;
  }
}
