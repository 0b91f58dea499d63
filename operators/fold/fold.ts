import type { KafkaRecord } from '../../src/model/record';
import type { Aggregation, Merging, Reduction, State } from './options';

/** How one more record changes the value of its key. `before` is undefined when there is none; a result of null or undefined deletes. */
export interface Fold<K, V, A> {
  next(before: A | undefined, record: KafkaRecord<K, V>): A | null | undefined;
  /** Missing: values cannot be put together, so that no session can grow. */
  readonly merge?: Merge<A> | undefined;
}

/** What a session and those before it are together. `before` is undefined at the first. */
export type Merge<A> = (before: A | null | undefined, session: A) => A | null | undefined;

export class AggregateFold<K, V, A extends State> implements Fold<K, V, A> {
  readonly merge: Merge<A> | undefined;
  private readonly options: Aggregation<K, V, A>;

  constructor(options: Aggregation<K, V, A> & Partial<Merging<A>>) {
    this.options = options;
    const { initial, merge } = options;
    // As in Kafka Streams, what a session starts from is merged first, even if it is not neutral.
    if (typeof merge === 'function') this.merge = (before, session) => merge(before === undefined ? initial() : (before as A), session);
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
    const known = before ?? undefined;
    return known === undefined ? record.value : reduce(known, record.value);
  }

  readonly merge = (before: V | null | undefined, session: V): V => {
    const { reduce } = this.options;
    const known = before ?? undefined;
    return known === undefined ? session : reduce(known, session);
  };
}

export class CountFold<K, V> implements Fold<K, V, number> {
  next(before: number | undefined): number {
    return before === undefined ? 1 : before + 1;
  }

  readonly merge = (before: number | null | undefined, session: number): number => (before ?? 0) + session;
}
