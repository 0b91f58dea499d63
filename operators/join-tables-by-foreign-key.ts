import { merge, type Observable, type Subscriber } from 'rxjs';
import { internalTopic } from '../src/codec/topic';
import { MillraceError } from '../src/errors/millrace-error';
import type { Codec } from '../src/model/codec';
import type { ForeignKeyStore } from '../src/model/foreign-key';
import type { KafkaRecord } from '../src/model/record';
import type { KeyValueStore } from '../src/model/store-definition';
import type { Change, Table } from '../src/model/table';
import type { InternalTopic } from '../src/model/topic';
import type { ForeignKeyRuntime } from '../src/state/foreign-key-entries';
import { keptTableOf, type TableRuntime } from '../src/state/table';
import { announceTable } from '../src/state/wiring';
import { AnswerAll, type Answering, AnswerSubscriptions } from './foreign-key/answer-subscribers';
import { JoinAlone, JoinAnswers, type JoinWithForeign } from './foreign-key/join-answers';
import { type Answer, answerWith, type Subscription, subscription } from './foreign-key/messages';
import { SubscribeRows, type Subscribing } from './foreign-key/subscribe-rows';
import { receiveFromBoth, receiveWithTable } from './meeting';
import { receiveWithStores, runtimeOf } from './operator';
import { derivedTable } from './table/derived-table';
import { withoutRows } from './table/materialize';

/** Of `joinTablesByForeignKey`: which row of the right belongs to one of the left, and what the two make. */
export interface ForeignKeyJoin<L, F, R, J> {
  /** The key of the row that a row refers to; null: none. Pure. */
  readonly foreignKey: (left: L) => F | null;
  /** A null from it is no row. */
  readonly join: (left: L, right: R) => J;
}

interface Options<K, L, F, R, J, Kind extends 'inner' | 'left'> extends ForeignKeyJoin<L, F, R, J> {
  readonly kind?: Kind;
  /** Keeps the joined rows, so that they can be looked up and joined with. */
  readonly store?: KeyValueStore<K, J>;
}

const operator = 'joinTablesByForeignKey';

/**
 * The rows of a table, each with the row of another table that it refers to: orders with their product, say. A change on either side
 * changes all rows concerned.
 *
 * ```text
 * changes of left    --a(x)------b(x)---a(y)--------|      a and b refer to x, then a to y, which does not exist
 * changes of right   -------x1----------------x2----|
 * inner              -------ax1---bx1----a∅----bx2--|
 * ```
 * inner: rows that refer to one that exists. left: all, the other row undefined where there is none. A row that has left a row is emitted
 * as a deletion if the one it refers to now does not exist, be it for the second time. A change carries the greater timestamp of the row
 * and the one referred to; one of the row referred to carries that row's. All rows that refer to a changed one come in the order of their
 * key bytes. Rows that refer to nothing (null): left ones come alone, inner ones are dropped and counted (`dropped-records-total`, reason
 * `null-foreign-key`).
 *
 * The two need not have the same partitions: they ask and answer over two internal topics, which are named after the store and take the
 * partitions of the tables. An answer that was overtaken by a change of the row that asked is passed over, so that, whatever the order in
 * which messages arrive, the last one of each row is right; on the way an inner join may emit a deletion once more.
 *
 * @param store who refers to whom, kept where the rows referred to are. Its codec for foreign keys must write what the right table's key
 *   codec writes
 * @throws CONFIG for a table that keeps no rows, or whose rows are worked out from another's: give that one a store; NO_SUBSCRIBERS when the
 *   topology is planned and nobody uses the result; PROCESSING in the stream when a function throws
 * @see docs/joins.md; https://cwiki.apache.org/confluence/display/KAFKA/KIP-213+Support+non-key+joining+in+KTable
 * @example
 * const named = joinTablesByForeignKey(table(orders), table(products), store(productOfOrder), {
 *   foreignKey: (order) => order.productId,
 *   join: (order, product) => ({ ...order, product: product.name }),
 * });
 */
