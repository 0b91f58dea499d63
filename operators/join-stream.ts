import type { Observable, OperatorFunction, Subscriber } from 'rxjs';
import { MillraceError } from '../src/errors/millrace-error';
import type { JoinStore } from '../src/model/join';
import type { KafkaRecord } from '../src/model/record';
import type { JoinRuntime } from '../src/state/join-entries';
import { LEFT, RIGHT } from '../src/state/join-rows';
import { JoinInput, JoinRecords } from './join/join-records';
import { JoinSide } from './join/join-side';
import { type JoinWays, OpenJoin } from './join/open-join';
import type { JoinKind, JoinOptions } from './join/options';
import { receiveFromAll } from './meeting';
import { runtimeOf } from './operator';

const operator = 'joinStream';

/**
 * Joins the records of two streams that have equal keys and lie close enough in event time: a left one of time t meets right ones of
 * [t - before, t + after], whichever comes first.
 *
 * ```text
 * left   --a1-----a9---b30--|      number = event time; before 0, after 5, grace 0, kind 'left'
 * right  -----a4--------------|
 * out    -----x--------y----|      x = [a1, a4] at 4; y = [a9, nobody] at 9
 * ```
 * A result carries the greater timestamp of both, and the headers of the record that made it. A record's matches come by time, then in
 * the order in which the partners came. Records of one time are records of their own. It completes with the last of the two streams.
 *
 * kind 'left' and 'outer': a left record ('outer': or a right one) that has met nobody comes out alone, with its own timestamp, once event
 * time is greater than its time + after (right: + before) + grace; before the matches of the record that moved event time there, by time,
 * right before left, key bytes, arrival. A record without a value, or without a key, moves event time but lets nothing out.
 *
 * Late is a record that comes when event time is greater than its time + after (right: + before) + grace; a negative after or before
 * counts as 0 here. It meets nobody, is not kept, and is given to `late`. It is counted (`dropped-records-total`, reason `late`), unless its
 * side comes out alone: then it does so at once, and no such record is lost. A record in time meets every partner that came in time, also
 * one that has come out alone already. With `lateRecords: 'join'` late records are treated as Kafka Streams does.
 *
 * Null values are dropped and counted; null keys too, but on a side that comes out alone they do so at once. A stream joined with itself
 * (`other` is the source) is subscribed once: each record meets earlier ones and itself.
 *
 * Both streams must have equal partition counts. Event time is that of the store: the greatest timestamp of both sides, or the watermark;
 * it survives restarts. What nobody in time can meet any more is removed from store and changelog.
 *
 * @throws CONFIG for another kind of store or an unknown option. In the stream: PROCESSING when `join` throws, INVALID_TIMESTAMP,
 *   STORE_IN_USE at a second subscription while one is active; at the start CO_PARTITION
 * @example
 * const attribution = joinStore('attribution', { key: string, left: json(Click), right: json(Order), windows: { before: 0, after: hours(1) } });
 * stream(clicks).pipe(joinStream(stream(orders), store(attribution), (click, order) => ({ page: click.page, order: order.id })));
 * @see joinStore; docs/joins.md. Kafka Streams' `JoinWindows`; KAFKA-19536 and KAFKA-16123 are not copied
 */
export function joinStream<K, L, R, J>(
  other: Observable<KafkaRecord<K, R>>,
  store: JoinStore<K, L, R>,
  join: (left: L, right: R) => J,
  options?: JoinOptions<K, L, R> & { readonly kind?: 'inner' },
): OperatorFunction<KafkaRecord<K, L>, KafkaRecord<K, J>>;
/** The same, and each left record that has found none once its window has closed: `join` gets undefined for the right one. */
export function joinStream<K, L, R, J>(
  other: Observable<KafkaRecord<K, R>>,
  store: JoinStore<K, L, R>,
  join: (left: L, right: R | undefined) => J,
  options: JoinOptions<K, L, R> & { readonly kind: 'left' },
): OperatorFunction<KafkaRecord<K, L>, KafkaRecord<K, J>>;
/** The same, and each record of either side that has found none once its window has closed: `join` gets undefined for the other. */
export function joinStream<K, L, R, J>(
  other: Observable<KafkaRecord<K, R>>,
  store: JoinStore<K, L, R>,
  join: (left: L | undefined, right: R | undefined) => J,
  options: JoinOptions<K, L, R> & { readonly kind: 'outer' },
): OperatorFunction<KafkaRecord<K, L>, KafkaRecord<K, J>>;
export function joinStream<K, L, R, J>(
  other: Observable<KafkaRecord<K, R>>,
  store: JoinStore<K, L, R>,
  join: JoinWays<L, R, J>['join'] | ((left: L, right: R) => J),
  options: JoinOptions<K, L, R> & { readonly kind?: JoinKind } = {},
): OperatorFunction<KafkaRecord<K, L>, KafkaRecord<K, J>> {
  const { kind = 'inner', late, lateRecords = 'refuse' } = options;
  const behind = runtimeOf(store, operator) as JoinRuntime<K, L | R>;
  if (behind.shape.kind !== 'join') throw refused('store', `is the ${behind.shape.kind} store ${behind.shape.name}; declare a joinStore`);
  checkOption('kind', kind, ['inner', 'left', 'outer']);
  checkOption('lateRecords', lateRecords, ['refuse', 'join']);
  // The overloads say which undefined `join` takes.
  const ways: JoinWays<L, R, J> = { join: join as JoinWays<L, R, J>['join'], kind, joinsLate: lateRecords === 'join' };
  const inputs = (destination: Subscriber<KafkaRecord<K, J>>, isSelf: boolean): JoinInput<K, L, R, J>[] => {
    const open = new OpenJoin(operator, behind, ways, destination, () => {
      records.advanced();
    });
    const records = new JoinRecords(open);
    const left = new JoinSide(open, LEFT, late, false);
    const right = new JoinSide(open, RIGHT, late, isSelf);
    return isSelf ? [new JoinInput(records, [left, right])] : [new JoinInput(records, [left]), new JoinInput(records, [right])];
  };
  return (source) => {
    const isSelf = (other as unknown) === source;
    const sources = (isSelf ? [source] : [source, other]) as Observable<KafkaRecord<K, L | R>>[];
    return receiveFromAll(operator, behind, sources, (destination: Subscriber<KafkaRecord<K, J>>) => inputs(destination, isSelf));
  };
}

/** Programs in JavaScript may say anything. */
function checkOption(option: string, given: string, known: readonly string[]): void {
  if (!known.includes(given)) throw refused(option, `is ${given}; it must be one of ${known.join(', ')}`);
}

function refused(option: string, problem: string): MillraceError {
  return new MillraceError('CONFIG', `${operator}: the option ${option} ${problem}`, { where: { operator, option } });
}
