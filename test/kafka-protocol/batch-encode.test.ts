import type { MillraceError } from '../../src/errors/millrace-error';
import { BatchBuilder, type BatchOptions, type EncodedBatch, PartitionBatches, stamp } from '../../src/kafka/batch-encode';
import { attribute, crcHolds, readBatchHeader } from '../../src/kafka/record-batch';
import { naiveBatch } from './naive-batch';
import { readAll, SOURCE } from './read-all';

const PLAIN: BatchOptions = { compression: 'none', transactional: false };
const HEADER = 61;

const stamped = (batch: EncodedBatch): Buffer => {
  stamp(batch, 9n, 2, 40);
  return batch.bytes;
};

function errorOf(write: () => unknown): MillraceError {
  try {
    write();
  } catch (error) {
    return error as MillraceError;
  }
  throw new Error('was written');
}

describe('BatchBuilder', () => {
  it('writes the bytes the format asks for', () => {
    const builder = new BatchBuilder();
    builder.append(1000, 'key', Buffer.from([0, 255]));
    builder.append(990, null, 'grüße', [
      ['a', Buffer.from('1')],
      ['a', Buffer.from('2')],
    ]);
    builder.append(2 ** 40, '', null);
    const naive = naiveBatch({
      baseOffset: 0,
      records: [
        { offset: 0, timestamp: 1000, key: Buffer.from('key'), value: Buffer.from([0, 255]) },
        {
          offset: 1,
          timestamp: 990,
          key: null,
          value: Buffer.from('grüße'),
          headers: [
            ['a', Buffer.from('1')],
            ['a', Buffer.from('2')],
          ],
        },
        { offset: 2, timestamp: 2 ** 40, key: Buffer.alloc(0), value: null },
      ],
    });
    expect(stamped(builder.finish(PLAIN)).subarray(HEADER)).toEqual(naive.subarray(HEADER));
  });

  it('fills the header', () => {
    const builder = new BatchBuilder();
    builder.append(1000, 'a', 'b');
    builder.append(900, 'a', 'b');
    const bytes = stamped(builder.finish({ compression: 'none', transactional: true }));
    expect(readBatchHeader(bytes)).toEqual({
      baseOffset: 0,
      size: bytes.length,
      leaderEpoch: -1,
      magic: 2,
      attributes: attribute.transactional,
      lastOffset: 1,
      baseTimestamp: 1000,
      maxTimestamp: 1000,
      producerId: 9n,
      producerEpoch: 2,
      baseSequence: 40,
      recordCount: 2,
    });
    expect(crcHolds(bytes, 0, bytes.length)).toBe(true);
  });

  it('takes headers as a map', () => {
    const builder = new BatchBuilder();
    builder.append(0, null, null, new Map([['ü', new Uint8Array([1])]]));
    expect(readAll(stamped(builder.finish(PLAIN))).records[0]!.headers).toEqual({ ü: '\x01' });
  });

  it('says before what a record would take', () => {
    const builder = new BatchBuilder();
    for (const value of ['', 'ascii', 'grüße', '日'.repeat(5000), 'x'.repeat(70_000)]) {
      for (const timestamp of [0, 5000, 2 ** 45]) {
        const size = builder.sizeOf(timestamp, 'key', value, [['h', new Uint8Array(200)]]);
        expect(builder.append(timestamp, 'key', value, [['h', new Uint8Array(200)]])).toBe(size);
      }
    }
    expect(readAll(stamped(builder.finish(PLAIN))).records).toHaveLength(15);
  });

  it.each(['ascii', 'grüße'])('writes %s up to the limit exactly, and nothing beyond', (value) => {
    const builder = new BatchBuilder();
    const size = HEADER + builder.sizeOf(0, 'key', value);
    expect(builder.append(0, 'key', value, [], size - 1)).toBe(0);
    expect([builder.count, builder.size]).toEqual([0, HEADER]);
    expect(builder.append(0, 'key', value, [], size)).toBe(size - HEADER);
    expect(stamped(builder.finish(PLAIN))).toHaveLength(size);
  });

  it('writes texts that are ASCII no more, and ASCII again', () => {
    const texts = ['a', 'ü', 'ü', 'b', '🙂'.repeat(40), 'c'.repeat(40), '\ud800', 'd', 'ß'.repeat(3000), 'e'];
    const builder = new BatchBuilder();
    for (const text of texts) builder.append(0, text, text);
    const expected = texts.map((text) => Buffer.from(text).toString('latin1'));
    const { records } = readAll(stamped(builder.finish(PLAIN)));
    expect(records.map(({ key }) => key)).toEqual(expected);
    expect(records.map(({ value }) => value)).toEqual(expected);
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])('refuses the timestamp %d, and has not changed', (timestamp) => {
    const builder = new BatchBuilder();
    expect(errorOf(() => builder.append(timestamp, null, null)).code).toBe('INVALID_TIMESTAMP');
    expect([builder.count, builder.size]).toEqual([0, HEADER]);
  });

  it('holds timestamps as far apart as they can be', () => {
    const far = [0, Number.MAX_SAFE_INTEGER, 2 ** 52, 2 ** 52 - 1, 1];
    const upwards = new BatchBuilder();
    const downwards = new BatchBuilder();
    for (const timestamp of far) upwards.append(timestamp, null, null);
    for (const timestamp of [Number.MAX_SAFE_INTEGER, ...far]) downwards.append(timestamp, null, null);
    expect(readAll(stamped(upwards.finish(PLAIN))).records.map(({ timestamp }) => timestamp)).toEqual(far);
    expect(readAll(stamped(downwards.finish(PLAIN))).records.map(({ timestamp }) => timestamp)).toEqual([Number.MAX_SAFE_INTEGER, ...far]);
  });

  it('takes back what came after a mark, the maximum timestamp included', () => {
    const builder = new BatchBuilder();
    builder.append(5, 'a', '1');
    const mark = builder.mark();
    builder.append(9, 'b', 'x'.repeat(5000));
    builder.truncate(mark);
    builder.append(6, 'c', '3');
    const bytes = stamped(builder.finish(PLAIN));
    expect(readAll(bytes).records).toMatchObject([
      { offset: 0, key: 'a' },
      { offset: 1, key: 'c', timestamp: 6 },
    ]);
    expect(readBatchHeader(bytes).maxTimestamp).toBe(6);
  });

  it('begins with a new base timestamp when all was taken back', () => {
    const builder = new BatchBuilder();
    const mark = builder.mark();
    builder.append(5, 'a', '1');
    builder.truncate(mark);
    builder.append(1000, 'b', '2');
    expect(readBatchHeader(stamped(builder.finish(PLAIN)))).toMatchObject({ baseTimestamp: 1000, maxTimestamp: 1000, recordCount: 1 });
  });

  it.each(['gzip', 'lz4'] as const)('packs with %s', (compression) => {
    const builder = new BatchBuilder();
    for (let i = 0; i < 1000; i++) builder.append(i, `key-${i}`, 'the same value again');
    const plain = builder.size;
    const bytes = stamped(builder.finish({ compression, transactional: true }));
    expect(bytes.length).toBeLessThan(plain / 2);
    expect(readBatchHeader(bytes).attributes & attribute.compression).toBe(compression === 'gzip' ? 1 : 3);
    expect(readAll(bytes).records).toHaveLength(1000);
    expect(readAll(bytes).records[999]).toMatchObject({ offset: 999, timestamp: 999, key: 'key-999' });
  });
});

