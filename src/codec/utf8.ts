import { type Either, left, right } from 'fp-ts/Either';
import { MillraceError } from '../errors/millrace-error';

/** Node's own readers and writers without the checks `toString` and `write` do on each call; in every Node since 0.x, in no typings. */
interface RawText {
  utf8Slice(start: number, end: number): string;
  latin1Slice(start: number, end: number): string;
  utf8Write(text: string, at: number, length: number): number;
  latin1Write(text: string, at: number, length: number): number;
}

/** Below this many characters a loop is faster than the call into native code. */
const SHORT = 32;

const REPLACEMENT = '\ufffd';

function raw(buffer: Buffer): RawText {
  return buffer as unknown as RawText;
}

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * Text between two places of a buffer. Bytes that are no UTF-8 are refused: read with replacement characters, different keys
 * would become one.
 */
export function readUtf8(buffer: Buffer, start: number, end: number): Either<Error, string> {
  const text = raw(buffer).utf8Slice(start, end);
  if (text.includes(REPLACEMENT) && !isUtf8Of(text, buffer, start, end)) {
    return left(new MillraceError('DECODE', `the ${end - start} bytes are no valid UTF-8`));
  }
  return right(text);
}

/** A replacement character may stand in the data itself: then the text gives the same bytes again. */
function isUtf8Of(text: string, buffer: Buffer, start: number, end: number): boolean {
  return Buffer.from(text, 'utf8').equals(buffer.subarray(start, end));
}

/** Unchecked: for header names and the like, where a damaged name harms nobody. */
export function readUtf8Lossy(buffer: Buffer, start: number, end: number): string {
  return raw(buffer).utf8Slice(start, end);
}

/** Bytes as a string of as many characters, one to one. */
export function readLatin1(buffer: Buffer, start: number, end: number): string {
  return raw(buffer).latin1Slice(start, end);
}

/**
 * Writes `text` at `at` if it is ASCII alone and gives true; else false, with the bytes there undefined.
 * The caller has seen to `3 * text.length` bytes of room.
 */
export function writeAscii(text: string, buffer: Buffer, at: number): boolean {
  const length = text.length;
  if (length > SHORT) return raw(buffer).utf8Write(text, at, length * 3) === length;
  return writeShortAscii(text, buffer, at);
}

/** As `writeAscii`, into no more room than the text has characters; for a few of them. */
export function writeShortAscii(text: string, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return false;
    bytes[at + i] = code;
  }
  return true;
}

/** Writes `text` as UTF-8, whose length `Buffer.byteLength` has given. */
export function writeUtf8(text: string, buffer: Buffer, at: number, byteLength: number): void {
  if (byteLength === text.length) raw(buffer).latin1Write(text, at, byteLength);
  else raw(buffer).utf8Write(text, at, byteLength);
}

/** False of a lone surrogate, which UTF-8 cannot hold: it would come back as another character. */
export function isWellFormed(text: string): boolean {
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed();
}

/** What a codec gave, as bytes. */
export function toBytes(encoded: string | Uint8Array): Uint8Array {
  return typeof encoded === 'string' ? Buffer.from(encoded, 'utf8') : encoded;
}
