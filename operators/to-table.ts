import type { Observable } from 'rxjs';
import { MillraceError } from '../src/errors/millrace-error';
import type { KafkaRecord } from '../src/model/record';
import type { KeyValueStore } from '../src/model/store-definition';
import type { Table } from '../src/model/table';
import type { VersionedStore } from '../src/model/versioned';
import type { KeyValueRuntime } from '../src/state/handle';
import type { VersionedRuntime } from '../src/state/versioned-entries';
import { announceTable } from '../src/state/wiring';
import { runtimeOf } from './operator';
import { keepVersions } from './table/keep-versions';
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
 * In a `versionedStore` it keeps versions, by their timestamps: `joinTable` finds the row that was valid at the time of a record. A record
 * that is older than the row then changes no more than what is found as of its time; one that is older than the history is dropped and
 * counted (reason `late`).
 *
 * @throws NO_SUBSCRIBERS when the topology is planned and nobody uses the table; CONFIG for another kind of store; STORE_IN_USE in the
 *   stream, at a second use of the store
 * @example
 * const profiles = toTable(stream(profileEvents).pipe(repartition(byUser, (event) => event.userId)), store(profileRows));
 * return stream(orders).pipe(joinTable(profiles, (order, profile) => ({ ...order, ...profile })), to(enriched));
 * @see docs/joins.md
 */
export function toTable<K, V>(
  source: Observable<KafkaRecord<K, V | null>>,
  store: KeyValueStore<K, V> | VersionedStore<K, V>,
): Table<K, V> {
  const operator = 'toTable';
  const target = runtimeOf(store, operator);
  const { kind, name } = target.shape;
  announceTable(name, operator);
  if (kind === 'versioned') return keepVersions(operator, name, source, target as VersionedRuntime<K, V>);
  if (kind === 'key-value') return materialize(operator, source, target as KeyValueRuntime<K, V>);
  throw new MillraceError(
    'CONFIG',
    `${operator}: the store "${name}" is of the kind ${kind}; declare a keyValueStore or a versionedStore`,
    {
      where: { operator, store: name },
    },
  );
}
