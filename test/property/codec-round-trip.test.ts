import * as fc from 'fast-check';
import { type Either, isLeft } from 'fp-ts/Either';
import * as t from 'io-ts';
import { compareIdentity, compareUtf8, identityBytes, identityOf } from '../../src/codec/identity';
import { json } from '../../src/codec/json';
import { nullable } from '../../src/codec/nullable';
import { bytes, float64, int32, int64, string } from '../../src/codec/primitives';
import { windowStoreKey } from '../../src/codec/store-key';
import { toBytes } from '../../src/codec/utf8';
import { sessionWindowedKey, timeWindowedKey } from '../../src/codec/windowed-key';
import { MillraceError } from '../../src/errors/millrace-error';
import { murmur2 } from '../../src/kafka/partitioner';
import { type Codec, decodeSlice, type SliceCodec } from '../../src/model/codec';
import { anyText } from './any-text';

/** Any text UTF-8 can hold, of any plane. */
const text = anyText();
const time = fc.maxSafeNat();
const binary = fc.uint8Array({ maxLength: 200 }).map((array) => new Uint8Array(array));
const safeInteger = fc.oneof(fc.maxSafeInteger(), fc.integer());
const Place = t.type({ name: t.string, at: t.union([t.null, t.array(t.number)]) });
const place = fc.record({
  name: text,
  at: fc.option(fc.array(fc.double({ noDefaultInfinity: true, noNaN: true }))),
});
const windowed = fc.record({ key: text, start: time, end: time });

const encodedBy = <A>(codec: Codec<A>, value: A): Uint8Array => new Uint8Array(toBytes(codec.encode(value)));

function valueOf<A>(decoded: Either<Error, A>): A {
  if (isLeft(decoded)) throw decoded.left;
  return decoded.right;
}

/** Reads alone, and in the middle of other bytes, and leaves them as they were. */
function expectRoundTrip<A>(codec: SliceCodec<A>, values: fc.Arbitrary<A>, canonical: (value: A) => A = (value) => value): void {
  fc.assert(
    fc.property(values, binary, binary, (value, before, after) => {
      const encoded = encodedBy(codec, value);
      const buffer = Buffer.concat([before, encoded, after]);
      const untouched = Buffer.from(buffer);
      expect(valueOf(codec.decode(encoded))).toEqual(canonical(value));
      expect(valueOf(codec[decodeSlice]!(buffer, before.length, before.length + encoded.length))).toEqual(canonical(value));
      expect(buffer).toEqual(untouched);
    }),
  );
}

describe('what a codec writes, it reads', () => {
  it('string', () => expectRoundTrip(string, text));
  it('bytes', () => expectRoundTrip(bytes, binary));
  it('int32', () => expectRoundTrip(int32, fc.integer()));
  it('int64', () => expectRoundTrip(int64, safeInteger));
  it('float64', () => expectRoundTrip(float64, fc.double()));
  it('json', () =>
    expectRoundTrip(json(Place), place, (value) => ({ ...value, at: value.at?.map((number) => (number === 0 ? 0 : number)) ?? null })));
  it('nullable', () =>
    expectRoundTrip(
      nullable(string),
      text.map((value): string | null => value),
    ));
  it('session keys', () => expectRoundTrip(sessionWindowedKey(string), windowed));
  it('time window keys', () =>
    expectRoundTrip(
      timeWindowedKey(string, (start) => start + 1),
      windowed.map(({ key, start }) => ({ key, start: Math.min(start, Number.MAX_SAFE_INTEGER - 1), end: start + 1 })),
      ({ key, start }) => ({ key, start, end: start + 1 }),
    ));
});

