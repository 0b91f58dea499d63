import { MillraceError } from '../../src/errors/millrace-error';

/** What a promise is rejected with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<MillraceError> {
  const outcome: unknown = await promise.then(
    () => 'nothing: it was resolved',
    (error: unknown) => error,
  );
  return asMillraceError(outcome);
}

/** What a function throws. */
export function thrownBy(call: () => unknown): MillraceError {
  try {
    call();
  } catch (error) {
    return asMillraceError(error);
  }
  return asMillraceError('nothing: it returned');
}

function asMillraceError(error: unknown): MillraceError {
  if (error instanceof MillraceError) return error;
  throw new Error(`a MillraceError was expected, there came ${String(error)}`, { cause: error });
}
