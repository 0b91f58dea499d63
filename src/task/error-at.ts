import { MillraceError } from '../errors/millrace-error';
import type { Origin } from '../model/origin';

/** What was thrown in a push, with the place of the record that was being pushed. */
export function errorAt({ topic, partition, offset }: Origin, task: number, cause: unknown, store?: string): MillraceError {
  const known = cause instanceof MillraceError ? cause : undefined;
  const message = cause instanceof Error ? cause.message : String(cause);
  const what = known === undefined ? message : message.slice(`${known.code}: `.length);
  const place = offset < 0 ? `task ${String(task)}` : `topic "${topic}", partition ${String(partition)}, offset ${String(offset)}`;
  const where = { ...(offset < 0 ? {} : { topic, partition, offset }), ...(store === undefined ? {} : { store }), ...known?.where };
  return new MillraceError(known?.code ?? 'PROCESSING', `${place}: ${what}`, { cause, where, retryable: known?.retryable ?? false });
}