export function joinTablesByForeignKey<K, L, F, R, J>(
  left: Table<K, L>,
  right: Table<F, R>,
  store: ForeignKeyStore<K, F>,
  options: Options<K, L, NoInfer<F>, R, J, 'inner'>,
): Table<K, J>;
/** A row for each of the left table: `join` gets undefined if it refers to none, or to one that is not there. */
export function joinTablesByForeignKey<K, L, F, R, J>(
  left: Table<K, L>,
  right: Table<F, R>,
  store: ForeignKeyStore<K, F>,
  // eslint-disable-next-line @typescript-eslint/unified-signatures -- of a union R would not be inferred
  options: Options<K, L, NoInfer<F>, R | undefined, J, 'left'> & { readonly kind: 'left' },
): Table<K, J>;
export function joinTablesByForeignKey<K, L, F, R, J>(
  left: Table<K, L>,
  right: Table<F, R>,
  store: ForeignKeyStore<K, F>,
  options: ForeignKeyJoin<L, F, R | undefined, J> & { readonly kind?: 'inner' | 'left'; readonly store?: KeyValueStore<K, J> },
): Table<K, J> {
  const sides = { left: keptTableOf(left, operator), right: keptTableOf(right, operator) };
  const pairs = runtimeOf(store, operator) as ForeignKeyRuntime<K, F>;
  const { foreignKey, join, kind = 'inner' } = options;
  const isLeft = kind === 'left';
  const value = codecsOf(sides.left).value as Codec<L>;
  sides.left.takeBack();
  announceTable(pairs.shape.name, operator);

  const row: JoinWithForeign<L, R, J> = (mine, foreign) =>
    isLeft || foreign !== undefined ? (join(mine, foreign) ?? undefined) : undefined;
  const asking = { key: pairs.codecs.key, value, foreignKeyCodec: pairs.codecs.foreignKey, foreignKey, join: row, isLeft };
  const ask = (to: Subscriber<Subscribing<F>>): SubscribeRows<K, L, F> => new SubscribeRows(operator, pairs.scope, asking, to);
  const questions = sides.left.updates.pipe(
    receiveWithStores(operator, [], ask),
    pairs.scope.repartition(topicsOf(pairs, sides.right).questions, pairs.shape.name),
  );
  const answers = receiveFromBoth(operator, pairs, questions, sides.right.updates, (to: Subscriber<Answering<K, R>>) => [
    new AnswerSubscriptions(pairs, sides.right, to),
    new AnswerAll(pairs, to),
  ]).pipe(pairs.scope.repartition(topicsOf(pairs, sides.right).answers, pairs.shape.name));
  const alone = (to: Subscriber<KafkaRecord<K, Change<J>>>): JoinAlone<K, L, R, F, J> => new JoinAlone(foreignKey, row, isLeft, to);
  const answered = (to: Subscriber<KafkaRecord<K, Change<J>>>): JoinAnswers<K, L, R, F, J> => new JoinAnswers(sides.left, asking, to);
  const updates: Observable<KafkaRecord<K, Change<J>>> = merge(
    sides.left.updates.pipe(receiveWithStores(operator, [], alone)),
    answers.pipe(receiveWithTable(operator, { name: sides.left.name, updates: sides.left.updates }, answered)),
  );
  return derivedTable(operator, withoutRows<K, J>(pairs.shape.name, pairs.scope), updates, options.store);
}

/** @throws CONFIG for rows that are written nowhere */
function codecsOf<K, V>({ name, codecs }: TableRuntime<K, V>): { readonly value: Codec<unknown> } {
  if (codecs !== undefined) return codecs;
  throw new MillraceError(
    'CONFIG',
    `${operator}: the rows of the table "${name}" are worked out from another's, and have no codec; give the operator that makes it a store`,
    {
      where: { operator },
    },
  );
}

interface Topics<K, F, R> {
  readonly questions: InternalTopic<F, Subscription>;
  readonly answers: InternalTopic<K, Answer<R>>;
}

const known = new WeakMap<object, { readonly row: Codec<unknown>; readonly topics: Topics<never, never, never> }>();

/** The same for one store definition, as the planner wants it. */
function topicsOf<K, F, R>({ shape, codecs }: ForeignKeyRuntime<K, F>, right: TableRuntime<F, R>): Topics<K, F, R> {
  const row = codecsOf(right).value;
  const before = known.get(shape);
  if (before?.row === row) return before.topics as unknown as Topics<K, F, R>;
  const topics: Topics<K, F, R> = {
    questions: internalTopic(`${shape.name}-subscriptions`, { key: codecs.foreignKey, value: subscription }),
    answers: internalTopic(`${shape.name}-answers`, { key: codecs.key, value: answerWith(row as Codec<R>) }),
  };
  known.set(shape, { row, topics: topics as unknown as Topics<never, never, never> });
  return topics;
}
