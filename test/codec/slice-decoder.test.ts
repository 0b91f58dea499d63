import { isRight } from 'fp-ts/Either';
import { string } from '../../src/codec/primitives';
import { sliceDecoder } from '../../src/codec/slice-decoder';
import { type Codec, decodeSlice } from '../../src/model/codec';

describe('sliceDecoder', () => {
  it("is the codec's own fast path where it has one", () => {
    expect(sliceDecoder(string)).toBe(string[decodeSlice]);
  });

  it('gives any other codec its bytes alone', () => {
    const seen: string[] = [];
    const codec: Codec<string> = {
      encode: (value) => value,
      decode: (bytes) => {
        seen.push(Buffer.from(bytes).toString());
        return string.decode(bytes);
      },
    };
    expect(isRight(sliceDecoder(codec)(Buffer.from('xabcy'), 1, 4))).toBe(true);
    expect(seen).toEqual(['abc']);
  });
});
