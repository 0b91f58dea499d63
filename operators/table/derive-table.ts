import type { Subscriber } from 'rxjs';
import type { KafkaRecord } from '../../src/model/record';
import type { KeyValueStore } from '../../src/model/store-definition';
import type { Change, Table } from '../../src/model/table';
import type { Stamped } from '../../src/state/handle';
import { tableOf } from '../../src/state/table';
import { type Receiver, receiveWithStores } from '../operator';
import { derivedTable } from './derived-table';

/** Of `mapTable` and `filterTable`. */
export interface DerivedTableOptions<K, V> {
  /** Keeps the rows, instead of working them out whenever one is asked for: for a table whose upstream keeps none, or a costly function. */
  readonly store?: KeyValueStore<K, V>;
}

/** How a table follows from another, row by row. */
export interface Derivation<K, V, V2> {
  /** undefined: no such row here. */
  readonly row: (value: V, key: K) => V2 | undefined;
  /** Are deletions passed on of rows that were not here before, though that is known? */
  readonly passesVainDeletions: boolean;
}

/** A table whose rows follow from those of another with the same keys. */
export function deriveTable<K, V, V2>(
  operator: string,
  table: Table<K, V>,
  { row, passesVainDeletions }: Derivation<K, V, V2>,
  { store }: DerivedTableOptions<K, V2>,
): Table<K, V2> {
  const upstream = tableOf(table, operator);
  const { name, scope, isKept, versions: upstreamVersions, takeBack } = upstream;
  const rowOf = (value: V | undefined, key: K): V2 | undefined => (value === undefined ? undefined : (row(value, key) ?? undefined));
  const skipsVain = isKept && !passesVainDeletions;
  const derive = (destination: Subscriber<KafkaRecord<K, Change<V2>>>): Receiver<KafkaRecord<K, Change<V>>> =>
    store === undefined ? new Derive(rowOf, skipsVain, destination) : new DeriveAfter(rowOf, destination);
  const follow = (found: Stamped<V> | undefined, key: K): Stamped<V2> | undefined => {
    const value = rowOf(found?.value, key);
    return value === undefined ? undefined : { value, timestamp: found!.timestamp };
  };
  const find = (key: K): Stamped<V2> | undefined => follow(upstream.find(key), key);
  const changing = (key: K): { before: V2 | undefined } | undefined => {
    const change = upstream.progress?.changing(key);
    return change && { before: rowOf(change.before, key) };
  };
  const progress = upstream.progress && { ...upstream.progress, changing };
  const versions = upstreamVersions && {
    history: upstreamVersions.history,
    findAsOf: (key: K, time: number) => follow(upstreamVersions.findAsOf(key, time), key),
  };
  if (skipsVain && store === undefined) takeBack();
  const updates = upstream.updates.pipe(receiveWithStores(operator, [], derive));
  return derivedTable(operator, { name, scope, isKept, codecs: undefined, find, progress, versions, takeBack }, updates, store, !skipsVain);
}

class Derive<K, V, V2> implements Receiver<KafkaRecord<K, Change<V>>> {
  constructor(
    private readonly rowOf: (value: V | undefined, key: K) => V2 | undefined,
    private readonly skipsVainDeletions: boolean,
    private readonly destination: Subscriber<KafkaRecord<K, Change<V2>>>,
  ) {}

  receive(record: KafkaRecord<K, Change<V>>): void {
    const { rowOf, destination } = this;
    const { key, value } = record;
    const [before, after] = [rowOf(value.before, key), rowOf(value.after, key)];
    if (this.skipsVainDeletions && before === undefined && after === undefined) return;
    destination.next(record.withValue({ before, after }));
  }
}

/** The same for a store, which knows what was before. */
class DeriveAfter<K, V, V2> implements Receiver<KafkaRecord<K, Change<V>>> {
  constructor(
    private readonly rowOf: (value: V | undefined, key: K) => V2 | undefined,
    private readonly destination: Subscriber<KafkaRecord<K, Change<V2>>>,
  ) {}

  receive(record: KafkaRecord<K, Change<V>>): void {
    const { rowOf, destination } = this;
    destination.next(record.withValue({ before: undefined, after: rowOf(record.value.after, record.key) }));
  }
}
