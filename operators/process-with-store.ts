import type { OperatorFunction } from 'rxjs';
import { MillraceError } from '../src/errors/millrace-error';
import type { KafkaRecord } from '../src/model/record';
import type { StoreRuntime } from '../src/state/handle';
import { receiveWithStores, runtimeOf } from './operator';
import type { Processor } from './process/options';
import { ProcessRecords } from './process/process-records';

const operator = 'processWithStore';

/**
 * The low-level way in: a function with several stores at hand, any number of outputs for an input, and timers.
 *
 * ```text
 * in    --a1---b2---a9--|      each record: quiet.set(key, timestamp + 5); each timer: gives its key
 * out   ------------b---|      b was set for 7, and event time came to 9; a was set anew, for 14
 * ```
 * What a call gives is emitted in its order, before the next record. Point reads and writes need no promise; a promise (a range scan,
 * say) stops the whole task until it has settled, so that what it gives comes in the same order. Null keys and null values are given to
 * `record` like any other. Writes carry the record's timestamp, those of a timer its time (on the wall clock: the greatest timestamp seen).
 *
 * Timers of `timerStore`s among `stores` fire after the record at hand, by time, then key bytes, then order of the stores: 'event' timers
 * once event time has come to theirs, 'wall' timers in pushes of their own. Each is an emission: committed with what it changes, undone
 * and skipped by itself. A timer may set timers: those for a later time fire in the same round once they are due, others with
 * the next one.
 *
 * @throws CONFIG for what is no store, a timer store without `timer`, or `timer` without a timer store. In the stream: STORE_IN_USE at
 *   a second subscription while one is active; PROCESSING when a function throws, gives nothing that can be iterated, or uses a store
 *   after its call has ended; INVALID_TIMESTAMP for a timer set to no time
 * @example
 * const quiet = timerStore('quiet-accounts', { key: string, clock: 'event' });
 * stream(payments).pipe(
 *   processWithStore({ quiet: store(quiet) }, {
 *     record: ({ key, timestamp }, { quiet }) => {
 *       quiet.set(key, timestamp + minutes(1));
 *       return [];
 *     },
 *     timer: (timer) => [timer.record({ account: timer.key, silentSince: timer.time - minutes(1) })],
 *   }),
 *   to(alerts),
 * );
 * @see Kafka Streams' `Processor` and `Punctuator`
 */
export function processWithStore<K, V, S extends Readonly<Record<string, unknown>>, R>(
  stores: S,
  processor: Processor<K, V, S, R>,
): OperatorFunction<KafkaRecord<K, V>, R> {
  const runtimes = new Map<string, StoreRuntime>();
  for (const [name, handle] of Object.entries(stores)) runtimes.set(name, storeNamed(name, handle));
  checkStores(runtimes);
  checkTimers(runtimes, processor.timer !== undefined);
  return receiveWithStores(
    operator,
    [...runtimes.values()],
    (destination) => new ProcessRecords(operator, stores, runtimes, processor, destination),
  );
}

function storeNamed(name: string, handle: unknown): StoreRuntime {
  if (typeof handle !== 'object' || handle === null)
    throw optionError(`stores.${name}`, 'is no store; take it from task.store(definition)');
  return runtimeOf(handle, `${operator}: stores.${name}`);
}

function checkStores(runtimes: ReadonlyMap<string, StoreRuntime>): void {
  if (runtimes.size === 0) throw optionError('stores', 'names no store; without state use mergeMap or filter of RxJS');
  const known = new Map<StoreRuntime, string>();
  for (const [name, runtime] of runtimes) {
    const before = known.get(runtime);
    if (before !== undefined) throw optionError(`stores.${name}`, `is the same store as stores.${before}`);
    known.set(runtime, name);
  }
}

function checkTimers(runtimes: ReadonlyMap<string, StoreRuntime>, hasTimer: boolean): void {
  const timers = [...runtimes].find(([, { shape }]) => shape.kind === 'timer');
  if (timers !== undefined && !hasTimer) throw optionError('timer', `is missing: who is told when a timer of stores.${timers[0]} fires?`);
  if (timers === undefined && hasTimer) throw optionError('timer', 'is never called: none of the stores is a timerStore');
}

function optionError(option: string, problem: string): MillraceError {
  return new MillraceError('CONFIG', `${operator}: the option ${option} ${problem}`, { where: { operator, option } });
}
