import type { Observable, OperatorFunction } from 'rxjs';
import { MillraceError } from '../../src/errors/millrace-error';
import type { KafkaRecord } from '../../src/model/record';
import type { StoreShape } from '../../src/model/store-definition';
import type { InWindows, SessionWindows, Window, WindowAssigner, Windows } from '../../src/model/window';
import { describeWindows, sameWindows } from '../../src/state/windows';
import { mapInputs } from '../operator';

/** Which windows an observable of ours was made by: lets a mismatch with the store be found at assembly, before the first record. */
const assigned = new WeakMap<Observable<unknown>, Windows | SessionWindows>();

/**
 * Puts each record into the windows that hold its timestamp. `windows` is what the store must be declared for, and has been checked.
 * The assigner may give the same array again: nobody changes it.
 */
export function assignWindows<K, V>(
  operator: string,
  windows: Windows,
  { windowsOf }: Pick<WindowAssigner, 'windowsOf'>,
): OperatorFunction<KafkaRecord<K, V>, InWindows<K, V>> {
  const assign = mapInputs<KafkaRecord<K, V>, InWindows<K, V>>(
    operator,
    (record) => new RecordInWindows(record, windowsOf(checkedTime(record.timestamp)), windows),
  );
  return (source) => assignedBy(windows, assign(source));
}

/** Remembers what the records of `result` were given. */
export function assignedBy<R>(windows: Windows | SessionWindows, result: Observable<R>): Observable<R> {
  assigned.set(result, windows);
  return result;
}

/** @throws STORE_WINDOWS when `source` comes straight from an operator whose windows are not those of the store */
export function checkAssignedWindows(operator: string, source: Observable<unknown>, store: StoreShape): void {
  const windows = assigned.get(source);
  if (windows !== undefined) checkSameWindows(operator, windows, store);
}

/** @throws STORE_WINDOWS naming both */
export function checkSameWindows(operator: string, given: Windows | SessionWindows, store: StoreShape): void {
  const declared = store.windows!;
  if (sameWindows(given, declared)) return;
  throw new MillraceError(
    'STORE_WINDOWS',
    `${operator}: the records come in windows ${describeWindows(given)}, but the store ${store.name} was declared for ` +
      `${describeWindows(declared)}; state the windows once and give them to both`,
    { where: { operator, store: store.name } },
  );
}

class RecordInWindows<K, V> implements InWindows<K, V> {
  readonly record: KafkaRecord<K, V>;
  readonly windows: readonly Window[];
  readonly by: Windows;

  constructor(record: KafkaRecord<K, V>, windows: readonly Window[], by: Windows) {
    this.record = record;
    this.windows = windows;
    this.by = by;
  }
}

/** @throws INVALID_TIMESTAMP */
export function checkedTime(timestamp: number): number {
  if (timestamp >= 0 && Number.isSafeInteger(timestamp)) return timestamp;
  throw new MillraceError('INVALID_TIMESTAMP', `the timestamp ${timestamp} is no whole number of ms from 0 to 2^53 - 1`);
}
