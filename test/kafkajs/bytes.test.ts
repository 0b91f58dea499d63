import fc from 'fast-check';
import { BytesError, Reader, Writer } from '../../src/kafkajs/bytes';
import { anyText } from '../property/any-text';

const readBack = (write: (writer: Writer) => Writer): Reader => new Reader(write(new Writer(1)).finish());

describe('the protocol types', () => {
  it('reads back every whole number below 2^53 that it wrote as int64', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const bytes = new Writer().int64(value).finish();
        expect(bytes.readBigInt64BE(0)).toBe(BigInt(value));
        expect(new Reader(bytes).int64()).toBe(value);
      }),
    );
  });

  it.each([0, -1, -2, 2 ** 32 - 1, 2 ** 32, -(2 ** 32), Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])(
    'writes %d as int64',
    (value) => {
      expect(new Writer().int64(value).finish().readBigInt64BE(0)).toBe(BigInt(value));
    },
  );

  it('refuses an int64 that a number does not hold exactly', () => {
    expect(() => new Writer().int64(2 ** 53)).toThrow(BytesError);
    expect(() => new Writer().int64(0.5)).toThrow(BytesError);
    expect(() => new Writer().int64(NaN)).toThrow(BytesError);
  });

  it('reads back strings, null, and lengths of more than one varint byte', () => {
    fc.assert(
      fc.property(fc.option(anyText({ maxLength: 300 })), (value) => {
        const reader = readBack((writer) => writer.string(value).compactString(value));
        const utf8 = value === null ? null : Buffer.from(value).toString();
        expect(reader.nullableString()).toBe(utf8);
        expect(reader.nullableCompactString()).toBe(utf8);
        expect(reader.left).toBe(0);
      }),
    );
  });

  it('writes unsigned varints as KIP-482 has them', () => {
    expect(new Writer().unsignedVarint(0).finish()).toEqual(Buffer.from([0]));
    expect(new Writer().unsignedVarint(127).finish()).toEqual(Buffer.from([127]));
    expect(new Writer().unsignedVarint(128).finish()).toEqual(Buffer.from([0x80, 1]));
    expect(new Writer().unsignedVarint(300).finish()).toEqual(Buffer.from([0xac, 2]));
  });

  it('reads the longest varint, and refuses a longer one', () => {
    expect(new Reader(Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f])).unsignedVarint()).toBe(2 ** 32 - 1);
    expect(() => new Reader(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 1])).unsignedVarint()).toThrow(BytesError);
  });

  it('skips tagged fields it does not know', () => {
    const reader = new Reader(Buffer.from([2, 0, 3, 9, 9, 9, 5, 0, 42]));
    expect(reader.tags().int8()).toBe(42);
  });

  it('reads null arrays and null bytes as empty ones', () => {
    const reader = readBack((writer) => writer.int32(-1).unsignedVarint(0).int32(-1));
    expect(reader.array(() => 1)).toEqual([]);
    expect(reader.compactArray(() => 1)).toEqual([]);
    expect(reader.bytes()).toHaveLength(0);
  });

  it('shares memory when it slices', () => {
    const bytes = new Writer().bytes(Buffer.from('abc')).finish();
    const slice = new Reader(bytes).bytes();
    bytes[4] = 0x7a;
    expect(slice.toString()).toBe('zbc');
  });

  it.each([
    ['int32', (reader: Reader) => reader.int32()],
    ['int64', (reader: Reader) => reader.int64()],
    ['string', (reader: Reader) => reader.string()],
    ['bytes', (reader: Reader) => reader.slice(4)],
    ['tags', (reader: Reader) => reader.tags().tags()],
  ])('refuses to read %s beyond the end', (_, read) => {
    expect(() => read(new Reader(Buffer.from([0, 9, 0])))).toThrow(BytesError);
  });
});
