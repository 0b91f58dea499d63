import type { Subscriber } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import type { KeyValueStore } from '../src/model/store-definition';
import type { Change, Table } from '../src/model/table';
import type { Stamped } from '../src/state/handle';
import { type ChangeUnderWay, keptTableOf, type TableRuntime } from '../src/state/table';
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
 * @see docs/joins.md
 */
export function joinTables<K, L, R, J>(
  left: Table<K, L>,
  right: Table<K, R>,
  join: JoinRows<L, R, J>,
  options?: JoinTablesOptions<K, J, 'inner'>,
): Table<K, J>;
export function joinTables<K, L, R, J>(
  left: Table<K, L>,
  right: Table<K, R>,
  join: JoinRows<L, R | undefined, J>,
  options: JoinTablesOptions<K, J, 'left'> & { readonly kind: 'left' },
): Table<K, J>;
export function joinTables<K, L, R, J>(
  left: Table<K, L>,
  right: Table<K, R>,
  join: JoinRows<L | undefined, R | undefined, J>,
  options: JoinTablesOptions<K, J, 'outer'> & { readonly kind: 'outer' },
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
  const updates = receiveFromBoth(
    operator,
    { name },
    ofLeft.updates,
    ofRight.updates,
    (destination: Subscriber<KafkaRecord<K, Change<J>>>) => {
      const sides = { left: new Side(ofLeft, kind !== 'inner'), right: new Side(ofRight, kind === 'outer') };
      return [
        new ChangesOfOneSide(sides.left, sides.right, row, destination),
        new ChangesOfOneSide(sides.right, sides.left, fromRight, destination),
      ];
    },
  );
  const find = (key: K): Stamped<J> | undefined => {
    const [one, other] = [ofLeft.find(key), ofRight.find(key)];
    const value = row(one?.value, other?.value);
    return value === undefined ? undefined : { value, timestamp: Math.max(one?.timestamp ?? -1, other?.timestamp ?? -1) };
  };
  const changing = (key: K): ChangeUnderWay<J> | undefined => {
    const [one, other] = [ofLeft.changing(key), ofRight.changing(key)];
    const change = one ?? other;
    return change && { of: change.of, before: row(beforeOf(ofLeft, one, key), beforeOf(ofRight, other, key)) };
  };
  const takeBack = (): void => {
    ofLeft.takeBack();
    ofRight.takeBack();
  };
  takeBack();
  return derivedTable(operator, { name, scope: ofLeft.scope, isKept: true, codecs: undefined, find, changing, takeBack }, updates, store);
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

function beforeOf<K, V>(table: TableRuntime<K, V>, change: ChangeUnderWay<V> | undefined, key: K): V | undefined {
  return change === undefined ? table.find(key)?.value : change.before;
}

class Side<K, V> {
  /** The last change under way that has come from here, or that the other side has taken into account before … */
  known: object | undefined;
  /** … and that is still to come. */
  expected: object | undefined;

  constructor(
    readonly table: TableRuntime<K, V>,
    /** Makes rows of its own. */
    readonly standsAlone: boolean,
  ) {}
}

/**
 * Both sides may follow from one table. Then a change of that one comes in twice, and while the first is under way the row of the other side
 * is already what it becomes: what it was is taken from the change, and the second says nothing new.
 */
class ChangesOfOneSide<K, Mine, Other, J> implements Receiver<KafkaRecord<K, Change<Mine>>> {
  constructor(
    private readonly mine: Side<K, Mine>,
    private readonly other: Side<K, Other>,
    private readonly row: (mine: Mine | undefined, other: Other | undefined) => J | undefined,
    private readonly destination: Subscriber<KafkaRecord<K, Change<J>>>,
  ) {}

  receive(record: KafkaRecord<K, Change<Mine>>): void {
    const { row, destination } = this;
    const { key, value } = record;
    if (this.isKnown(key)) return;
    const other = this.other.table.find(key);
    const ahead = this.changeAhead(key, other?.value);
    const before = ahead === undefined ? other?.value : ahead.before;
    if (other === undefined && before === undefined && !this.makesRows(value)) return;
    const change = { before: row(value.before, before), after: row(value.after, other?.value) };
    if (ahead !== undefined && change.before === undefined && change.after === undefined) return;
    destination.next(atTheLater(record, other).withValue(change));
  }

  private makesRows({ before, after }: Change<Mine>): boolean {
    return this.mine.standsAlone && (before !== undefined || after !== undefined);
  }

  private isKnown(key: K): boolean {
    const { mine } = this;
    const change = mine.table.changing(key)?.of;
    mine.known = change;
    const isKnown = change !== undefined && change === mine.expected;
    mine.expected = undefined;
    return isKnown;
  }

  /** A change of the other side that is in its rows, and has not come from it yet. */
  private changeAhead(key: K, now: Other | undefined): ChangeUnderWay<Other> | undefined {
    const { other } = this;
    const change = other.table.changing(key);
    if (change === undefined || change.of === other.known) return undefined;
    other.known = change.of;
    // Of a row that neither was nor is, a change need not come.
    if (change.before !== undefined || now !== undefined) other.expected = change.of;
    return change;
  }
}

function atTheLater<K, V>(record: KafkaRecord<K, V>, other: Stamped<unknown> | undefined): KafkaRecord<K, V> {
  return other !== undefined && other.timestamp > record.timestamp ? record.withTimestamp(other.timestamp) : record;
}
