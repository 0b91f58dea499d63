import { gzipSync } from 'node:zlib';
import { BatchReader, InputRecord, positionAfter } from '../../src/kafka/batch-decode';
import { BatchBuilder, stamp } from '../../src/kafka/batch-encode';
import type { MillraceError } from '../../src/errors/millrace-error';
import { type NaiveRecord, naiveBatch, naiveMarker } from './naive-batch';
import { currentRecord, readAll, SOURCE } from './read-all';

const record = (offset: number, key: string | null = `k${offset}`): NaiveRecord => ({
  offset,
  timestamp: 1000 + offset,
  key: key === null ? null : Buffer.from(key),
  value: Buffer.from(`v${offset}`),
});

const batchOf = (...offsets: number[]): Buffer => naiveBatch({ baseOffset: offsets[0]!, records: offsets.map((offset) => record(offset)) });

const transactional = (producerId: bigint, ...offsets: number[]): Buffer =>
  naiveBatch({ baseOffset: offsets[0]!, records: offsets.map((offset) => record(offset)), producerId, transactional: true });

const offsetsOf = ({ records }: { records: { offset: number }[] }): number[] => records.map(({ offset }) => offset);

function errorOf(read: () => unknown): MillraceError {
  try {
    read();
  } catch (error) {
    return error as MillraceError;
  }
  throw new Error('was read');
}

describe('BatchReader', () => {
  it('gives offset, timestamp, key, value and headers of each record', () => {
    const headers = [
      ['a', Buffer.from('1')],
      ['b', null],
    ] as const;
    const records = [
      { ...record(5), headers },
      { offset: 6, timestamp: 3, key: null, value: null },
      { offset: 7, timestamp: 5, key: Buffer.alloc(0), value: Buffer.alloc(0) },
    ];
    expect(readAll(naiveBatch({ baseOffset: 5, records }))).toEqual({
      records: [
        { offset: 5, timestamp: 1005, key: 'k5', value: 'v5', headers: { a: '1', b: '' } },
        { offset: 6, timestamp: 3, key: null, value: null, headers: {} },
        { offset: 7, timestamp: 5, key: '', value: '', headers: {} },
      ],
      nextOffset: 8,
    });
  });

  it('of two headers with one name keeps the last', () => {
    const headers = [
      ['trace', Buffer.from('1')],
      ['trace', Buffer.from('2')],
    ] as const;
    expect(readAll(naiveBatch({ baseOffset: 0, records: [{ ...record(0), headers }] })).records[0]!.headers).toEqual({ trace: '2' });
  });

  it('passes over records below the position asked for, in one batch and in whole ones', () => {
    const set = Buffer.concat([batchOf(0, 1), batchOf(2, 3, 4)]);
    expect(offsetsOf(readAll(set, { from: 3 }))).toEqual([3, 4]);
  });

  it('stops at a batch that is cut off, wherever it is cut', () => {
    const set = Buffer.concat([batchOf(0, 1), batchOf(2, 3)]);
    const first = batchOf(0, 1).length;
    for (let length = first; length < set.length; length++) {
      expect(readAll(set.subarray(0, length))).toMatchObject({ records: [{ offset: 0 }, { offset: 1 }], nextOffset: 2 });
    }
  });

  it('passes over what stands in a record behind the headers', () => {
    const plain = batchOf(0, 1);
    const longer = Buffer.concat([plain.subarray(0, 61), extended(plain.subarray(61))]);
    longer.writeInt32BE(longer.length - 12, 8);
    expect(offsetsOf(readAll(longer, {}, { checkCrc: false }))).toEqual([0, 1]);
  });

  it('gives the maximum timestamp to every record under log-append time', () => {
    const set = naiveBatch({ baseOffset: 0, records: [record(0), record(1)], logAppendTime: true, maxTimestamp: 9999 });
    expect(readAll(set).records.map(({ timestamp }) => timestamp)).toEqual([9999, 9999]);
  });

  it('has an empty record set', () => {
    expect(readAll(Buffer.alloc(0), { from: 12 })).toEqual({ records: [], nextOffset: 12 });
  });

  it('reads 200,000 records of one batch (K19)', () => {
    const builder = new BatchBuilder();
    for (let i = 0; i < 200_000; i++) builder.append(7, null, null);
    const batch = builder.finish({ compression: 'none', transactional: false });
    stamp(batch, -1n, -1, -1);
    const reader = new BatchReader(SOURCE);
    reader.reset(batch.bytes, { aborted: [], from: 0, readCommitted: true });
    let count = 0;
    while (reader.nextRecord()) count++;
    expect([count, reader.offset, reader.nextOffset]).toEqual([200_000, 199_999, 200_000]);
  });
});

