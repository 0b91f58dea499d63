import * as fc from 'fast-check';
import { MillraceError } from '../../src/errors/millrace-error';
import { BatchBuilder, type BatchesMark, type EncodedBatch, PartitionBatches, stamp } from '../../src/kafka/batch-encode';
import { crcHolds } from '../../src/kafka/record-batch';
import { type NaiveRecord, naiveBatch } from '../kafka-protocol/naive-batch';
import { readAll, type ReadRecord, SOURCE } from '../kafka-protocol/read-all';
import { anyText } from './any-text';
import { decodedByKafkajs, encodedByKafkajs } from './kafkajs-record-batch';

interface GivenRecord {
  readonly timestamp: number;
  readonly key: string | Uint8Array | null;
  readonly value: string | Uint8Array | null;
  readonly headers: readonly (readonly [string, Uint8Array])[];
}

const binary = fc.uint8Array({ maxLength: 300 });
/** Not the names every object has: kafkajs collects headers in plain objects. */
const anyName = anyText().filter((name) => !(name in {}));
const headerName = fc.oneof(fc.constantFrom('a', 'b'), anyName);
const field = fc.option(fc.oneof(fc.string({ maxLength: 100 }), anyText({ maxLength: 100 }), binary), { freq: 8 });

/** Everyday times, which may decrease, and any others. */
const timestamp = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: 1_700_000_000_000, max: 1_700_000_100_000 }) },
  { weight: 1, arbitrary: fc.maxSafeNat() },
);

const given: fc.Arbitrary<GivenRecord> = fc.record({
  timestamp,
  key: field,
  value: field,
  headers: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(fc.tuple(headerName, binary)) }),
});

const latin1 = (bytes: string | Uint8Array): string => Buffer.from(bytes as string).toString('latin1');
const latin1OrNull = (bytes: string | Uint8Array | null): string | null => (bytes === null ? null : latin1(bytes));

const expected = (records: readonly GivenRecord[], base = 0): ReadRecord[] =>
  records.map((record, i) => ({
    offset: base + i,
    timestamp: record.timestamp,
    key: latin1OrNull(record.key),
    value: latin1OrNull(record.value),
    headers: Object.fromEntries(record.headers.map(([name, value]) => [name, latin1(value)])),
  }));

function stamped(batch: EncodedBatch): Buffer {
  stamp(batch, 5n, 1, 70);
  expect(crcHolds(batch.bytes, 0, batch.bytes.length)).toBe(true);
  return batch.bytes;
}

function built(records: readonly GivenRecord[]): BatchBuilder {
  const builder = new BatchBuilder(61);
  for (const { timestamp, key, value, headers } of records) builder.append(timestamp, key, value, headers);
  return builder;
}

