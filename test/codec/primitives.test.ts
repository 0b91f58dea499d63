import { type Either, isLeft, isRight } from 'fp-ts/Either';
import { bytes, float64, int32, int64, string } from '../../src/codec/primitives';
import { MillraceError } from '../../src/errors/millrace-error';
import { decodeSlice, type SliceCodec } from '../../src/model/codec';

function valueOf<A>(decoded: Either<Error, A>): A {
  if (isLeft(decoded)) throw decoded.left;
  return decoded.right;
}

function errorOf<A>(decoded: Either<Error, A>): MillraceError {
  if (isRight(decoded)) throw new Error(`decoded ${String(decoded.right)}`);
  expect(decoded.left).toBeInstanceOf(MillraceError);
  return decoded.left as MillraceError;
}

function encodeError<A>(codec: SliceCodec<A>, value: unknown): MillraceError {
  try {
    codec.encode(value as A);
  } catch (error) {
    return error as MillraceError;
  }
  throw new Error('was encoded');
}

const hex = (encoded: string | Uint8Array): string => Buffer.from(encoded as Uint8Array).toString('hex');

describe('string', () => {
  it('writes the text itself, to become UTF-8', () => {
    expect(string.encode('grüße 日本語 🙂')).toBe('grüße 日本語 🙂');
  });

  it('reads UTF-8 in the middle of a buffer', () => {
    const buffer = Buffer.from('xxgrüße🙂yy');
    expect(valueOf(string[decodeSlice]!(buffer, 2, buffer.length - 2))).toBe('grüße🙂');
  });

  it('keeps a replacement character that the data has', () => {
    expect(valueOf(string.decode(Buffer.from('a\ufffdb')))).toBe('a\ufffdb');
  });

  it('refuses bytes that are no UTF-8, which would make two keys one', () => {
    expect(errorOf(string.decode(Buffer.from([0x61, 0xff]))).code).toBe('DECODE');
    expect(errorOf(string.decode(Buffer.from([0xef, 0xbf, 0xbd, 0xff]))).code).toBe('DECODE');
  });

  it('refuses to encode a lone surrogate', () => {
    expect(encodeError(string, 'a\ud800').code).toBe('ENCODE');
  });

  it('refuses to encode what is no string', () => {
    expect(encodeError(string, 5)).toMatchObject({ code: 'ENCODE', message: 'ENCODE: expected a string, got 5' });
  });
});

describe('bytes', () => {
  it('copies what it reads, so that a value outlives the fetched buffer', () => {
    const fetched = Buffer.from([1, 2, 3, 4]);
    const value = valueOf(bytes[decodeSlice]!(fetched, 1, 3));
    fetched.fill(0);
    expect(value).toStrictEqual(new Uint8Array([2, 3]));
  });

  it('copies what it writes, so that a later change of the value reaches no record', () => {
    const value = new Uint8Array([1, 2]);
    const encoded = bytes.encode(value);
    value.fill(9);
    expect(encoded).toStrictEqual(new Uint8Array([1, 2]));
  });
});

describe('int32', () => {
  it.each([
    [0, '00000000'],
    [1, '00000001'],
    [-1, 'ffffffff'],
    [2147483647, '7fffffff'],
    [-2147483648, '80000000'],
  ])('writes %d as the JVM does', (value, expected) => {
    expect(hex(int32.encode(value))).toBe(expected);
    expect(valueOf(int32.decode(Buffer.from(expected, 'hex')))).toBe(value);
  });

  it.each([2147483648, -2147483649, 0.5, NaN, Infinity, '1'])('refuses to encode %p', (value) => {
    expect(encodeError(int32, value).code).toBe('ENCODE');
  });

  it('names both lengths when the bytes are not four', () => {
    expect(errorOf(int32.decode(Buffer.alloc(8))).message).toBe('DECODE: int32 takes 4 bytes, there are 8');
  });
});

describe('int64', () => {
  it.each([
    [0, '0000000000000000'],
    [1, '0000000000000001'],
    [-1, 'ffffffffffffffff'],
    [4294967296, '0000000100000000'],
    [-4294967297, 'fffffffeffffffff'],
    [Number.MAX_SAFE_INTEGER, '001fffffffffffff'],
    [Number.MIN_SAFE_INTEGER, 'ffe0000000000001'],
  ])('writes %d as the JVM does', (value, expected) => {
    expect(hex(int64.encode(value))).toBe(expected);
    expect(valueOf(int64.decode(Buffer.from(expected, 'hex')))).toBe(value);
  });

  it.each([
    ['0020000000000000', '9007199254740992'],
    ['0020000000000001', '9007199254740993'],
    ['ffe0000000000000', '-9007199254740992'],
    ['7fffffffffffffff', '9223372036854775807'],
    ['8000000000000000', '-9223372036854775808'],
  ])('refuses to read %s, naming %s', (encoded, exact) => {
    const error = errorOf(int64.decode(Buffer.from(encoded, 'hex')));
    expect(error.code).toBe('DECODE');
    expect(error.message).toContain(exact);
  });

  it.each([2 ** 53, -(2 ** 53), 0.5, NaN, -Infinity, '1', 1n])('refuses to encode %p', (value) => {
    expect(encodeError(int64, value).code).toBe('ENCODE');
  });

  it('refuses four bytes', () => {
    expect(errorOf(int64.decode(Buffer.alloc(4))).message).toBe('DECODE: int64 takes 8 bytes, there are 4');
  });
});

describe('float64', () => {
  it.each([
    [1.5, '3ff8000000000000'],
    [-0, '8000000000000000'],
    [Infinity, '7ff0000000000000'],
    [NaN, '7ff8000000000000'],
  ])('writes %p as the JVM does', (value, expected) => {
    expect(hex(float64.encode(value))).toBe(expected);
    expect(valueOf(float64.decode(Buffer.from(expected, 'hex')))).toBe(value);
  });

  it('refuses what is no number', () => {
    expect(encodeError(float64, '1.5').code).toBe('ENCODE');
    expect(errorOf(float64.decode(Buffer.alloc(7))).code).toBe('DECODE');
  });
});
