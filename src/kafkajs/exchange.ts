/** One kind of request with its answer, and the frame it travels in. */
import { MillraceError } from '../errors/millrace-error';
import { Reader, Writer } from './bytes';
import type { WireRequest } from './wire';

/** An answer and the ms the broker asks us to be silent for (KIP-219). */
export interface Throttled<A> {
  readonly throttleMs: number;
  readonly answer: A;
}

/** One version of one API: what is asked, how it is written, how the answer is read. */
export interface Exchange<Q, A> {
  readonly key: number;
  readonly version: number;
  readonly name: string;
  /** KIP-482: compact lengths and tagged fields, in the headers too. */
  readonly flexible: boolean;
  /** Bytes of the body at most, where it may be large. */
  readonly sizeHint?: (question: Q) => number;
  readonly write: (writer: Writer, question: Q) => void;
  readonly read: (reader: Reader) => Throttled<A>;
}
export type AnyExchange = Omit<Exchange<never, unknown>, 'write' | 'read' | 'sizeHint'>;

/** Where the correlation id of a frame stands: after size, API key and version. */
export const CORRELATION_ID_AT = 8;
const HEADER_BYTES = 64;
const USUAL_BODY_BYTES = 256;

/**
 * ```text
 * size i32 · API key i16 · version i16 · correlation id i32 · client id str · [tags] · body · [tags]
 * ```
 * In a flexible request the client id stays a classic string (KIP-482).
 */
export function frame<Q, A>(exchange: Exchange<Q, A>, clientId: string, question: Q): Buffer {
  const bodyBytes = exchange.sizeHint?.(question) ?? USUAL_BODY_BYTES;
  const writer = new Writer(HEADER_BYTES + 3 * clientId.length + bodyBytes);
  try {
    writer.int32(0).int16(exchange.key).int16(exchange.version).int32(0).string(clientId);
    if (exchange.flexible) writer.tags();
    exchange.write(writer, question);
    if (exchange.flexible) writer.tags();
  } catch (cause) {
    throw new MillraceError('PROTOCOL', `${exchange.name} v${exchange.version} cannot be written: ${String(cause)}`, { cause });
  }
  const bytes = writer.finish();
  bytes.writeInt32BE(bytes.length - 4, 0);
  return bytes;
}

/** Reads an answer without its size and correlation id. */
export function readAnswer<Q, A>(exchange: Exchange<Q, A>, payload: Buffer): Throttled<A> {
  try {
    const reader = new Reader(payload);
    if (exchange.flexible) reader.tags();
    return exchange.read(reader);
  } catch (cause) {
    throw new MillraceError('PROTOCOL', `the answer to ${exchange.name} v${exchange.version} cannot be read: ${String(cause)}`, { cause });
  }
}

/** A request ready to be sent, once: the bytes are written now, so that sending it involves no waiting. */
export function wireRequest<Q, A>(exchange: Exchange<Q, A>, clientId: string, question: Q, timeoutMs: number): WireRequest<A> {
  return {
    request: {
      apiKey: exchange.key,
      apiVersion: exchange.version,
      apiName: exchange.name,
      frame: frame(exchange, clientId, question),
    },
    response: {
      decode: (payload) => {
        const { throttleMs, answer } = readAnswer(exchange, payload);
        return { clientSideThrottleTime: throttleMs, answer };
      },
    },
    requestTimeout: timeoutMs,
  };
}
