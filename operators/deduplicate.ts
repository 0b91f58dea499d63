import type { OperatorFunction, Subscriber } from 'rxjs';
import { MillraceError } from '../src/errors/millrace-error';
import type { Duration } from '../src/model/duration';
import type { KafkaRecord } from '../src/model/record';
import type { KeyValueStore } from '../src/model/store-definition';
import type { AgingRuntime, KeyValueRuntime } from '../src/state/handle';
import { KeyWithId } from '../src/state/key-with-id';
import type { Counter } from '../src/state/scope';
import { AgingRows } from './aging/aging-rows';
import { processingError, type Receiver, receiveWithStore, runtimeOf } from './operator';
import { checkedTime } from './windowed/assign-windows';

const operator = 'deduplicate';

type SeenStore<K> = KeyValueRuntime<K | KeyWithId<K>, number> & AgingRuntime;

/** Of `deduplicate`: what makes two records alike. */
export interface Deduplication<V> {
  /** ms of event time, > 0, for which a record that passed keeps those like it out. */
  readonly within: Duration;
  /** Of two records with one key only those with the same id are alike. Default: all are. Pure. */
  readonly id?: (value: V) => string;
}

/**
 * Lets the first record of each key pass, or of each key and id, and drops those like it within a stretch of event time.
 *
 * ```text
 * in    --a0--a4--b5--a10--a11--|      number = event time; within 10
 * out   --a0------b5-------a11--|
 * ```
 * A record is a duplicate iff its time is at most `within` away, before or behind, from the time that the store has for its key (and id):
 * the greatest of those that have passed. Duplicates are counted (`dropped-records-total`, reason `duplicate`) and change nothing: what
 * is like a duplicate, and too far from what has passed, passes. A time is forgotten once event time is more than `within` past it, so
 * that no more is kept than what came in the last `within`: of records that are late by more than that, those pass for which nothing
 * is found, be it because what they are like has been forgotten, and they are not remembered. Null keys are dropped and counted.
 * Records pass as they are, in order.
 *
 * @param store its rows are times, ms since the epoch, by key; with `id` by key and id, and then neither `get` nor `range` of the handle
 *   is of use. It is declared without a `ttl`
 * @param options `within`: ms, > 0. `id`: what makes records of one key alike; without it all of them are
 * @throws CONFIG for options that cannot be. In the stream: STORE_IN_USE at a second subscription while one is active; PROCESSING when
 *   `id` throws or gives no text; INVALID_TIMESTAMP
 * @example
 * const seen = keyValueStore('payments-seen', { key: string, value: int64 });
 * stream(payments).pipe(deduplicate(store(seen), { within: hours(1), id: ({ payment }) => payment }), to(once));
 * @see KIP-655
 */
export function deduplicate<K, V>(
  store: KeyValueStore<K, number>,
  options: Deduplication<V>,
): OperatorFunction<KafkaRecord<K, V>, KafkaRecord<K, V>> {
  const seen = runtimeOf(store, operator) as SeenStore<K>;
  const { within, id } = options;
  if (!Number.isSafeInteger(within) || within <= 0)
    throw optionError('within', `is ${String(within)}; it must be a whole number of ms > 0`);
  if (id !== undefined && typeof id !== 'function') throw optionError('id', 'is no function of a value');
  checkStore(seen);
  return receiveWithStore(operator, seen, (destination) => new Deduplicate(seen, options, destination));
}

class Deduplicate<K, V> implements Receiver<KafkaRecord<K, V>> {
  private readonly store: SeenStore<K>;
  private readonly within: Duration;
  private readonly id: ((value: V) => string) | undefined;
  private readonly destination: Subscriber<KafkaRecord<K, V>>;
  private readonly rows: AgingRows;
  private readonly nullKeys: Counter;
  private readonly duplicates: Counter;

  constructor(store: SeenStore<K>, { within, id }: Deduplication<V>, destination: Subscriber<KafkaRecord<K, V>>) {
    const { scope } = store;
    this.store = store;
    this.within = within;
    this.id = id;
    this.destination = destination;
    this.nullKeys = scope.counter('dropped-records-total', operator, 'null-key');
    this.duplicates = scope.counter('dropped-records-total', operator, 'duplicate');
    if (id !== undefined) store.keyByIds();
    const stopped = (): boolean => scope.failed || destination.closed;
    this.rows = new AgingRows(store, stopped, (cause) => destination.error(processingError(cause, operator)), within);
  }

  receive(record: KafkaRecord<K, V>): void {
    if (record.key === null || record.key === undefined) {
      this.nullKeys.value += 1;
      return;
    }
    this.rows.observe(checkedTime(record.timestamp));
    if (this.isNew(record)) this.destination.next(record);
    else this.duplicates.value += 1;
    this.rows.driveWhatIsDue();
  }

  private isNew(record: KafkaRecord<K, V>): boolean {
    const { store, within } = this;
    const { timestamp } = record;
    const name = this.nameOf(record);
    const seen = store.find(name)?.value;
    if (seen !== undefined && Math.abs(timestamp - seen) <= within) return false;
    // What is over already would be gone before the next record.
    const isLate = this.rows.eventTime.value - timestamp > within;
    if (!isLate && (seen === undefined || timestamp > seen)) store.write(name, timestamp, timestamp);
    return true;
  }

  private nameOf({ key, value }: KafkaRecord<K, V>): K | KeyWithId<K> {
    const { id } = this;
    if (id === undefined) return key;
    const found: unknown = id(value);
    if (typeof found !== 'string') throw new TypeError(`id gave ${String(found)}; it must give a text`);
    return new KeyWithId(key, found);
  }
}

function checkStore({ shape }: SeenStore<unknown>): void {
  if (shape.kind !== 'key-value') throw optionError('store', `is a store of the kind ${shape.kind}; declare it with keyValueStore`);
  if (shape.ttl !== undefined) throw optionError('within', `says how long rows stay: declare the store ${shape.name} without a ttl`);
}

function optionError(option: string, problem: string): MillraceError {
  return new MillraceError('CONFIG', `${operator}: the option ${option} ${problem}`, { where: { operator, option } });
}
