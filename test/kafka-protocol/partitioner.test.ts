import { nullable } from '../../src/codec/nullable';
import { int64, string } from '../../src/codec/primitives';
import { sessionWindowedKey } from '../../src/codec/windowed-key';
import { murmur2, partitionFor, partitionOf } from '../../src/kafka/partitioner';
import { keyVectors } from '../codec/kafka-streams-keys';

describe("murmur2 as Kafka's own", () => {
  it('of bytes', () => {
    expect(keyVectors.murmur2.length).toBeGreaterThan(200);
    for (const { hex, murmur2: expected } of keyVectors.murmur2) expect(murmur2(Buffer.from(hex, 'hex'))).toBe(expected);
  });

  it('of texts, without encoding them', () => {
    const texts = keyVectors.murmur2.filter(({ text }) => text !== null);
    expect(texts.length).toBeGreaterThan(20);
    for (const { text, murmur2: expected } of texts) expect(murmur2(text!)).toBe(expected);
  });

  it('partitions, for every count', () => {
    for (const { hex, partitions } of keyVectors.murmur2) {
      for (const [count, expected] of Object.entries(partitions)) {
        expect(partitionFor(Buffer.from(hex, 'hex'), Number(count))).toBe(expected);
      }
    }
  });
});

describe('partitionOf', () => {
  it('hashes the encoded key', () => {
    expect(partitionOf(int64, 1, int64.encode(1), 100)).toBe(partitionFor(Buffer.from('0000000000000001', 'hex'), 100));
  });

  it('hashes the inner key of a windowed one, so that all windows of a key lie together', () => {
    const codec = nullable(sessionWindowedKey(string));
    const partitions = [0, 1, 2, 3].map((start) => {
      const key = { key: 'user-1', start, end: start + 5 };
      return partitionOf(codec, key, codec.encode(key), 64);
    });
    expect(partitions).toEqual([12, 12, 12, 12]);
  });
});
