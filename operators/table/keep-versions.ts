import type { Observable, Subscriber } from 'rxjs';
import type { Codec } from '../../src/model/codec';
import type { KafkaRecord } from '../../src/model/record';
import type { Change } from '../../src/model/table';
import type { VersionedShape } from '../../src/model/versioned';
import type { Counter } from '../../src/state/scope';
import type { TableHandle } from '../../src/state/table';
import type { VersionedRuntime } from '../../src/state/versioned-entries';
import { type Receiver, receiveWithStore } from '../operator';
import { checkedTime } from '../windowed/assign-windows';
import { keptTable } from './materialize';

/**
 * The table of a stream with the versions of its rows: each record is one from its timestamp on, a null says that there is none. Its
 * updates are those of the latest rows.
 */
export function keepVersions<K, V>(
  operator: string,
  name: string,
  source: Observable<KafkaRecord<K, V | null>>,
  store: VersionedRuntime<K, V>,
): TableHandle<K, V> {
  const { scope, shape, valueCodec } = store;
  const { history } = shape as VersionedShape;
  const behind = {
    name,
    scope,
    isKept: true,
    codecs: { key: shape.key, value: valueCodec },
    find: (key: K) => store.latest(key),
    versions: { history, findAsOf: (key: K, time: number) => store.asOf(key, time) },
    // Its changelog is its own already.
    takeBack: () => undefined,
  };
  const keep = (destination: Subscriber<KafkaRecord<K, Change<V>>>): KeepVersions<K, V> => new KeepVersions(operator, store, destination);
  return keptTable(behind, shape.key as Codec<K>, source.pipe(receiveWithStore(operator, store, keep)));
}

class KeepVersions<K, V> implements Receiver<KafkaRecord<K, V | null>> {
  private readonly nullKeys: Counter;
  private readonly late: Counter;

  constructor(
    operator: string,
    private readonly store: VersionedRuntime<K, V>,
    private readonly destination: Subscriber<KafkaRecord<K, Change<V>>>,
  ) {
    this.nullKeys = store.scope.counter('dropped-records-total', operator, 'null-key');
    this.late = store.scope.counter('dropped-records-total', operator, 'late');
  }

  receive(record: KafkaRecord<K, V | null>): void {
    const { key, value, timestamp } = record;
    if (key === null || key === undefined) {
      this.nullKeys.value += 1;
      return;
    }
    const before = this.store.latest(key)?.value;
    const placed = this.store.place(key, value, checkedTime(timestamp));
    if (placed === 'latest') this.destination.next(record.withValue({ before, after: value ?? undefined }));
    else if (placed === 'refused') this.late.value += 1;
  }
}
