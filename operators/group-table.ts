import type { Subscriber } from 'rxjs';
import { internalTopic } from '../src/codec/topic';
import { changeOf } from '../src/codec/change';
import { identityOf } from '../src/codec/identity';
import type { KafkaRecord } from '../src/model/record';
import type { KeyValueStore } from '../src/model/store-definition';
import type { Change, Table } from '../src/model/table';
import type { InternalTopic } from '../src/model/topic';
import type { KeyValueRuntime } from '../src/state/handle';
import { keptTableOf } from '../src/state/table';
import { announceTable } from '../src/state/wiring';
import type { State } from './fold/options';
import { type Receiver, receiveWithStore, receiveWithStores, runtimeOf } from './operator';
import { tableInStore } from './table/materialize';

/** Of `groupTable`: into which group a row goes, and what becomes of the group. */
export interface GroupTableOptions<K, V, K2, V2, A extends State> {
  /** The group a row belongs to, and what of it is aggregated; pure. A null in either: the row is in no group. */
  readonly by: (value: V, key: K) => readonly [K2, V2];
  /** Where rows meet those of their group: the internal topic `<app>-<name>-repartition`, which serves this grouping alone. */
  readonly through: InternalTopic<K2, V2>;
  readonly initial: () => NoInfer<A>;
  readonly add: (aggregate: A, value: V2) => NoInfer<A>;
  /** Takes back what `add` has added. */
  readonly subtract: (aggregate: A, value: V2) => NoInfer<A>;
}

/**
 * A table of groups: each with the aggregate of the rows that belong to it now.
 *
 * ```text
 * changes of table   --a:x1----b:x2----a:y3---------b:∅---|     group and number; sums
 * changes of result  ----x1------x3------x2 y3--------x0--|
 * ```
 * A row that changes is subtracted from the group it was in, then added to the one it is in: through an internal topic, since the groups
 * need not be where the rows are. One change for each group concerned; in one group, one. Its timestamp is the greater of the row's and the
 * group's, its headers are the row's. A group that has no aggregate is not subtracted from. An aggregate of null deletes the group.
 *
 * Rows are taken back as they were added, whatever happens in between: the table it groups keeps a changelog of its own, because a source
 * topic may have been compacted beyond what has been processed.
 *
 * @throws CONFIG for a table that keeps no rows, and for an internal topic that serves another one too; NO_SUBSCRIBERS when the topology is planned and nobody uses the result; PROCESSING in the
 *   stream when a function throws
 * @example
 * const perCity = groupTable(table(customers), store(customersPerCity), {
 *   by: ({ city }) => [city, 1],
 *   through: internalTopic('customers-by-city', { key: string, value: int32 }),
 *   initial: () => 0,
 *   add: (count, one) => count + one,
 *   subtract: (count, one) => count - one,
 * });
 * @see docs/joins.md
 */
export function groupTable<K, V, K2, V2, A extends State>(
  table: Table<K, V>,
  store: KeyValueStore<K2, A>,
  options: GroupTableOptions<K, V, K2, V2, A>,
): Table<K2, A> {
  const operator = 'groupTable';
  const rows = keptTableOf(table, operator);
  const target = runtimeOf(store, operator) as KeyValueRuntime<K2, A>;
  rows.takeBack();
  announceTable(target.shape.name, operator);
  const regroup = (destination: Subscriber<Moved<K2, V2>>): Regroup<K, V, K2, V2> => new Regroup(options, destination);
  const aggregate = (destination: Subscriber<KafkaRecord<K2, Change<A>>>): AggregateGroups<K2, V2, A> =>
    new AggregateGroups(target, options, destination);
  const updates = rows.updates.pipe(
    receiveWithStores(operator, [], regroup),
    target.scope.repartition(changesThrough(options.through)),
    receiveWithStore(operator, target, aggregate),
  );
  return tableInStore(target, updates);
}

type Moved<K, V> = KafkaRecord<K, Change<V>, 'moved'>;

const carriers = new WeakMap<object, InternalTopic<unknown, Change<unknown>>>();

/** The internal topic as it is: with what a row was, and is. The same for the same declaration, as the planner wants it. */
function changesThrough<K, V>(through: InternalTopic<K, V>): InternalTopic<K, Change<V>> {
  let carrier = carriers.get(through) as InternalTopic<K, Change<V>> | undefined;
  if (carrier === undefined) {
    const { name, key, value, partitions } = through;
    carrier = internalTopic(name, { key, value: changeOf(value), ...(partitions !== undefined && { partitions }) });
    carriers.set(through, carrier as InternalTopic<unknown, Change<unknown>>);
  }
  return carrier;
}

/** From changes of rows to changes of groups: one for each group, the one that is left first. */
class Regroup<K, V, K2, V2> implements Receiver<KafkaRecord<K, Change<V>>> {
  private readonly identity: (key: K2) => string;

  constructor(
    private readonly options: { readonly by: (value: V, key: K) => readonly [K2, V2]; readonly through: InternalTopic<K2, V2> },
    private readonly destination: Subscriber<Moved<K2, V2>>,
  ) {
    this.identity = identityOf(options.through.key);
  }

  receive(record: KafkaRecord<K, Change<V>>): void {
    const left = this.memberOf(record.value.before, record.key);
    const entered = this.memberOf(record.value.after, record.key);
    if (left !== undefined && entered !== undefined && this.identity(left[0]) === this.identity(entered[0])) {
      this.emit(record, entered[0], { before: left[1], after: entered[1] });
      return;
    }
    if (left !== undefined) this.emit(record, left[0], { before: left[1], after: undefined });
    if (entered !== undefined) this.emit(record, entered[0], { before: undefined, after: entered[1] });
  }

  private memberOf(row: V | undefined, key: K): readonly [K2, V2] | undefined {
    if (row === undefined) return undefined;
    const member: readonly [K2 | null | undefined, V2 | null | undefined] = this.options.by(row, key);
    return member[0] === null || member[0] === undefined || member[1] === null || member[1] === undefined
      ? undefined
      : (member as [K2, V2]);
  }

  private emit(record: KafkaRecord<K, unknown>, group: K2, change: Change<V2>): void {
    this.destination.next(record.withKey(group).withValue(change));
  }
}

class AggregateGroups<K, V, A extends State> implements Receiver<KafkaRecord<K, Change<V>>> {
  constructor(
    private readonly store: KeyValueRuntime<K, A>,
    private readonly options: Pick<GroupTableOptions<never, never, K, V, A>, 'initial' | 'add' | 'subtract'>,
    private readonly destination: Subscriber<KafkaRecord<K, Change<A>>>,
  ) {}

  receive(record: KafkaRecord<K, Change<V>>): void {
    const { store, destination } = this;
    const { key, value } = record;
    const stored = store.find(key);
    const after = this.next(stored?.value, value) ?? null;
    const timestamp = Math.max(record.timestamp, stored?.timestamp ?? -1);
    store.write(key, after as A, timestamp);
    destination.next(record.withTimestamp(timestamp).withValue({ before: stored?.value, after: after ?? undefined }));
  }

  private next(stored: A | undefined, { before, after }: Change<V>): A | undefined {
    const { initial, add, subtract } = this.options;
    const rest = stored === undefined || before === undefined ? stored : subtract(stored, before);
    if (after === undefined) return rest;
    return add(rest ?? initial(), after);
  }
}
