import { gunzipSync } from 'node:zlib';
import type * as CompressionModule from '../../src/kafka/compression';
import { compress, decompress } from '../../src/kafka/compression';
import type { MillraceError } from '../../src/errors/millrace-error';

const TEXT = Buffer.from('a record, a record, another record; '.repeat(200));

describe('compress and decompress', () => {
  it.each(['gzip', 'lz4'] as const)('%s gives the records back', (compression) => {
    const { bits, packed } = compress(compression, TEXT, 't');
    expect(packed.length).toBeLessThan(TEXT.length / 4);
    expect(decompress(bits, packed, 't')).toEqual(TEXT);
  });

  it('none leaves the records where they are', () => {
    expect(compress('none', TEXT, 't')).toEqual({ bits: 0, packed: TEXT });
    expect(decompress(0, TEXT, 't')).toBe(TEXT);
  });

  it('writes records as they are when packing would make them larger', () => {
    const few = Buffer.from([1, 2, 3]);
    expect(compress('gzip', few, 't')).toEqual({ bits: 0, packed: few });
  });

  it('writes gzip that zlib reads', () => {
    expect(gunzipSync(compress('gzip', TEXT, 't').packed)).toEqual(TEXT);
  });

  it('writes lz4 frames with independent blocks, as the JVM demands', () => {
    const { packed } = compress('lz4', TEXT, 't');
    expect(packed.readUInt32LE(0)).toBe(0x184d2204);
    expect(packed[4]! & 0b1110_0000).toBe(0b0110_0000);
  });
});

/** Literals only: the shortest program of the raw snappy format, written by hand from its description. */
function rawSnappy(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.from([bytes.length, (bytes.length - 1) << 2]), bytes]);
}

describe('snappy', () => {
  it('is read as one raw block, as clients outside the JVM write it', () => {
    expect(decompress(2, rawSnappy(Buffer.from('hello')), 't').toString()).toBe('hello');
  });

  it('is read in the framing of the JVM, of any number of blocks', () => {
    const header = Buffer.from('82534e4150505900' + '00000001' + '00000001', 'hex');
    const block = (text: string): Buffer => {
      const packed = rawSnappy(Buffer.from(text));
      const length = Buffer.alloc(4);
      length.writeInt32BE(packed.length);
      return Buffer.concat([length, packed]);
    };
    expect(decompress(2, Buffer.concat([header, block('hello '), block('world')]), 't').toString()).toBe('hello world');
    expect(decompress(2, Buffer.concat([header, block('one')]), 't').toString()).toBe('one');
    expect(() => decompress(2, Buffer.concat([header, block('cut').subarray(0, 6)]), 't')).toThrow(RangeError);
  });
});

describe('a package that is not installed', () => {
  const attempt = (attributes: number): MillraceError => {
    let error: unknown;
    jest.isolateModules(() => {
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- a fresh module, so that it loads its packages anew
      const fresh = require('../../src/kafka/compression') as typeof CompressionModule;
      try {
        fresh.decompress(attributes, Buffer.alloc(10), 'clicks');
      } catch (cause) {
        error = cause;
      }
    });
    return error as MillraceError;
  };

  const absent = (): never => {
    throw Object.assign(new Error('Cannot find module'), { code: 'MODULE_NOT_FOUND' });
  };

  it.each([
    [2, 'snappy'],
    [3, 'lz4-napi'],
  ])('codec %d: names %s and the topic', (attributes, name) => {
    jest.doMock(name, absent);
    const error = attempt(attributes);
    expect(error).toMatchObject({ code: 'UNSUPPORTED_COMPRESSION', where: { topic: 'clicks' }, cause: { code: 'MODULE_NOT_FOUND' } });
    expect(error.message).toContain(`topic clicks needs the package ${name}`);
  });

  it('zstd: node:zlib serves where it can, else fzstd is named', () => {
    const builtin = { ...jest.requireActual<object>('node:zlib'), zstdDecompressSync: undefined as unknown };
    jest.doMock('node:zlib', () => builtin);
    jest.doMock('fzstd', absent);
    expect(attempt(4)).toMatchObject({ code: 'UNSUPPORTED_COMPRESSION', where: { topic: 'clicks' } });
    builtin.zstdDecompressSync = () => Buffer.from('x');
    expect(attempt(4)).toBeUndefined();
  });
});
