import { globalTableOver } from '../../operators/table/global-table';
import { identityOf } from '../codec/identity';
import type { KafkaRecord } from '../model/record';
import type { Table } from '../model/table';
import type { Topic } from '../model/topic';
import type { Stamped } from '../state/handle';
import { MemoryScope, scopes } from './memory-scope';

/**
 * A global table that belongs to no application, for operators alone: its rows are those of `records`, the last of each key, a null deletes.
 * They stay as they are.
 *
 * @example
 * cold('-a|', orders).pipe(joinGlobalTable(memoryGlobalTable(products, [record('p1', { name: 'tea' }, 0)]), productOf, named))
 */
export function memoryGlobalTable<K, V>(topic: Topic<K, V>, records: Iterable<KafkaRecord<K, V>>): Table<K, NonNullable<V>> {
  const identity = identityOf(topic.key);
  const rows = new Map<string, Stamped<unknown>>();
  for (const { key, value, timestamp } of records) {
    if (value === null || value === undefined) rows.delete(identity(key));
    else rows.set(identity(key), { value, timestamp });
  }
  const scope = new MemoryScope();
  const table = globalTableOver(topic.name, scope, (key) => rows.get(identity(key as K)));
  scopes.set(table, scope);
  return table as Table<K, NonNullable<V>>;
}
