import type { Subscriber } from 'rxjs';
import type { KafkaRecord } from '../src/model/record';
import type { KeyValueStore } from '../src/model/store-definition';
import type { Change, Table } from '../src/model/table';
import type { Stamped } from '../src/state/handle';
import { keptTableOf, type Progress, type TableRuntime } from '../src/state/table';
import { receiveFromBoth } from './meeting';
import type { Receiver } from './operator';
import { derivedTable } from './table/derived-table';

type Kind = 'inner' | 'left' | 'outer';
type JoinRows<L, R, J> = (left: L, right: R) => J;

/** Of `joinTables`. */
export interface JoinTablesOptions<K, J, Of extends Kind> {
  /** `inner` (default): both have a row; `left`: the left one has; `outer`: one of them has. */
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
 * The tables of topics that it joins keep changelogs of their own: a topic may have been compacted beyond what has been processed, and a row
 * that is not known to have been there would never be deleted.
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
/** A row for each of the left table: without one of the right `join` gets undefined. */
export function joinTables<K, L, R, J>(
  left: Table<K, L>,
  right: Table<K, R>,
  join: JoinRows<L, R | undefined, J>,
  options: JoinTablesOptions<K, J, 'left'> & { readonly kind: 'left' },
): Table<K, J>;
/** A row for each of either table: `join` gets undefined for what is missing. */
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
  const name = `${ofLeft.name} and ${ofRight.name}`;
  const joined = new JoinedRows(ofLeft, ofRight, row);
  const updates = receiveFromBoth(
    operator,
    { name },
    ofLeft.updates,
    ofRight.updates,
    (destination: Subscriber<KafkaRecord<K, Change<J>>>) => {
      joined.forget();
      return [
        new ChangesOfOneSide(joined, ofRight, row, destination),
        new ChangesOfOneSide(joined, ofLeft, (mine: R | undefined, other: L | undefined) => row(other, mine), destination),
      ];
    },
  );
  const takeBack = (): void => {
    ofLeft.takeBack();
    ofRight.takeBack();
  };
  takeBack();
  const { find, progress } = joined;
  return derivedTable(operator, { name, scope: ofLeft.scope, isKept: true, codecs: undefined, find, progress, takeBack }, updates, store);
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

/**
 * The rows of a join, and which of them came out last. Both tables may follow from one: then a change of that comes in from both, and while
 * the first is being emitted the row of the other side is already what it becomes. So each change begins with the row that came out last, and
 * goes to the row as it is now; where none has come out, what the other side was is taken from the change under way.
 */
class JoinedRows<K, L, R, J> {
  private last: { readonly key: K; readonly row: J | undefined; readonly changes: number } | undefined;

  constructor(
    readonly left: TableRuntime<K, L>,
    readonly right: TableRuntime<K, R>,
    readonly row: (left: L | undefined, right: R | undefined) => J | undefined,
  ) {}

  forget(): void {
    this.last = undefined;
  }

  readonly find = (key: K): Stamped<J> | undefined => {
    const [one, other] = [this.left.find(key), this.right.find(key)];
    const value = this.row(one?.value, other?.value);
    return value === undefined ? undefined : { value, timestamp: Math.max(one?.timestamp ?? -1, other?.timestamp ?? -1) };
  };

  readonly progress: Progress<K, J> = {
    identity: (key) => this.left.progress!.identity(key),
    changes: () => this.left.progress!.changes() + this.right.progress!.changes(),
    changing: (key) => {
      const isChanging = this.left.progress!.changing(key) !== undefined || this.right.progress!.changing(key) !== undefined;
      return isChanging ? { before: this.row(beforeOf(this.left, key), beforeOf(this.right, key)) } : undefined;
    },
  };

  /** What came out last of this row, unless another has come out since. */
  lastOf(key: K): { readonly row: J | undefined; readonly changes: number } | undefined {
    const { last, progress } = this;
    return last !== undefined && progress.identity(last.key) === progress.identity(key) ? last : undefined;
  }

  cameOut(key: K, row: J | undefined, changes: number): void {
    this.last = { key, row, changes };
  }
}

/** What it was before a change under way. */
function beforeOf<K, V>(table: TableRuntime<K, V>, key: K): V | undefined {
  const change = table.progress?.changing(key);
  return change === undefined ? table.find(key)?.value : change.before;
}

class ChangesOfOneSide<K, Mine, Other, J> implements Receiver<KafkaRecord<K, Change<Mine>>> {
  constructor(
    private readonly joined: Pick<JoinedRows<K, never, never, J>, 'progress' | 'find' | 'lastOf' | 'cameOut'>,
    private readonly other: TableRuntime<K, Other>,
    private readonly row: (mine: Mine | undefined, other: Other | undefined) => J | undefined,
    private readonly destination: Subscriber<KafkaRecord<K, Change<J>>>,
  ) {}

  receive(record: KafkaRecord<K, Change<Mine>>): void {
    const { joined, other, row } = this;
    const { key, value } = record;
    const changes = joined.progress.changes();
    const last = joined.lastOf(key);
    if (last?.changes === changes) return;
    const before = last === undefined ? row(value.before, beforeOf(other, key)) : last.row;
    const after = joined.find(key)?.value;
    joined.cameOut(key, after, changes);
    const beside = other.find(key);
    if (before === undefined && after === undefined && beside === undefined) return;
    this.destination.next(atTheLater(record, beside).withValue({ before, after }));
  }
}

function atTheLater<K, V>(record: KafkaRecord<K, V>, other: Stamped<unknown> | undefined): KafkaRecord<K, V> {
  return other !== undefined && other.timestamp > record.timestamp ? record.withTimestamp(other.timestamp) : record;
}
