import { type Either, left, right } from 'fp-ts/Either';
import type { Context, Type, ValidationError } from 'io-ts';
import { MillraceError } from '../errors/millrace-error';
import { decodeSlice, type SliceCodec } from '../model/codec';
import { isPlain } from './plain-type';
import { asBuffer, readUtf8 } from './utf8';

/**
 * JSON text checked by an io-ts type. Left is DECODE with `where.path` naming the first place that does not match. A value that
 * JSON would change in silence (undefined, NaN, an infinity) is an ENCODE error. The text "null" is never written or accepted as
 * a whole: Kafka's null is `nullable(json(T))`.
 *
 * @example topic('page-views', { key: string, value: json(t.type({ page: t.string })) })
 */
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- "anything but null and undefined" is meant
export function json<A extends NonNullable<unknown>>(type: Type<A, unknown>): SliceCodec<A> {
  const plain = isPlain(type);
  const decode = (buffer: Buffer, start: number, end: number): Either<Error, A> => {
    const text = readUtf8(buffer, start, end);
    if (text._tag === 'Left') return text;
    let parsed: unknown;
    try {
      parsed = JSON.parse(text.right);
    } catch (cause) {
      return left(new MillraceError('DECODE', `no JSON (expected ${type.name}): ${(cause as Error).message}`, { cause }));
    }
    // A failure is explained by `check`.
    return plain && parsed !== null && type.is(parsed) ? right(parsed) : check(type, parsed);
  };
  return {
    encode: (value) => encode(type, value),
    decode: (bytes) => decode(asBuffer(bytes), 0, bytes.length),
    [decodeSlice]: decode,
  };
}

function check<A>(type: Type<A, unknown>, parsed: unknown): Either<Error, A> {
  let checked: ReturnType<typeof type.decode>;
  try {
    checked = type.decode(parsed);
  } catch (cause) {
    return left(new MillraceError('DECODE', `the io-ts type ${type.name} threw: ${(cause as Error).message}`, { cause }));
  }
  if (checked._tag === 'Left') return left(mismatch(type.name, checked.left));
  return (checked.right as unknown) === null ? left(new MillraceError('DECODE', NULL_TEXT)) : checked;
}

const NULL_TEXT = 'the text "null" is no value: Kafka\'s null is written and read by nullable(json(...))';

function encode<A>(type: Type<A, unknown>, value: A): string {
  let output: unknown;
  let text: string | undefined;
  try {
    output = type.encode(value);
    text = stringify(output);
  } catch (cause) {
    throw new MillraceError('ENCODE', `a value of ${type.name} cannot be written as JSON: ${(cause as Error).message}`, { cause });
  }
  if (text === undefined) throw new MillraceError('ENCODE', `a value of ${type.name} gives no JSON: it is ${typeof output}`);
  // JSON.stringify writes what it cannot hold as null: look for such places only if there is one.
  if (text.includes('null')) refuseLostValues(output, '');
  if (text === 'null') throw new MillraceError('ENCODE', NULL_TEXT);
  return text;
}

/** Gives undefined for undefined and for functions, whatever its type says. */
function stringify(value: unknown): string | undefined {
  return JSON.stringify(value);
}

/** Finds what would come back as null: a number that is none, a hole or function in an array. */
function refuseLostValues(value: unknown, path: string): void {
  if (typeof value === 'number' && !Number.isFinite(value)) throw lost(String(value), path);
  if (typeof value !== 'object' || value === null || 'toJSON' in value) return;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) refuseLostItem(value[i], `${path}[${i}]`);
  } else {
    for (const [name, item] of Object.entries(value)) refuseLostValues(item, path === '' ? name : `${path}.${name}`);
  }
}

function refuseLostItem(item: unknown, path: string): void {
  if (item === undefined || typeof item === 'function' || typeof item === 'symbol') throw lost(typeof item, path);
  refuseLostValues(item, path);
}

function lost(what: string, path: string): MillraceError {
  return new MillraceError('ENCODE', `${path === '' ? 'the value' : path} is ${what}, which JSON would turn into null`, {
    where: { path },
  });
}

/** The first mismatch io-ts reports, as path and reason. */
function mismatch(typeName: string, errors: readonly ValidationError[]): MillraceError {
  const first = errors[0];
  if (first === undefined) return new MillraceError('DECODE', `no value of ${typeName}`);
  const path = pathOf(first.context);
  const reason = first.message ?? reasonOf(first);
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return new MillraceError('DECODE', `${path === '' ? 'the value' : path} ${reason}${more}, in ${typeName}`, { where: { path } });
}

function reasonOf(error: ValidationError): string {
  const expected = expectedAt(error.context);
  return error.value === undefined ? `is missing, expected ${expected}` : `is ${shown(error.value)}, expected ${expected}`;
}

/**
 * io-ts puts members of unions and intersections into the context as well, numbered. They look at the same value as the entry
 * before them; a real step into an object or array never does.
 */
function isStep(context: Context, i: number): boolean {
  return i > 0 && context[i]!.actual !== context[i - 1]!.actual;
}

function pathOf(context: Context): string {
  let path = '';
  for (let i = 1; i < context.length; i++) {
    if (!isStep(context, i)) continue;
    const key = context[i]!.key;
    if (Array.isArray(context[i - 1]!.actual)) path += `[${key}]`;
    else path += path === '' ? key : `.${key}`;
  }
  return path;
}

/** What the place as a whole takes: of a union all members, not the first one tried. */
function expectedAt(context: Context): string {
  let i = context.length - 1;
  while (i > 0 && !isStep(context, i)) i--;
  return context[i]!.type.name;
}

const SHOWN_CHARACTERS = 60;

function shown(value: unknown): string {
  const text = JSON.stringify(value); // it came from JSON.parse
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