describe('record batches', () => {
  it.each(['none', 'gzip', 'lz4'] as const)('what is written with codec %s is read', (compression) => {
    fc.assert(
      fc.property(fc.array(given, { minLength: 1, maxLength: 60 }), fc.boolean(), (records, transactional) => {
        const bytes = stamped(built(records).finish({ compression, transactional }));
        expect(readAll(bytes)).toEqual({ records: expected(records), nextOffset: records.length });
      }),
    );
  });

  it('are byte for byte those of a plain writer', () => {
    fc.assert(
      fc.property(fc.array(given, { minLength: 1 }), (records) => {
        const bytes = stamped(built(records).finish({ compression: 'none', transactional: false }));
        const naive = naiveBatch({ baseOffset: 0, records: naiveRecords(records) });
        expect(bytes.subarray(61)).toEqual(naive.subarray(61));
      }),
    );
  });

  it('kafkajs reads what we write', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(given, { minLength: 1 }),
        fc.constantFrom('none' as const, 'gzip' as const),
        async (records, compression) => {
          const bytes = stamped(built(records).finish({ compression, transactional: true }));
          const decoded = await decodedByKafkajs(bytes);
          expect(decoded).toMatchObject({ producerId: '5', producerEpoch: 1, firstSequence: 70, inTransaction: true });
          expect(decoded.maxTimestamp).toBe(String(Math.max(...records.map((record) => record.timestamp))));
          expect(
            decoded.records.map((record) => ({
              offset: Number(record.offset),
              timestamp: Number(record.timestamp),
              key: record.key === null ? null : latin1(record.key),
              value: record.value === null ? null : latin1(record.value),
              headers: Object.fromEntries(
                Object.entries(record.headers).map(([name, value]) => [name, latin1(Array.isArray(value) ? value.at(-1)! : value)]),
              ),
            })),
          ).toEqual(expected(records));
        },
      ),
    );
  });

  it('we read what kafkajs writes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(given, { minLength: 1 }), fc.constantFrom(0, 1), async (records, compression) => {
        const firstTimestamp = records[0]!.timestamp;
        const bytes = await encodedByKafkajs(
          {
            compression,
            firstTimestamp,
            maxTimestamp: firstTimestamp,
            lastOffsetDelta: records.length - 1,
            transactional: false,
            producerId: 5,
            producerEpoch: 0,
            firstSequence: 0,
          },
          records.map((record, offsetDelta) => ({
            offsetDelta,
            timestampDelta: record.timestamp - firstTimestamp,
            key: record.key === null ? null : Buffer.from(record.key as string),
            value: record.value === null ? null : Buffer.from(record.value as string),
            headers: repeated(record.headers),
          })),
        );
        expect(readAll(bytes).records).toEqual(expected(records));
      }),
    );
  });

  it('with gaps of compaction: records and position', () => {
    const kept = fc.array(fc.tuple(given, fc.boolean()), { minLength: 1 });
    fc.assert(
      fc.property(kept, fc.nat(1000), fc.nat(50), (records, baseOffset, from) => {
        const all = expected(
          records.map(([record]) => record),
          baseOffset,
        );
        const naive = naiveRecords(
          records.map(([record]) => record),
          baseOffset,
        ).filter((_, i) => records[i]![1]);
        const lastOffset = baseOffset + records.length - 1;
        const bytes = naiveBatch({ baseOffset, lastOffset, records: naive });
        expect(readAll(bytes, { from: baseOffset + from })).toEqual({
          records: all.filter((record, i) => records[i]![1] && record.offset >= baseOffset + from),
          nextOffset: Math.max(lastOffset + 1, baseOffset + from),
        });
      }),
    );
  });

  it('with any bytes changed are read, or are a PROTOCOL error: nothing hangs, nothing else is thrown', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(given, { minLength: 1, maxLength: 10 }), fc.array(change, { minLength: 1 }), (records, changes) => {
        const bytes = stamped(built(records).finish({ compression: 'none', transactional: true }));
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        // A count of records beyond what can be there would only take time.
        bytes.writeInt32BE(records.length, 57);
        try {
          readAll(bytes, {}, { checkCrc: false });
        } catch (error) {
          expect(error).toBeInstanceOf(MillraceError);
          expect(['PROTOCOL', 'UNSUPPORTED_COMPRESSION']).toContain((error as MillraceError).code);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

/** Headers of one name become an array, which kafkajs writes one after the other. */
function repeated(headers: GivenRecord['headers']): Record<string, Buffer[]> {
  const byName: Record<string, Buffer[]> = {};
  for (const [name, value] of headers) (byName[name] ??= []).push(Buffer.from(value));
  return byName;
}

function naiveRecords(records: readonly GivenRecord[], base = 0): NaiveRecord[] {
  return records.map((record, i) => ({
    offset: base + i,
    timestamp: record.timestamp,
    key: record.key === null ? null : Buffer.from(record.key as string),
    value: record.value === null ? null : Buffer.from(record.value as string),
    headers: record.headers,
  }));
}

describe('PartitionBatches', () => {
  type Step = { readonly append: GivenRecord } | 'mark' | 'truncate';
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 8, arbitrary: given.map((append) => ({ append })) },
    { weight: 1, arbitrary: fc.constant('mark' as const) },
    { weight: 1, arbitrary: fc.constant('truncate' as const) },
  );

  it('holds what was appended and not taken back, in order, in batches within the limit', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 100, max: 2000 }), (steps, maxBytes) => {
        const batches = new PartitionBatches(SOURCE, { maxBytes });
        const model: GivenRecord[] = [];
        let mark: BatchesMark = batches.mark();
        let markedLength = 0;
        for (const one of steps) {
          if (one === 'mark') {
            mark = batches.mark();
            markedLength = model.length;
          } else if (one === 'truncate') {
            batches.truncate(mark);
            model.length = markedLength;
          } else if (appended(batches, one.append)) {
            model.push(one.append);
          }
          expect(batches.recordCount).toBe(model.length);
        }
        const { bytes } = batches;
        const drained = batches.drain({ compression: 'none', transactional: true }).map(stamped);
        expect(drained.reduce((sum, batch) => sum + batch.length, 0)).toBe(bytes);
        expect(drained.every((batch) => batch.length <= maxBytes)).toBe(true);
        const read = drained.flatMap((batch) => readAll(batch).records).map((record, offset) => ({ ...record, offset }));
        expect(read).toEqual(expected(model));
      }),
    );
  });

  /** False for a record that no batch can hold. */
  function appended(batches: PartitionBatches, { timestamp, key, value, headers }: GivenRecord): boolean {
    try {
      batches.append(timestamp, key, value, headers);
      return true;
    } catch (error) {
      expect((error as MillraceError).code).toBe('RECORD_TOO_LARGE');
      expect(built([{ timestamp, key, value, headers }]).size).toBeGreaterThan(100);
      return false;
    }
  }
});
