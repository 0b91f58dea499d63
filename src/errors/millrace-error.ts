import type { Where } from '../model/where';
import type { ErrorCode } from './codes';

export interface MillraceErrorOptions {
  readonly cause?: unknown;
  readonly where?: Where;
  /** True when the same call may succeed later without a change by anybody. Default false. */
  readonly retryable?: boolean;
}

/** The one class of errors that leave the library: a stable code, a cause, a place, and a message that says what to do. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly where: Where;

  constructor(code: ErrorCode, message: string, options: MillraceErrorOptions = {}) {
    super(`${code}: ${message}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.where = options.where ?? {};
  }
}
