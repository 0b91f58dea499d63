import * as fc from 'fast-check';
import * as t from 'io-ts';
import { isPlain } from '../../src/codec/plain-type';

const Click = t.type({ user: t.string, at: t.number });
const plain: Record<string, t.Mixed> = {
  object: Click,
  'optional properties': t.partial({ a: t.string, b: t.array(t.number) }),
  'several objects in one': t.intersection([t.type({ a: t.number }), t.partial({ b: t.boolean })]),
  'one of several': t.union([t.string, t.null, t.type({ a: t.union([t.number, t.null]) })]),
  'one of several, by tag': t.union([t.type({ a: t.literal('x') }), t.type({ a: t.literal('y'), b: t.keyof({ a: null, b: null }) })]),
};

/** JSON with the properties and values that the types above ask about. */
const near = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom<unknown>(null, true, 0, 1.5, 'x', 'y', 'a', 'toString'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'user', 'at'), tie('value'), { maxKeys: 4 }),
  ),
})).value;

describe('a plain type', () => {
  it.each(Object.entries(plain))('decodes to the very value wherever `is` holds: %s', (_name, type) => {
    expect(isPlain(type)).toBe(true);
    fc.assert(
      fc.property(near, (value) => {
        if (!type.is(value)) return;
        const decoded = type.decode(value);
        expect(decoded._tag === 'Right' && decoded.right === value).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('is none that was given another validate, wherever it stands', () => {
    const withFallback: t.Mixed = Object.assign(Object.create(Object.getPrototypeOf(Click) as object) as t.Mixed, Click, {
      validate: () => t.success({ user: 'nobody', at: 0 }),
    });
    expect([withFallback, t.array(withFallback), t.type({ a: withFallback })].map(isPlain)).toEqual([false, false, false]);
  });

  it('is none that changes what it reads, or refines it', () => {
    const trimmed = new t.Type<string, string, unknown>('trimmed', t.string.is, (u, c) => t.string.validate(u, c), t.identity);
    const types = [t.exact(Click), t.strict({ a: t.string }), t.Int, t.unknown, trimmed, t.array(trimmed)];
    expect(types.map(isPlain)).toEqual(types.map(() => false));
  });
});
