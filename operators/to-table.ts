import type { Observable } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import type { KeyValueStore } from '../src/model/store-definition';
import type { Table } from '../src/model/table';
import type { KeyValueRuntime } from '../src/state/handle';
import { announceTable } from '../src/state/wiring';
import { runtimeOf } from './operator';
import { materialize } from './table/materialize';

/**
 * The latest value of each key of a stream, kept in a store with a changelog of its own.
 *
 * ```text
 * source   --a1---a2---a∅--|
 * changes  --a1---a2---a∅--|
 * get(a)     1    2    undefined
 * ```
 * A null deletes; a record that is older than the row overwrites it all the same: the order of the stream counts. Null keys are dropped
 * and counted (`dropped-records-total`, reason `null-key`). It is kept up while somebody is subscribed to it: to its changes, or by a join.
 *
 * @throws NO_SUBSCRIBERS when the topology is planned and nobody uses the table; STORE_IN_USE in the stream, at a second use of the store
 * @example
 * const profiles = toTable(stream(profileEvents).pipe(repartition(byUser, (event) => event.userId)), store(profileRows));
 * return stream(orders).pipe(joinTable(profiles, (order, profile) => ({ ...order, ...profile })), to(enriched));
 */
export function toTable<K, V>(source: Observable<KafkaRecord<K, V | null>>, store: KeyValueStore<K, V>): Table<K, V> {
  const operator = 'toTable';
  const target = runtimeOf(store, operator) as KeyValueRuntime<K, V>;
  announceTable(target.shape.name, operator);
  return materialize(operator, source, target);
}