/** Each record with two more bytes at its end; lengths stay below 64, where a varint is one byte. */
function extended(records: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < records.length;) {
    const length = records[at]! >> 1;
    parts.push(Buffer.from([(length + 2) << 1]), records.subarray(at + 1, at + 1 + length), Buffer.from([1, 2]));
    at += 1 + length;
  }
  return Buffer.concat(parts);
}

describe('BatchReader.peek', () => {
  it('shows the next record and does not read it', () => {
    const reader = new BatchReader(SOURCE);
    reader.reset(batchOf(4, 5), { aborted: [], from: 4, readCommitted: true });
    expect([reader.peek(), reader.peek(), reader.timestamp, reader.nextOffset]).toEqual([true, true, 1004, 4]);
    expect([reader.nextRecord(), reader.offset, reader.nextOffset]).toEqual([true, 4, 5]);
    expect([reader.nextRecord(), currentRecord(reader).key]).toEqual([true, 'k5']);
    expect([reader.peek(), reader.nextRecord(), reader.nextOffset]).toEqual([false, false, 6]);
  });

  it('counts what is passed over before the record it shows', () => {
    const set = Buffer.concat([naiveMarker(4, 1n, 'commit'), batchOf(5)]);
    const reader = new BatchReader(SOURCE);
    reader.reset(set, { aborted: [], from: 4, readCommitted: true });
    expect([reader.peek(), reader.nextOffset]).toEqual([true, 5]);
  });

  it('is forgotten by reset', () => {
    const reader = new BatchReader(SOURCE);
    reader.reset(batchOf(4, 5), { aborted: [], from: 4, readCommitted: true });
    reader.peek();
    reader.reset(batchOf(9), { aborted: [], from: 9, readCommitted: true });
    expect([reader.nextRecord(), reader.offset]).toEqual([true, 9]);
  });
});

describe('positions', () => {
  it('pass control batches (K10)', () => {
    expect(readAll(Buffer.concat([batchOf(0), naiveMarker(1, 1n, 'abort'), naiveMarker(2, 1n, 'commit')]))).toMatchObject({
      records: [{ offset: 0 }],
      nextOffset: 3,
    });
  });

  it('pass batches that compaction has emptied, and missing tails (K11)', () => {
    const empty = naiveBatch({ baseOffset: 5, lastOffset: 9, records: [] });
    const tail = naiveBatch({ baseOffset: 10, lastOffset: 19, records: [record(12)] });
    expect(readAll(empty)).toEqual({ records: [], nextOffset: 10 });
    expect(readAll(Buffer.concat([empty, tail]))).toMatchObject({ records: [{ offset: 12 }], nextOffset: 20 });
  });

  it('never go back when a batch begins before the position asked for', () => {
    expect(readAll(batchOf(0, 1, 2), { from: 40 })).toEqual({ records: [], nextOffset: 40 });
  });

  it('are known from the headers alone', () => {
    const empty = naiveBatch({ baseOffset: 3, lastOffset: 9, records: [] });
    const set = Buffer.concat([batchOf(0, 1, 2), empty, naiveMarker(10, 1n, 'commit')]);
    expect(positionAfter(set, 0)).toBe(11);
    expect(positionAfter(set.subarray(0, set.length - 1), 0)).toBe(10);
    expect(positionAfter(set, 50)).toBe(50);
    expect(positionAfter(Buffer.alloc(0), 7)).toBe(7);
  });
});

