import * as fc from 'fast-check';
import { isRight } from 'fp-ts/Either';
import { string } from '../../src/codec/primitives';
import { bufferTimeOf, Held, heldCodec } from '../../src/state/held';

const codec = heldCodec(string);
const headers = fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.uint8Array({ maxLength: 5 })), { maxLength: 3 });
const times = fc.oneof(fc.nat(), fc.constantFrom(0, 2 ** 53 - 1, 2 ** 53));

describe('a result that is held back', () => {
  it('comes back from its bytes as it was, wherever they lie', () => {
    fc.assert(
      fc.property(times, fc.option(fc.string({ unit: 'grapheme' })), headers, (time, value, named) => {
        const held = new Held(time, value, new Map(named), value === null ? undefined : Buffer.from(value));
        const bytes = codec.encode(held) as Uint8Array;
        const decoded = codec.decode(Buffer.concat([Buffer.from('before'), bytes]).subarray(6));
        expect(isRight(decoded) ? decoded.right : decoded).toEqual(held);
        expect(bufferTimeOf(bytes, 0)).toBe(time);
        expect(isRight(decoded) && decoded.right.size).toBe(held.size);
      }),
    );
  });

  it('comes back as released once it is', () => {
    const decoded = codec.decode(codec.encode(Held.released(7)) as Uint8Array);
    expect(isRight(decoded) && [decoded.right.isReleased, decoded.right.bufferTime, decoded.right.value]).toEqual([true, 7, null]);
  });
});
