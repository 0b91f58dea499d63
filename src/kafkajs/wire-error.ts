import { MillraceError } from '../errors/millrace-error';

/** What was being done when it failed: for the message only. */
export interface Attempt {
  readonly broker: string;
  /** Undefined: the connection was being opened. */
  readonly request: string | undefined;
}

interface KafkaJsError extends Error {
  readonly type?: string;
}

const SASL_REFUSALS = new Set(['SASL_AUTHENTICATION_FAILED', 'UNSUPPORTED_SASL_MECHANISM', 'ILLEGAL_SASL_STATE']);

export function isSaslRefusal({ name, type }: KafkaJsError): boolean {
  return name === 'KafkaJSSASLAuthenticationError' || (type !== undefined && SASL_REFUSALS.has(type));
}

function disconnected(error: Error, { broker, request }: Attempt): MillraceError {
  const what =
    request === undefined ? `no connection to broker ${broker}` : `the connection to broker ${broker} ended before ${request} was answered`;
  return new MillraceError('DISCONNECTED', `${what}: ${error.message}`, { cause: error, retryable: true, where: { broker } });
}

/** kafkajs' errors end here. */
export function wireError(error: unknown, attempt: Attempt): MillraceError {
  if (error instanceof MillraceError) return error;
  if (!(error instanceof Error)) return wireError(new Error(String(error)), attempt);
  const { broker, request } = attempt;
  const where = { broker };
  if (isSaslRefusal(error)) {
    const message = `broker ${broker} refused the authentication: ${error.message}; see the option sasl`;
    return new MillraceError('CONFIG', message, { cause: error, where: { ...where, option: 'sasl' } });
  }
  if (error.name === 'KafkaJSRequestTimeoutError') {
    const message = `broker ${broker} did not answer ${request ?? 'while the connection was opened'} in time`;
    return new MillraceError('REQUEST_TIMED_OUT', message, { cause: error, retryable: true, where });
  }
  if (error.name.startsWith('KafkaJSConnection') || request === undefined) return disconnected(error, attempt);
  return new MillraceError('PROTOCOL', `${request} to broker ${broker} failed: ${error.message}`, { cause: error, where });
}