describe('reading committed', () => {
  const overlapping = Buffer.concat([
    transactional(1n, 0, 1), // aborted at 6
    transactional(2n, 2, 3), // aborted at 8
    transactional(3n, 4), // committed at 7
    batchOf(5),
    naiveMarker(6, 1n, 'abort'),
    naiveMarker(7, 3n, 'commit'),
    naiveMarker(8, 2n, 'abort'),
    transactional(1n, 9), // committed at 10
    naiveMarker(10, 1n, 'commit'),
  ]);
  /** As a broker gives them: in the order of their markers, not of their beginnings. */
  const aborted = [
    { producerId: 2n, firstOffset: 2 },
    { producerId: 1n, firstOffset: 0 },
  ];

  it('leaves out overlapping aborted transactions, from every start (K8)', () => {
    for (let from = 0; from <= 11; from++) {
      const result = readAll(overlapping, { aborted, from });
      expect(offsetsOf(result)).toEqual([4, 5, 9].filter((offset) => offset >= from));
      expect(result.nextOffset).toBe(11);
    }
  });

  it('begins inside two aborted transactions (K8)', () => {
    const inside = Buffer.concat([transactional(2n, 3), naiveMarker(4, 1n, 'abort'), naiveMarker(5, 2n, 'abort'), transactional(2n, 6)]);
    expect(offsetsOf(readAll(inside, { aborted, from: 3 }))).toEqual([6]);
  });

  it('gives everything but control batches when uncommitted reads are asked for', () => {
    expect(offsetsOf(readAll(overlapping, { aborted, readCommitted: false }))).toEqual([0, 1, 2, 3, 4, 5, 9]);
  });

  it('is not misled by a data key of four zero bytes, which looks like a marker (K9)', () => {
    const zeros = naiveBatch({
      baseOffset: 0,
      records: [{ ...record(0), key: Buffer.alloc(4) }, record(1)],
      producerId: 1n,
      transactional: true,
    });
    const set = Buffer.concat([zeros, transactional(1n, 2), naiveMarker(3, 1n, 'abort')]);
    expect(readAll(set, { aborted: [{ producerId: 1n, firstOffset: 0 }] })).toEqual({ records: [], nextOffset: 4 });
  });

  it('goes on behind an abort marker (K10)', () => {
    const set = Buffer.concat([transactional(1n, 0), naiveMarker(1, 1n, 'abort'), batchOf(2, 3)]);
    expect(readAll(set, { aborted: [{ producerId: 1n, firstOffset: 0 }] })).toMatchObject({
      records: [{ offset: 2 }, { offset: 3 }],
      nextOffset: 4,
    });
  });

  it('ends no transaction at a marker that compaction has emptied, or at one of another kind', () => {
    const emptied = naiveBatch({ baseOffset: 1, records: [], producerId: 1n, transactional: true, control: true });
    const leaderChange = naiveBatch({
      baseOffset: 2,
      records: [{ offset: 2, timestamp: 0, key: Buffer.from([0, 0, 0, 2]), value: null }],
      control: true,
    });
    const set = Buffer.concat([transactional(1n, 0), emptied, leaderChange, transactional(1n, 3), naiveMarker(4, 1n, 'abort')]);
    expect(offsetsOf(readAll(set, { aborted: [{ producerId: 1n, firstOffset: 0 }] }))).toEqual([]);
  });

  it('forgets, with each record set, which transactions were aborted in the one before', () => {
    const reader = new BatchReader(SOURCE);
    reader.reset(transactional(1n, 0), { aborted: [{ producerId: 1n, firstOffset: 0 }], from: 0, readCommitted: true });
    expect(reader.nextRecord()).toBe(false);
    reader.reset(transactional(1n, 20), { aborted: [{ producerId: 2n, firstOffset: 90 }], from: 20, readCommitted: true });
    expect([reader.nextRecord(), reader.offset]).toEqual([true, 20]);
  });

  it('leaves records outside transactions alone, whoever wrote them', () => {
    const idempotent = naiveBatch({ baseOffset: 1, records: [record(1)], producerId: 1n });
    const set = Buffer.concat([transactional(1n, 0), idempotent, naiveMarker(2, 1n, 'abort')]);
    expect(offsetsOf(readAll(set, { aborted: [{ producerId: 1n, firstOffset: 0 }] }))).toEqual([1]);
  });
});

