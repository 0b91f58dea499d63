import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { KafkaRecord } from '../../src/model/record';
import { outgoing, record } from '../../src/testing';

describe('record', () => {
  it('is a KafkaRecord with key, value and timestamp, from no broker', () => {
    const made = record('k', 1, 10);
    expect(made).toBeInstanceOf(KafkaRecord);
    expect([made.key, made.value, made.timestamp, made.origin.offset, made.headers.size]).toEqual(['k', 1, 10, -1, 0]);
  });

  it('takes headers as texts or bytes', () => {
    const { headers } = record('k', 1, 10, { text: 'é', bytes: Uint8Array.of(0, 255) });
    expect([...headers]).toEqual([
      ['text', Buffer.from([0xc3, 0xa9])],
      ['bytes', Uint8Array.of(0, 255)],
    ]);
  });

  it('equals another one with the same contents', () => {
    expect(record('k', 1, 10)).toEqual(record('k', 1, 10));
    expect(record('k', 1, 10)).not.toEqual(record('k', 2, 10));
  });
});

describe('outgoing', () => {
  it('is what a topology emits for the topic', () => {
    const counts = topic('counts', { key: string, value: int64 });
    const { topic: name, key, value, timestamp } = outgoing(counts, 'k', 1, 10);
    expect([name, key, value, timestamp]).toEqual(['counts', 'k', 1, 10]);
  });
});
