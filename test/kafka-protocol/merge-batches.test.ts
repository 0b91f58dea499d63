import fc from 'fast-check';
import { BatchReader } from '../../src/kafka/batch-decode';
import { PartitionBatches, type EncodedBatch } from '../../src/kafka/batch-encode';
import { mergeByTime } from '../../src/kafka/merge-batches';

const at = { topic: 'through', partition: 0 };
const plain = { compression: 'none', transactional: true } as const;

interface Written {
  readonly time: number;
  readonly key: string;
}

function write(records: readonly Written[], maxBytes = 200): EncodedBatch[] {
  const batches = new PartitionBatches(at, { maxBytes });
  for (const { time, key } of records) batches.append(time, key, null);
  return batches.drain(plain);
}

function read(batches: readonly EncodedBatch[]): Written[] {
  const reader = new BatchReader(at, { checkCrc: false });
  const found: Written[] = [];
  for (const { bytes } of batches) {
    reader.reset(bytes, { aborted: [], from: 0, readCommitted: false });
    while (reader.nextRecord()) found.push({ time: reader.timestamp, key: reader.buffer.toString('utf8', reader.keyStart, reader.keyEnd) });
  }
  return found;
}

describe('merging what several tasks write to one partition', () => {
  it('puts the older record first', () => {
    const merged = mergeByTime(
      at,
      [
        write([
          { time: 1, key: 'a' },
          { time: 9, key: 'b' },
        ]),
        write([{ time: 5, key: 'c' }]),
      ],
      { maxBytes: 200 },
      plain,
    );
    expect(read(merged).map(({ key }) => key)).toEqual(['a', 'c', 'b']);
  });

  it('keeps headers', () => {
    const batches = new PartitionBatches(at, { maxBytes: 1_000 });
    batches.append(1, 'a', 'v', new Map([['trace', Buffer.from('x')]]));
    const [merged] = mergeByTime(at, [batches.drain(plain), write([{ time: 0, key: 'b' }])], { maxBytes: 1_000 }, plain);
    expect(merged?.bytes.includes(Buffer.from('trace'))).toBe(true);
  });

  it('loses and doubles nothing, keeps each writer’s order, and is in time order when each writer is', () => {
    const writer = fc.array(fc.record({ time: fc.nat(100), key: fc.string({ maxLength: 5, unit: 'grapheme-ascii' }) }), { maxLength: 30 });
    fc.assert(
      fc.property(fc.array(writer, { minLength: 1, maxLength: 4 }), fc.boolean(), (writers, sorted) => {
        const named = writers.map((records, number) =>
          (sorted ? [...records].sort((a, b) => a.time - b.time) : records).map(({ time, key }) => ({
            time,
            key: `${String(number)}${key}`,
          })),
        );
        const found = read(
          mergeByTime(
            at,
            named.map((records) => write(records)),
            { maxBytes: 200 },
            plain,
          ),
        );
        for (const [number, records] of named.entries()) expect(found.filter(({ key }) => key.startsWith(String(number)))).toEqual(records);
        expect(found).toHaveLength(named.flat().length);
        if (sorted) expect(found.map(({ time }) => time)).toEqual(found.map(({ time }) => time).sort((a, b) => a - b));
      }),
    );
  });
});
