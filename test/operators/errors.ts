import type { ErrorCode } from '../../src/errors/codes';
import type { MillraceError } from '../../src/errors/millrace-error';

interface ExpectedError {
  readonly code: ErrorCode;
  readonly message?: string | RegExp;
  readonly cause?: unknown;
  readonly where?: MillraceError['where'];
}

/** Matches an error of ours by what is given; a message by the part or pattern given. */
export function errorWith({ message, ...rest }: ExpectedError): MillraceError {
  const text: unknown =
    message === undefined ? undefined : expect[message instanceof RegExp ? 'stringMatching' : 'stringContaining'](message as string);
  return expect.objectContaining({ ...rest, ...(text !== undefined && { message: text }) }) as MillraceError;
}
