import { type Either, isLeft, isRight } from 'fp-ts/Either';
import * as t from 'io-ts';
import { json } from '../../src/codec/json';
import { MillraceError } from '../../src/errors/millrace-error';
import { decodeSlice } from '../../src/model/codec';

const Order = t.type({ id: t.string, items: t.array(t.type({ sku: t.string, price: t.number })), at: t.union([t.string, t.number]) });

function valueOf<A>(decoded: Either<Error, A>): A {
  if (isLeft(decoded)) throw decoded.left;
  return decoded.right;
}

function errorOf<A>(decoded: Either<Error, A>): MillraceError {
  if (isRight(decoded)) throw new Error('was decoded');
  expect(decoded.left).toBeInstanceOf(MillraceError);
  return decoded.left as MillraceError;
}

const read = <A extends object | string | number>(type: t.Type<A, unknown>, text: string): Either<Error, A> =>
  json(type).decode(Buffer.from(text));

describe('json, reading', () => {
  it('gives the checked value from the middle of a buffer', () => {
    const buffer = Buffer.from('xx{"id":"é","items":[],"at":1}yy');
    expect(valueOf(json(Order)[decodeSlice]!(buffer, 2, buffer.length - 2))).toEqual({ id: 'é', items: [], at: 1 });
  });

  it('names the path of the first mismatch', () => {
    const error = errorOf(read(Order, '{"id":"a","items":[{"sku":"x","price":1},{"sku":"y","price":"2"}],"at":1}'));
    expect(error).toMatchObject({ code: 'DECODE', where: { path: 'items[1].price' } });
    expect(error.message).toContain('items[1].price is "2", expected number');
  });

  it('says that a property is missing', () => {
    const error = errorOf(read(Order, '{"items":[],"at":1}'));
    expect(error.where.path).toBe('id');
    expect(error.message).toContain('id is missing, expected string');
  });

  it('names the place of a union, and all it takes', () => {
    const error = errorOf(read(Order, '{"id":"a","items":[],"at":true}'));
    expect(error.where.path).toBe('at');
    expect(error.message).toContain('at is true, expected (string | number)');
  });

  it('leaves the numbers of intersections, exact and recursive types out of the path', () => {
    interface Tree {
      readonly value: number;
      readonly left?: Tree;
    }
    const Tree: t.Type<Tree> = t.recursion('Tree', () =>
      t.exact(t.intersection([t.type({ value: t.number }), t.partial({ left: t.readonly(Tree) })])),
    );
    expect(errorOf(read(Tree, '{"value":1,"left":{"value":2,"left":{"value":"3"}}}')).where.path).toBe('left.left.value');
  });

  it('keeps property names that are numbers', () => {
    expect(errorOf(read(t.record(t.string, t.number), '{"0":"x"}')).where.path).toBe('0');
  });

  it('has an empty path when the value as a whole does not match', () => {
    const error = errorOf(read(Order, '[]'));
    expect(error.where.path).toBe('');
    expect(error.message).toContain('the value is []');
  });

  it('cuts long values in its message', () => {
    expect(errorOf(read(t.number, JSON.stringify('x'.repeat(10_000)))).message.length).toBeLessThan(200);
  });

  it('refuses text that is no JSON, naming the type', () => {
    const error = errorOf(read(t.type({ a: t.string }, 'A'), '{"a":'));
    expect(error.code).toBe('DECODE');
    expect(error.message).toContain('no JSON (expected A)');
    expect(error.cause).toBeInstanceOf(SyntaxError);
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(errorOf(json(t.string).decode(Buffer.from([0x22, 0xff, 0x22]))).code).toBe('DECODE');
  });

  it('refuses the text null, also from a type that would take it', () => {
    expect(errorOf(read(t.union([t.string, t.null]) as unknown as t.Type<string>, 'null')).message).toContain('nullable(json(...))');
  });

  it('gives a type that throws as an error, not as an exception', () => {
    const broken = new t.Type<string>(
      'Broken',
      t.string.is,
      () => {
        throw new Error('bug in a type');
      },
      t.identity,
    );
    expect(errorOf(read(broken, '1')).message).toContain('the io-ts type Broken threw: bug in a type');
  });
});

function encodeError(type: t.Type<never, unknown>, value: unknown): MillraceError {
  try {
    json(type).encode(value as never);
  } catch (error) {
    return error as MillraceError;
  }
  throw new Error('was encoded');
}

describe('json, writing', () => {
  it('writes what the type encodes', () => {
    const DateFromText = new t.Type<Date, string>(
      'DateFromText',
      (u): u is Date => u instanceof Date,
      (u, c) => (typeof u === 'string' ? t.success(new Date(u)) : t.failure(u, c)),
      (date) => date.toISOString(),
    );
    expect(json(t.type({ at: DateFromText })).encode({ at: new Date(0) })).toBe('{"at":"1970-01-01T00:00:00.000Z"}');
  });

  it('writes null inside a value', () => {
    expect(json(t.type({ a: t.union([t.string, t.null]) })).encode({ a: null })).toBe('{"a":null}');
  });

  it.each([
    ['undefined', undefined, 'gives no JSON'],
    ['a function', () => 1, 'gives no JSON'],
    ['null', null, 'nullable(json(...))'],
    ['NaN', NaN, 'the value is NaN, which JSON would turn into null'],
  ])('refuses %s', (_name, value, message) => {
    const error = encodeError(t.unknown as never, value);
    expect(error.code).toBe('ENCODE');
    expect(error.message).toContain(message);
  });

  it('refuses a cycle', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(encodeError(t.unknown as never, cycle).message).toContain('cannot be written as JSON');
  });

  it('names the place of a number that JSON has no word for', () => {
    const error = encodeError(t.unknown as never, { ok: null, list: [{ mean: 1 }, { mean: Infinity }] });
    expect(error).toMatchObject({ code: 'ENCODE', where: { path: 'list[1].mean' } });
  });

  it('names the place of an undefined in an array', () => {
    expect(encodeError(t.unknown as never, { list: [1, undefined] }).where.path).toBe('list[1]');
  });

  it('takes the word null in a text for what it is', () => {
    expect(json(t.type({ a: t.string })).encode({ a: 'null' })).toBe('{"a":"null"}');
  });

  it('says why a bigint cannot be written', () => {
    expect(encodeError(t.unknown as never, { n: 1n })).toMatchObject({ code: 'ENCODE', cause: expect.any(TypeError) as unknown });
  });
});