describe('what a codec cannot read', () => {
  it.each([
    ['string', string],
    ['int32', int32],
    ['int64', int64],
    ['float64', float64],
    ['json', json(Place)],
    ['time window keys', timeWindowedKey(int64, (start) => start)],
    ['session keys', sessionWindowedKey(string)],
  ] as [string, Codec<unknown>][])('%s: random bytes give a value that is written as the same bytes, or DECODE', (_name, codec) => {
    fc.assert(
      fc.property(binary, (random) => {
        const decoded = codec.decode(random);
        if (isLeft(decoded)) {
          expect(decoded.left).toBeInstanceOf(MillraceError);
          expect((decoded.left as MillraceError).code).toBe('DECODE');
        } else if (!Number.isNaN(decoded.right)) {
          expect(encodedBy(codec, decoded.right)).toEqual(random);
        }
      }),
    );
  });

  it('string: exactly the bytes that are no UTF-8, as another decoder sees them', () => {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const nearText = fc.oneof(
      binary,
      text.map((value) => new Uint8Array(Buffer.from(value))),
      fc.tuple(text, binary).map(([a, b]) => new Uint8Array(Buffer.concat([Buffer.from(a), b]))),
    );
    fc.assert(
      fc.property(nearText, (random) => {
        let expected: string | undefined;
        try {
          expected = strict.decode(random);
        } catch {
          expected = undefined;
        }
        const decoded = string.decode(random);
        expect(isLeft(decoded) ? undefined : decoded.right).toBe(expected);
      }),
    );
  });
});

describe('json', () => {
  it('refuses exactly the values JSON would change', () => {
    const numbers = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, null, 'null', 0));
    const nested = fc.letrec((tie) => ({
      node: fc.oneof({ depthSize: 'small' }, numbers, fc.array(tie('node')), fc.dictionary(fc.string(), tie('node'))),
    })).node;
    fc.assert(
      fc.property(fc.array(nested), (value) => {
        let written: string | undefined;
        try {
          written = json(t.UnknownArray).encode(value) as string;
        } catch (error) {
          expect((error as MillraceError).code).toBe('ENCODE');
        }
        expect(written !== undefined).toBe(isFinite(value));
      }),
    );
  });
});

function isFinite(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value !== 'object' || value === null || Object.values(value).every(isFinite);
}

function expectIdentityIsThatOfBytes<K>(codec: Codec<K>, keys: fc.Arbitrary<K>): void {
  const identity = identityOf(codec);
  const compare = compareIdentity(codec);
  fc.assert(
    fc.property(keys, keys, (a, b) => {
      const order = Buffer.compare(encodedBy(codec, a), encodedBy(codec, b));
      expect(identity(a) === identity(b)).toBe(order === 0);
      expect(Math.sign(compare(identity(a), identity(b)))).toBe(order);
      expect(new Uint8Array(identityBytes(codec)(identity(a)))).toEqual(encodedBy(codec, a));
    }),
  );
}

describe('identities compare as the bytes of their keys', () => {
  const fewTexts = fc.oneof(text, fc.string({ unit: fc.constantFrom('a', 'é', '\uffee', '🙂', '\u{10ffff}') }));

  it('string', () => expectIdentityIsThatOfBytes(string, fewTexts));
  it('int64', () => expectIdentityIsThatOfBytes(int64, safeInteger));
  it('bytes', () => expectIdentityIsThatOfBytes(bytes, binary));
  it('json', () => expectIdentityIsThatOfBytes(json(t.string), fewTexts));
  it('session keys', () => expectIdentityIsThatOfBytes(sessionWindowedKey(string), windowed));

  it('compareUtf8 is the order of bytes', () => {
    fc.assert(
      fc.property(fewTexts, fewTexts, (a, b) => {
        expect(Math.sign(compareUtf8(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      }),
    );
  });
});

describe('murmur2', () => {
  it('of a text is that of its bytes', () => {
    fc.assert(fc.property(fc.oneof(text, fc.string()), (value) => expect(murmur2(value)).toBe(murmur2(Buffer.from(value)))));
  });
});

describe('store keys', () => {
  it('are the same from numbers and bigints', () => {
    fc.assert(
      fc.property(binary, safeInteger, fc.nat(), (key, start, sequence) => {
        expect(windowStoreKey(key, start, sequence)).toEqual(windowStoreKey(key, BigInt(start), sequence));
        expect(Buffer.from(windowStoreKey(key, start, sequence)).readBigInt64BE(key.length)).toBe(BigInt(start));
      }),
    );
  });

  it('of one key lie in the order of time', () => {
    fc.assert(
      fc.property(binary, time, time, (key, a, b) => {
        expect(Buffer.compare(windowStoreKey(key, a), windowStoreKey(key, b))).toBe(Math.sign(a - b));
      }),
    );
  });
});
