import * as t from 'io-ts';
import { json } from '../../src/codec/json';
import { nullable, takesNull } from '../../src/codec/nullable';
import { int64, string } from '../../src/codec/primitives';
import { timeWindowedKey } from '../../src/codec/windowed-key';
import { decodeSlice, partitionBytes, textAsIs } from '../../src/model/codec';

describe('nullable', () => {
  it('marks the codec as one that is given nulls', () => {
    expect([takesNull(nullable(string)), takesNull(string)]).toEqual([true, false]);
  });

  it('leaves values to the inner codec, both ways', () => {
    expect(nullable(int64).encode(1)).toEqual(int64.encode(1));
    expect(nullable(int64).decode(int64.encode(7) as Uint8Array)).toMatchObject({ right: 7 });
  });

  it('does not read the text null as null', () => {
    expect(nullable(json(t.type({ a: t.string }))).decode(Buffer.from('null'))).toMatchObject({ left: { code: 'DECODE' } });
  });

  it('has no bytes for a null: whoever writes a record handles it', () => {
    expect(() => nullable(string).encode(null)).toThrow('ENCODE');
  });

  it('keeps the fast paths of the inner codec', () => {
    const windowed = timeWindowedKey(string, (start) => start + 1);
    const codec = nullable(windowed);
    expect(codec[decodeSlice]).toBe(windowed[decodeSlice]);
    expect(codec[partitionBytes]!({ key: 'a', start: 0, end: 1 })).toBe('a');
    expect(nullable(string)[textAsIs]).toBe(true);
  });

  it('adds no fast path the inner codec does not have', () => {
    const plain = { encode: string.encode, decode: string.decode };
    expect(Object.getOwnPropertySymbols(nullable(plain)).map(String)).toEqual(['Symbol(millrace.acceptsNull)']);
  });
});
