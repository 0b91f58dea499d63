import * as storeKey from '../../src/codec/store-key';
import { hex, keyVectors } from './kafka-streams-keys';

const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');

describe('the binary forms of Kafka Streams', () => {
  it('a window in a store is key, start, sequence', () => {
    const cases = keyVectors.windowedKeys.flatMap(({ key, start, storeKeyHexBySeq }) =>
      Object.entries(storeKeyHexBySeq).map(([sequence, expected]) => ({ key, start, sequence: Number(sequence), expected })),
    );
    expect(cases.length).toBeGreaterThan(100);
    for (const { key, start, sequence, expected } of cases) {
      expect(hex(storeKey.windowStoreKey(utf8(key), BigInt(start), sequence))).toBe(expected);
    }
  });

  it('times below 2^53 give the same bytes as numbers and as bigints', () => {
    const safe = keyVectors.windowedKeys.filter(({ start }) => Number.isSafeInteger(Number(start)));
    expect(safe.length).toBeGreaterThan(10);
    for (const { key, start, storeKeyHexBySeq } of safe) {
      expect(hex(storeKey.windowStoreKey(utf8(key), Number(start)))).toBe(storeKeyHexBySeq['0']);
    }
  });

  it('the time-first entry of a window and its index by key', () => {
    for (const { key, start, timeFirstHex, indexHex } of keyVectors.windowedKeys) {
      expect(hex(storeKey.timeFirstKey(utf8(key), BigInt(start)))).toBe(timeFirstHex);
      expect(hex(storeKey.keyFirstKey(utf8(key), BigInt(start)))).toBe(indexHex);
    }
  });

  it('a window in a topic is key, start', () => {
    for (const { key, start, topicKeyHex } of keyVectors.windowedKeys) {
      expect(hex(storeKey.windowTopicKey(utf8(key), BigInt(start)))).toBe(topicKeyHex);
    }
  });

  it('a session is key, end, start, in topic and store', () => {
    expect(keyVectors.sessionKeys.length).toBeGreaterThan(30);
    for (const { key, start, end, topicKeyHex, storeKeyHex } of keyVectors.sessionKeys) {
      const encoded = hex(storeKey.sessionKey(utf8(key), BigInt(start), BigInt(end)));
      expect([encoded, encoded]).toEqual([topicKeyHex, storeKeyHex]);
    }
  });

  it('the time-first entry of a session', () => {
    for (const { key, start, end, timeFirstHex } of keyVectors.sessionKeys) {
      expect(hex(storeKey.sessionTimeFirstKey(utf8(key), BigInt(start), BigInt(end)))).toBe(timeFirstHex);
    }
  });

  it('a value with its timestamp', () => {
    expect(keyVectors.valueAndTimestamp.length).toBeGreaterThan(10);
    for (const { timestamp, valueHex, hex: expected } of keyVectors.valueAndTimestamp) {
      expect(hex(storeKey.valueAndTimestamp(BigInt(timestamp), Buffer.from(valueHex, 'hex')))).toBe(expected);
    }
  });
});
