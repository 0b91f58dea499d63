import type { Observable, OperatorFunction, SchedulerLike } from 'rxjs';
import type { Outgoing } from '../model/outgoing';
import type { KafkaRecord, Placement } from '../model/record';
import type { StoreDefinition } from '../model/store-definition';
import type { Table, TableOptions } from '../model/table';
import type { InternalTopic, Topic } from '../model/topic';

/** One partition number of all the app's input topics, as handles. Asked twice they give the same one. */
export interface Task {
  /** The partition as an Observable: hot, in offset order, never completes. Several inputs are pushed in timestamp order among what is buffered. */
  readonly stream: <K, V>(topic: Topic<K, V>) => Observable<KafkaRecord<K, V>>;
  /**
   * The latest value of each key of this partition, materialised. The topic itself is what the rows are restored from. A null is a deletion
   * before it is a value, so rows are never null. With `history` it keeps versions too, for joins as of the time of a record.
   */
  readonly table: <K, V>(topic: Topic<K, V>, options?: TableOptions) => Table<K, NonNullable<V>>;
  /**
   * A whole table, from all partitions of its topic, the same for every task of the instance: loaded before the first record is pushed,
   * then followed as the topic grows, outside any transaction. What it holds can be looked up (`get`, `joinGlobalTable`); its changes lead to
   * nothing. Its topic need not have the partitions of others.
   */
  readonly globalTable: <K, V>(topic: Topic<K, V>) => Table<K, NonNullable<V>>;
  /** The handle of a store; one stateful operator may use it. */
  readonly store: <S>(definition: StoreDefinition<S>) => S;
  /** Through an internal topic, so that equal keys meet in one task. With `key`, re-keys on the way. */
  readonly repartition: {
    <K, V>(topic: InternalTopic<K, V>): OperatorFunction<KafkaRecord<K, V, Placement>, KafkaRecord<K, V>>;
    <K, V>(
      topic: InternalTopic<K, V>,
      key: (value: NoInfer<V>, record: KafkaRecord<unknown, NoInfer<V>, Placement>) => NoInfer<K>,
    ): OperatorFunction<KafkaRecord<unknown, V, Placement>, KafkaRecord<K, V>>;
  };
  /** Give it to RxJS's time operators: what they emit is then inside a push, in a transaction, and driven by TestScheduler. */
  readonly clock: SchedulerLike;
}

/** What the runtime assembles: a topology, told which partition it is for. */
export type TaskTopology = (task: Task, partition: number) => Observable<Outgoing>;

/** A plain function of a task: pure assembly. It runs once per task and again after a failure. */
export type Topology = (task: Task) => Observable<Outgoing>;
