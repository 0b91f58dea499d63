import { BatchReader, positionAfter } from '../../src/kafka/batch-decode';
import { readBatchHeader } from '../../src/kafka/record-batch';
import recordSets from './jvm-record-sets.json';
import { readAll, type ReadRecord, SOURCE } from './read-all';

// What RecordSets.java has put into each set.
const BASE = 1_700_000_000_000;
const utf8 = (text: string): string => Buffer.from(text).toString('latin1');
const EXPECTED: readonly ReadRecord[] = [
  { offset: 100, timestamp: BASE, key: null, value: 'no key', headers: {} },
  { offset: 101, timestamp: BASE - 5, key: 'tombstone', value: null, headers: {} },
  { offset: 102, timestamp: BASE + 86_400_000 * 365 * 50, key: '', value: '', headers: {} },
  { offset: 103, timestamp: 0, key: utf8('grüße'), value: utf8('日本語 🙂'), headers: { a: '2', null: '', '': 'empty name' } },
  ...Array.from({ length: 26 }, (_, i) => ({
    offset: 104 + i,
    timestamp: BASE + 4 + i,
    key: `key-${4 + i}`,
    value: `${'v'.repeat(100)}${4 + i}`,
    headers: {},
  })),
];

const bytesOf = (name: keyof typeof recordSets): Buffer => Buffer.from(recordSets[name], 'base64');

describe("record sets written by Kafka's own classes", () => {
  it.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('codec %s', (codec) => {
    expect(readAll(bytesOf(codec))).toEqual({ records: EXPECTED, nextOffset: 130 });
  });

  it('log-append time', () => {
    const expected = EXPECTED.map((record) => ({ ...record, timestamp: BASE + 77 }));
    expect(readAll(bytesOf('logAppendTime'))).toEqual({ records: expected, nextOffset: 130 });
  });

  it('a delete horizon in the place of the base timestamp (KIP-534)', () => {
    expect(readAll(bytesOf('deleteHorizon')).records).toMatchObject([
      { timestamp: BASE, key: 'a', value: '1' },
      { timestamp: BASE + 1, key: 'b', value: null },
    ]);
  });

  it('an empty batch that compaction has left', () => {
    expect(readAll(bytesOf('empty'))).toEqual({ records: [], nextOffset: 10 });
    expect(positionAfter(bytesOf('empty'), 5)).toBe(10);
  });

  it('an abort marker ends what is hidden, a commit marker does not', () => {
    const aborted = [{ producerId: 7n, firstOffset: 5 }];
    const hiddenAfter = (marker: Buffer): boolean => {
      const after = Buffer.from(marker);
      // The same producer's next batch: the marker itself as data, so that the JVM's bytes are all there is.
      after.writeBigInt64BE(21n, 0);
      after.writeInt16BE(0x10, 21);
      const reader = new BatchReader(SOURCE, { checkCrc: false });
      reader.reset(Buffer.concat([marker, after]), { aborted, from: 20, readCommitted: true });
      return !reader.nextRecord();
    };
    expect([hiddenAfter(bytesOf('abortMarker')), hiddenAfter(bytesOf('commitMarker'))]).toEqual([false, true]);
  });

  it('headers', () => {
    const bytes = bytesOf('none');
    expect(readBatchHeader(bytes)).toEqual({
      baseOffset: 100,
      size: bytes.length,
      leaderEpoch: 5,
      magic: 2,
      attributes: 0,
      lastOffset: 129,
      baseTimestamp: BASE,
      maxTimestamp: BASE + 86_400_000 * 365 * 50,
      producerId: 4242n,
      producerEpoch: 3,
      baseSequence: 17,
      recordCount: 30,
    });
  });
});