describe('stamp', () => {
  it('makes the same batch ready for another attempt under another epoch', () => {
    const builder = new BatchBuilder();
    builder.append(0, 'a', 'b');
    const batch = builder.finish(PLAIN);
    stamp(batch, 1n, 0, 100);
    const first = Buffer.from(batch.bytes);
    stamp(batch, 1n, 1, 0);
    expect(readBatchHeader(batch.bytes)).toMatchObject({ producerEpoch: 1, baseSequence: 0 });
    expect(crcHolds(batch.bytes, 0, batch.bytes.length)).toBe(true);
    stamp(batch, 1n, 0, 100);
    expect(batch.bytes).toEqual(first);
  });

  it('can name no producer', () => {
    const builder = new BatchBuilder();
    builder.append(0, 'a', 'b');
    const batch = builder.finish(PLAIN);
    stamp(batch, -1n, -1, -1);
    expect(readBatchHeader(batch.bytes)).toMatchObject({ producerId: -1n, producerEpoch: -1, baseSequence: -1 });
  });
});

describe('PartitionBatches', () => {
  const keysOf = (batches: readonly EncodedBatch[]): (string | null)[][] =>
    batches.map((batch) => readAll(stamped(batch)).records.map(({ key }) => key));

  it('begins another batch before one would exceed the limit', () => {
    const batches = new PartitionBatches(SOURCE, { maxBytes: 200 });
    for (let i = 0; i < 100; i++) batches.append(i, `key-${i}`, 'value');
    expect(batches.recordCount).toBe(100);
    const bytes = batches.bytes;
    const drained = batches.drain(PLAIN);
    expect(drained.every((batch) => batch.bytes.length <= 200)).toBe(true);
    expect(drained.slice(0, -1).every((batch) => batch.bytes.length + 18 > 200)).toBe(true); // a record takes 17 or 18
    expect(drained.reduce((sum, batch) => sum + batch.bytes.length, 0)).toBe(bytes);
    expect(keysOf(drained).flat()).toEqual(Array.from({ length: 100 }, (_, i) => `key-${i}`));
  });

  it('is empty after it was drained, and serves again', () => {
    const batches = new PartitionBatches(SOURCE, { maxBytes: 1000 });
    expect([batches.isEmpty, batches.drain(PLAIN)]).toEqual([true, []]);
    batches.append(0, 'a', null);
    expect([batches.isEmpty, batches.drain(PLAIN).length, batches.isEmpty, batches.bytes]).toEqual([false, 1, true, 0]);
    batches.append(0, 'b', null);
    expect(keysOf(batches.drain(PLAIN))).toEqual([['b']]);
  });

  it('names a record that no batch can hold, and has not changed', () => {
    const batches = new PartitionBatches(SOURCE, { maxBytes: 200 });
    batches.append(0, 'a', 'small');
    const { bytes } = batches;
    const error = errorOf(() => batches.append(0, 'b', 'x'.repeat(200)));
    expect(error).toMatchObject({ code: 'RECORD_TOO_LARGE', retryable: false, where: SOURCE });
    expect(error.message).toContain('a record for clicks takes 271 bytes, the topic allows 200');
    expect([batches.recordCount, batches.bytes]).toEqual([1, bytes]);
    batches.append(0, 'c', 'small');
    expect(keysOf(batches.drain(PLAIN))).toEqual([['a', 'c']]);
  });

  it('holds a record of exactly the size that is allowed', () => {
    const size = 61 + new BatchBuilder().sizeOf(0, 'a', 'x'.repeat(100));
    const batches = new PartitionBatches(SOURCE, { maxBytes: size });
    batches.append(0, 'a', 'x'.repeat(100));
    expect(batches.drain(PLAIN)[0]!.bytes).toHaveLength(size);
    const smaller = new PartitionBatches(SOURCE, { maxBytes: size - 1 });
    expect(errorOf(() => smaller.append(0, 'a', 'x'.repeat(100))).message).toContain(`takes ${size} bytes`);
  });

  it('takes back what came after a mark, over several batches', () => {
    const batches = new PartitionBatches(SOURCE, { maxBytes: 200 });
    for (let i = 0; i < 5; i++) batches.append(i, `kept-${i}`, 'value');
    const mark = batches.mark();
    const before = [batches.recordCount, batches.bytes];
    for (let i = 0; i < 50; i++) batches.append(i, `undone-${i}`, 'value');
    batches.truncate(mark);
    expect([batches.recordCount, batches.bytes]).toEqual(before);
    batches.append(9, 'after', 'value');
    expect(keysOf(batches.drain(PLAIN)).flat()).toEqual(['kept-0', 'kept-1', 'kept-2', 'kept-3', 'kept-4', 'after']);
  });

  it('takes everything back', () => {
    const batches = new PartitionBatches(SOURCE, { maxBytes: 200 });
    const mark = batches.mark();
    for (let i = 0; i < 50; i++) batches.append(i, `undone-${i}`, 'value');
    batches.truncate(mark);
    expect([batches.isEmpty, batches.bytes, batches.drain(PLAIN)]).toEqual([true, 0, []]);
  });

  it('can make a batch of each record', () => {
    const batches = new PartitionBatches(SOURCE, { maxBytes: 10_000, maxRecords: 1 });
    for (const key of ['a', 'b', 'c']) batches.append(0, key, null);
    expect(keysOf(batches.drain(PLAIN))).toEqual([['a'], ['b'], ['c']]);
  });
});
