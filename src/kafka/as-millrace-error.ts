import { MillraceError } from '../errors/millrace-error';

/** A port rejects with a MillraceError; anything else is a mistake of its own, and is passed on as one. */
export function asMillraceError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  return new MillraceError('PROTOCOL', `A request failed: ${String(error)}`, { cause: error });
}
