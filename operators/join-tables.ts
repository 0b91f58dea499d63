import type { Subscriber } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import type { KeyValueStore } from '../src/model/store-definition';
import type { Change, Table } from '../src/model/table';
import type { Stamped } from '../src/state/handle';
import { keptTableOf, type TableRuntime } from '../src/state/table';
import { receiveFromBoth } from './meeting';
import type { Receiver } from './operator';
import { derivedTable } from './table/derived-table';

type Kind = 'inner' | 'left' | 'outer';
type JoinRows<L, R, J> = (left: L, right: R) => J;

export interface JoinTablesOptions<K, J, Of extends Kind> {
  readonly kind?: Of;
  /** Keeps the joined rows, instead of working them out whenever one is asked for. */
  readonly store?: KeyValueStore<K, J>;
}

/**
 * The table of what two tables hold under each key: a change on either side changes it.
 *
 * ```text
 * changes of left   --a1------a2------a∅--|
 * changes of right  ------aX------a∅------|
 * inner             ------a1X-a2X-a∅------|
 * left              --a1∅-a1X-a2X-a2∅-a∅--|
 * ```
 * inner: rows that both have. left: those of the left one, with an undefined row where the right has none. outer: those of either. A row
 * that goes is a deletion (null); one that has not changed is emitted again all the same. A change carries the greater timestamp of the two
 * rows, and the headers of the record that changed its side. `join` must be pure: it is called again whenever a row is looked up, unless a
 * `store` keeps the results; a null from it is no row.
 *
 * @throws CO_PARTITION when the tables have different numbers of partitions; CONFIG for a table that keeps no rows; PROCESSING in the
 *   stream when `join` throws
 * @example
 * const contacts = joinTables(table(profiles), table(addresses), (profile, address) => ({ ...profile, address }), { kind: 'left' });
 */
export function joinTables<K, L, R, J>(
  left: Table<K, L>,
  right: Table<K, R>,
  join: JoinRows<L, R, J>,
  options?: JoinTablesOptions<K, NoInfer<J>, 'inner'>,
): Table<K, J>;
export function joinTables<K, L, R, J>(
  left: Table<K, L>,
  right: Table<K, R>,
  join: JoinRows<L, R | undefined, J>,
  options: JoinTablesOptions<K, NoInfer<J>, 'left'> & { readonly kind: 'left' },
): Table<K, J>;
export function joinTables<K, L, R, J>(
  left: Table<K, L>,
  right: Table<K, R>,
  join: JoinRows<L | undefined, R | undefined, J>,
  options: JoinTablesOptions<K, NoInfer<J>, 'outer'> & { readonly kind: 'outer' },
): Table<K, J>;
export function joinTables<K, L, R, J>(
  left: Table<K, L>,
  right: Table<K, R>,
  join: JoinRows<L, R, J> | JoinRows<L, R | undefined, J> | JoinRows<L | undefined, R | undefined, J>,
  { kind = 'inner', store }: JoinTablesOptions<K, J, Kind> = {},
): Table<K, J> {
  const operator = 'joinTables';
  const [ofLeft, ofRight] = [keptTableOf(left, operator), keptTableOf(right, operator)];
  const row = rowOf(kind, join as JoinRows<L | undefined, R | undefined, J>);
  const fromRight = (mine: R | undefined, other: L | undefined): J | undefined => row(other, mine);
  const name = `${ofLeft.name} and ${ofRight.name}`;
  const updates = receiveFromBoth(operator, { name }, left.updates, right.updates, (destination: Subscriber<KafkaRecord<K, Change<J>>>) => [
    new ChangesOfOneSide(ofRight, row, kind !== 'inner', destination),
    new ChangesOfOneSide(ofLeft, fromRight, kind === 'outer', destination),
  ]);
  const find = (key: K): Stamped<J> | undefined => {
    const [one, other] = [ofLeft.find(key), ofRight.find(key)];
    const value = row(one?.value, other?.value);
    return value === undefined ? undefined : { value, timestamp: Math.max(one?.timestamp ?? -1, other?.timestamp ?? -1) };
  };
  const takeBack = (): void => {
    ofLeft.takeBack();
    ofRight.takeBack();
  };
  return derivedTable(operator, { name, scope: ofLeft.scope, isKept: true, codecs: undefined, find, takeBack }, updates, store);
}

/** undefined: this kind of join has no row for these. */
function rowOf<L, R, J>(
  kind: Kind,
  join: JoinRows<L | undefined, R | undefined, J>,
): (left: L | undefined, right: R | undefined) => J | undefined {
  return (left, right) => {
    const isRow = left === undefined ? kind === 'outer' && right !== undefined : right !== undefined || kind !== 'inner';
    return isRow ? (join(left, right) ?? undefined) : undefined;
  };
}

class ChangesOfOneSide<K, Mine, Other, J> implements Receiver<KafkaRecord<K, Change<Mine>>> {
  constructor(
    private readonly other: TableRuntime<K, Other>,
    private readonly row: (mine: Mine | undefined, other: Other | undefined) => J | undefined,
    /** This side makes rows of its own. */
    private readonly standsAlone: boolean,
    private readonly destination: Subscriber<KafkaRecord<K, Change<J>>>,
  ) {}

  receive(record: KafkaRecord<K, Change<Mine>>): void {
    const { row, destination, standsAlone } = this;
    const { before, after } = record.value;
    const other = this.other.find(record.key);
    if (other === undefined && (!standsAlone || (before === undefined && after === undefined))) return;
    const change = { before: row(before, other?.value), after: row(after, other?.value) };
    destination.next(atTheLater(record, other).withValue(change));
  }
}

function atTheLater<K, V>(record: KafkaRecord<K, V>, other: Stamped<unknown> | undefined): KafkaRecord<K, V> {
  return other !== undefined && other.timestamp > record.timestamp ? record.withTimestamp(other.timestamp) : record;
}
