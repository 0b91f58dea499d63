import type { ErrorCode } from '../errors/codes';
import { MillraceError } from '../errors/millrace-error';
import type { Where } from '../model/where';

/** A `MillraceError` as it crosses from one thread to another: what was its cause is told in words. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly where: Where;
  readonly stack: string | undefined;
  readonly cause: { readonly name: string; readonly message: string; readonly stack: string | undefined } | undefined;
}

export function toPlainError({ code, message, retryable, where, stack, cause }: MillraceError): PlainError {
  const { name, message: said, stack: trace } = cause instanceof Error ? cause : new Error(String(cause));
  return { code, message, retryable, where, stack, cause: cause === undefined ? undefined : { name, message: said, stack: trace } };
}

/** The same error, with the stack that it had in its thread. */
export function fromPlainError({ code, message, retryable, where, stack, cause }: PlainError): MillraceError {
  const ours = cause === undefined ? undefined : Object.assign(new Error(cause.message), { name: cause.name, stack: cause.stack });
  const error = new MillraceError(code, message.slice(`${code}: `.length), { retryable, where, cause: ours });
  if (stack !== undefined) error.stack = stack;
  return error;
}
