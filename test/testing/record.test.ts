import { isDeepStrictEqual } from 'node:util';
import { int64, string } from '../../src/codec/primitives';
import { topic } from '../../src/codec/topic';
import { noOrigin } from '../../src/model/origin';
import { Outgoing } from '../../src/model/outgoing';
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

  it('equals one that a broker delivered', () => {
    const delivered = KafkaRecord.of('k', 1, 10, { ...noOrigin, topic: 'input', partition: 3, offset: 7 });
    expect(delivered).toEqual(record('k', 1, 10));
    expect(delivered.origin.offset).toBe(7);
  });
});

describe('outgoing', () => {
  it('is what a topology emits for the topic', () => {
    const counts = topic('counts', { key: string, value: int64 });
    const { topic: name, key, value, timestamp } = outgoing(counts, 'k', 1, 10);
    expect([name, key, value, timestamp]).toEqual(['counts', 'k', 1, 10]);
  });

  it('equals what comes out of a topology, wherever that came from', () => {
    const declaredHere = topic('counts', { key: string, value: int64 });
    const declaredThere = topic('counts', { key: string, value: int64 });
    const made = Outgoing.of(declaredThere, 'k', 1, 10, { ...noOrigin, topic: 'input', partition: 3, offset: 7 });
    expect(made).toEqual(outgoing(declaredHere, 'k', 1, 10));
    expect(isDeepStrictEqual(made, outgoing(declaredHere, 'k', 1, 10))).toBe(true);
    expect(made).not.toEqual(outgoing(declaredHere, 'k', 1, 11));
    expect(made).not.toEqual(outgoing(topic('other', declaredHere), 'k', 1, 10));
  });

  it('shows the headers of the record it was made from', () => {
    const { headers } = record('k', 1, 10, { trace: 'abc' });
    const made = Outgoing.of(topic('counts', { key: string, value: int64 }), 'k', 1, 10, { ...noOrigin, headers });
    expect(made.headers).toBe(headers);
  });
});
