import { MillraceError } from '../../src/errors/millrace-error';
import type { BufferStore } from '../../src/model/buffer';
import type { Duration } from '../../src/model/duration';
import type { KafkaRecord } from '../../src/model/record';
import type { TableRuntime } from '../../src/state/table';

/** A row undefined: there is none (left joins only). */
export type JoinRow<K, V, T, R> = (value: V, row: T, record: KafkaRecord<K, V>) => R;

/** Records wait until the table has what was valid at their time. */
export interface JoinGrace<K, V> {
  /** ms of event time, >= 0, that a record waits; at most the table's history. */
  readonly grace: Duration;
  /** What the records wait in. */
  readonly buffer: BufferStore<K, V>;
}

/** Records are joined as they come. */
export interface NoGrace {
  readonly grace?: undefined;
  readonly buffer?: undefined;
}

/** @throws CONFIG naming the option */
export function checkGrace(
  operator: string,
  grace: number,
  { name, versions }: Pick<TableRuntime<never, unknown>, 'name' | 'versions'>,
): void {
  const refuse = (problem: string): MillraceError => optionError(operator, 'grace', problem);
  if (!Number.isSafeInteger(grace) || grace < 0) throw refuse(`is ${String(grace)}; it must be a whole number of ms >= 0, or left out`);
  if (versions === undefined) {
    throw refuse(
      `needs a table with a history, but "${name}" keeps the latest rows alone: task.table(topic, { history }) or a versionedStore`,
    );
  }
  if (grace <= versions.history) return;
  throw refuse(
    `is ${grace}, more than the history of the table "${name}", ${versions.history}: rows would be gone before they are looked up`,
  );
}

export function optionError(operator: string, option: string, problem: string): MillraceError {
  return new MillraceError('CONFIG', `${operator}: the option ${option} ${problem}`, { where: { operator, option } });
}