describe('what cannot be read', () => {
  it('a flipped bit: says where, and that fetching again may help', () => {
    const set = Buffer.concat([batchOf(0, 1), batchOf(2, 3)]);
    set[set.length - 1]! ^= 1;
    const error = errorOf(() => readAll(set));
    expect(error).toMatchObject({ code: 'PROTOCOL', retryable: true, where: { topic: 'clicks', partition: 3, offset: 2 } });
    expect(error.message).toContain('the batch at offset 2 of clicks-3 is corrupt: its CRC-32C does not hold');
  });

  it('keeps the records before it, and fails again when asked again', () => {
    const set = Buffer.concat([batchOf(0, 1), batchOf(2, 3)]);
    set[set.length - 1]! ^= 1;
    const reader = new BatchReader(SOURCE);
    reader.reset(set, { aborted: [], from: 0, readCommitted: true });
    expect([reader.nextRecord(), reader.nextRecord(), reader.nextOffset]).toEqual([true, true, 2]);
    expect(() => reader.nextRecord()).toThrow('PROTOCOL');
    expect(() => reader.nextRecord()).toThrow('PROTOCOL');
    expect(reader.nextOffset).toBe(2);
  });

  it('a bit may flip unseen where the check is turned off', () => {
    const set = batchOf(0);
    set[set.length - 2]! ^= 1;
    expect(readAll(set, {}, { checkCrc: false }).records).toHaveLength(1);
  });

  it('message format v1: says so', () => {
    const set = batchOf(0);
    set[16] = 1;
    const error = errorOf(() => readAll(set));
    expect(error).toMatchObject({ code: 'PROTOCOL', retryable: false, where: { topic: 'clicks', partition: 3, offset: 0 } });
    expect(error.message).toContain('has magic 1, written in the message format of Kafka before 0.11');
  });

  it('a magic of the future: names it', () => {
    const set = batchOf(0);
    set[16] = 3;
    expect(errorOf(() => readAll(set)).message).toContain('magic 3');
  });

  it.each([-1, 0, 48])('a batch that says it has %d bytes: no endless loop', (length) => {
    const set = batchOf(0);
    set.writeInt32BE(length, 8);
    expect(errorOf(() => readAll(set))).toMatchObject({ code: 'PROTOCOL', retryable: true });
  });

  it('a record that leaves its batch, whichever byte lies', () => {
    const set = batchOf(0, 1);
    for (let at = 61; at < set.length; at++) {
      const damaged = Buffer.from(set);
      damaged[at] = 0xff;
      try {
        readAll(damaged, {}, { checkCrc: false });
      } catch (error) {
        expect(error).toMatchObject({ code: 'PROTOCOL' });
      }
    }
    const length = Buffer.from(set);
    length[61] = 0x7e;
    expect(errorOf(() => readAll(length, {}, { checkCrc: false })).message).toContain('leaves its bounds');
  });

  it('records that cannot be unpacked', () => {
    const set = naiveBatch({ baseOffset: 0, records: [record(0)], compression: { bits: 1, pack: () => Buffer.from('no gzip') } });
    expect(errorOf(() => readAll(set))).toMatchObject({ code: 'PROTOCOL', where: { topic: 'clicks', offset: 0 } });
  });

  it('a codec nobody knows', () => {
    const set = naiveBatch({ baseOffset: 0, records: [record(0)], compression: { bits: 5, pack: (bytes) => bytes } });
    expect(errorOf(() => readAll(set)).message).toContain('number 5');
  });
});

describe('InputRecord', () => {
  const headers = [['a', Buffer.from('1')]] as const;
  const set = naiveBatch({
    baseOffset: 7,
    records: [
      { ...record(7), headers },
      { ...record(8, null), value: null },
    ],
  });

  function inputRecords(records: Buffer): InputRecord[] {
    const reader = new BatchReader(SOURCE);
    reader.reset(records, { aborted: [], from: 0, readCommitted: true });
    const read: InputRecord[] = [];
    while (reader.nextRecord()) read.push(new InputRecord(SOURCE, reader));
    return read;
  }

  it('remembers its place when the reader has moved on', () => {
    const [first, second] = inputRecords(set);
    expect(first).toMatchObject({ topic: 'clicks', partition: 3, offset: 7 });
    expect(first!.headers).toEqual(new Map([['a', new Uint8Array([0x31])]]));
    expect([first!.rawKey(), first!.rawValue()]).toEqual([new Uint8Array(Buffer.from('k7')), new Uint8Array(Buffer.from('v7'))]);
    expect([second!.rawKey(), second!.rawValue(), second!.headers.size]).toEqual([null, null, 0]);
  });

  it('gives copies, never the fetched bytes', () => {
    const fetched = Buffer.from(set);
    const [first] = inputRecords(fetched);
    const key = first!.rawKey()!;
    key.fill(0);
    first!.headers.get('a')!.fill(0);
    expect(fetched).toEqual(set);
    expect(first!.rawKey()).not.toEqual(key);
  });

  it('of a compressed batch outlives the next batch', () => {
    const packed = (offset: number): Buffer =>
      naiveBatch({ baseOffset: offset, records: [record(offset)], compression: { bits: 1, pack: (bytes) => gzipSync(bytes) } });
    const [first, second] = inputRecords(Buffer.concat([packed(1), packed(2)]));
    expect(Buffer.from(first!.rawKey()!).toString()).toBe('k1');
    expect(Buffer.from(second!.rawKey()!).toString()).toBe('k2');
  });
});
