import { int64, string } from '../../src/codec/primitives';
import { sessionWindowedKey, timeWindowedKey } from '../../src/codec/windowed-key';
import { MillraceError } from '../../src/errors/millrace-error';
import { decodeSlice, partitionBytes } from '../../src/model/codec';
import { partitionOf } from '../../src/kafka/partitioner';
import { hex, keyVectors } from './kafka-streams-keys';

const perMinute = timeWindowedKey(string, (start) => start + 60_000);
const session = sessionWindowedKey(string);

describe('timeWindowedKey', () => {
  it('reads back the key and the start, and takes the end from the declared windows', () => {
    const encoded = perMinute.encode({ key: 'ü', start: 120_000, end: 180_000 });
    expect(hex(encoded)).toBe('c3bc000000000001d4c0');
    expect(perMinute.decode(encoded as Uint8Array)).toMatchObject({ right: { key: 'ü', start: 120_000, end: 180_000 } });
  });

  it('reads in the middle of a buffer', () => {
    const buffer = Buffer.concat([
      Buffer.from('xx'),
      perMinute.encode({ key: 'a', start: 0, end: 60_000 }) as Uint8Array,
      Buffer.from('y'),
    ]);
    expect(perMinute[decodeSlice]!(buffer, 2, buffer.length - 1)).toMatchObject({ right: { key: 'a', start: 0, end: 60_000 } });
  });

  it('is partitioned by its inner key', () => {
    const key = { key: 'user-1', start: 60_000, end: 120_000 };
    expect(perMinute[partitionBytes]!(key)).toBe('user-1');
    expect(partitionOf(perMinute, key, perMinute.encode(key), 12)).toBe(8);
  });

  it('is partitioned by the innermost key when windows are nested', () => {
    const nested = timeWindowedKey(session, (start) => start + 1);
    expect(nested[partitionBytes]!({ key: { key: 'user-1', start: 0, end: 1 }, start: 0, end: 1 })).toBe('user-1');
  });

  it('says that bytes are too few for a window', () => {
    expect(perMinute.decode(new Uint8Array(7))).toMatchObject({ left: { code: 'DECODE' } });
  });

  it('refuses a start that is negative or beyond 2^53', () => {
    expect(perMinute.decode(Buffer.from('61ffffffffffffffff', 'hex'))).toMatchObject({ left: { code: 'DECODE' } });
    expect(perMinute.decode(Buffer.from('610020000000000001', 'hex'))).toMatchObject({
      left: { message: 'DECODE: the window bound 9007199254740993 is no time from 0 to 2^53 - 1' },
    });
  });

  it.each([-1, 0.5, NaN, 2 ** 53])('refuses to encode a start of %d', (start) => {
    expect(() => perMinute.encode({ key: 'a', start, end: start + 1 })).toThrow(MillraceError);
  });

  it('gives the error of the inner codec', () => {
    const ofNumbers = timeWindowedKey(int64, (start) => start);
    expect(ofNumbers.decode(new Uint8Array(12))).toMatchObject({ left: { message: 'DECODE: int64 takes 8 bytes, there are 4' } });
  });
});

describe('sessionWindowedKey', () => {
  it('writes the end before the start, and reads both', () => {
    const encoded = session.encode({ key: 'a', start: 1, end: 2 });
    expect(hex(encoded)).toBe('6100000000000000020000000000000001');
    expect(session.decode(encoded as Uint8Array)).toMatchObject({ right: { key: 'a', start: 1, end: 2 } });
  });

  it('is partitioned by its inner key', () => {
    expect(session[partitionBytes]!({ key: 'a', start: 1, end: 2 })).toBe('a');
  });

  it('says that bytes are too few for a session', () => {
    expect(session.decode(new Uint8Array(15))).toMatchObject({ left: { code: 'DECODE' } });
  });
});

const safe = ({ start, end }: { start: string; end: string }): boolean =>
  Number.isSafeInteger(Number(start)) && Number.isSafeInteger(Number(end));

describe('windowed keys as Kafka Streams writes them', () => {
  it('time windows: bytes in the topic and partition', () => {
    const vectors = keyVectors.windowedKeys.filter(safe);
    expect(vectors.length).toBeGreaterThan(20);
    for (const { key, start, end, topicKeyHex, partitionOf12 } of vectors) {
      const codec = timeWindowedKey(string, () => Number(end));
      const windowed = { key, start: Number(start), end: Number(end) };
      const encoded = codec.encode(windowed);
      expect(hex(encoded)).toBe(topicKeyHex);
      expect(codec.decode(encoded as Uint8Array)).toMatchObject({ right: windowed });
      expect(partitionOf(codec, windowed, encoded, 12)).toBe(partitionOf12);
    }
  });

  it('sessions: bytes in the topic', () => {
    const vectors = keyVectors.sessionKeys.filter(safe);
    expect(vectors.length).toBeGreaterThan(20);
    for (const { key, start, end, topicKeyHex } of vectors) {
      const windowed = { key, start: Number(start), end: Number(end) };
      const encoded = session.encode(windowed);
      expect(hex(encoded)).toBe(topicKeyHex);
      expect(session.decode(encoded as Uint8Array)).toMatchObject({ right: windowed });
    }
  });

  it('times beyond 2^53 are refused, not rounded', () => {
    const vectors = keyVectors.windowedKeys.filter((vector) => !safe(vector) && !Number.isSafeInteger(Number(vector.start)));
    expect(vectors.length).toBeGreaterThan(0);
    for (const { topicKeyHex } of vectors) {
      expect(perMinute.decode(Buffer.from(topicKeyHex, 'hex'))).toMatchObject({ left: { code: 'DECODE' } });
    }
  });
});
