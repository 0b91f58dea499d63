import type { Subscriber } from 'rxjs';
import type { KafkaRecord } from '../../src/model/record';
import type { Stamped } from '../../src/state/handle';
import type { Counter } from '../../src/state/scope';
import type { TableRuntime } from '../../src/state/table';
import type { Receiver } from '../operator';
import type { JoinRow } from './options';

/** What becomes of each record that is joined with a table: dropped and counted, or a result. */
export class RowJoin<K, V, T, R> implements Receiver<KafkaRecord<K, V>> {
  private readonly nullKeys: Counter;
  private readonly nullValues: Counter;
  /** A table without versions has one row for all times. */
  private readonly find: (key: K, time: number) => Stamped<T> | undefined;

  constructor(
    operator: string,
    { scope, find, versions }: TableRuntime<K, T>,
    private readonly join: JoinRow<K, V, T | undefined, R>,
    private readonly isLeft: boolean,
    private readonly destination: Subscriber<KafkaRecord<K, R>>,
  ) {
    this.nullKeys = scope.counter('dropped-records-total', operator, 'null-key');
    this.nullValues = scope.counter('dropped-records-total', operator, 'null-value');
    this.find = versions?.findAsOf ?? find;
  }

  receive(record: KafkaRecord<K, V>): void {
    if (this.takes(record)) this.emit(record);
  }

  /** False: it is dropped. */
  takes({ key, value }: KafkaRecord<K, V>): boolean {
    if (value === null || value === undefined) {
      this.nullValues.value += 1;
      return false;
    }
    if (!this.isLeft && (key === null || key === undefined)) {
      this.nullKeys.value += 1;
      return false;
    }
    return true;
  }

  emit(record: KafkaRecord<K, V>): void {
    const { key, value, timestamp } = record;
    const row = key === null || key === undefined ? undefined : this.find(key, timestamp)?.value;
    if (row === undefined && !this.isLeft) return;
    const { join } = this;
    this.destination.next(record.withValue(join(value, row, record)));
  }
}
