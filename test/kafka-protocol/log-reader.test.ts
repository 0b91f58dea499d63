import type { BatchReader } from '../../src/kafka/batch-decode';
import { readLog, type LogToRead } from '../../src/kafka/log-reader';
import { OffsetReader } from '../../src/kafka/offsets';
import { readBatchHeader, writeBatchCrc } from '../../src/kafka/record-batch';
import { silentLogger } from '../../src/model/logger';
import { Simulated } from './simulated';
import { LogWriter } from './written-log';

let world: Simulated;
let writer: LogWriter;
let values: string[];

beforeEach(() => {
  world = new Simulated();
  world.broker.createTopic('changelog', 2);
  writer = new LogWriter(world, 'writer');
  values = [];
});

afterEach(() => {
  world.close();
});

function keep(reader: BatchReader): void {
  while (reader.nextRecord()) values.push(reader.buffer.toString('utf8', reader.valueStart, reader.valueEnd));
}

/** Begins to read; the test lets time pass. */
function begin(log: Partial<LogToRead>): Promise<number> {
  const { port, view, clock } = world;
  const whole: LogToRead = { topic: 'changelog', partition: 0, from: 0, until: 0, lane: 'restore', apply: keep, ...log };
  const reading = readLog({ port, view, clock, logger: silentLogger }, whole);
  reading.catch(() => undefined);
  return reading;
}

function read(log: Partial<LogToRead>): Promise<number> {
  return world.settle(begin(log));
}

async function highWatermark(topic = 'changelog'): Promise<number> {
  const offsets = new OffsetReader(world);
  return (await world.settle(offsets.endOffsets([{ topic, partition: 0 }], false)))[0]!.offset;
}

it('a whole log is read up to its high watermark', async () => {
  await writer.committed('changelog', 0, 'a', 'b');
  await writer.committed('changelog', 0, 'c');
  expect(await read({ until: await highWatermark() })).toBe(5);
  expect(values).toEqual(['a', 'b', 'c']);
});

it('S4: a log that ends in markers and aborted records ends', async () => {
  await writer.committed('changelog', 0, 'a');
  for (let i = 0; i < 3; i++) {
    await writer.write('changelog', 0, 'aborted');
    await writer.end(false);
  }
  const until = await highWatermark();
  expect(until).toBe(8);
  expect(await read({ until })).toBe(8);
  expect(values).toEqual(['a']);
});

it('K11: batches emptied by compaction are passed in one fetch each', async () => {
  for (const value of ['a', 'b', 'c']) await writer.committed('changelog', 0, value);
  const { fetch } = world.port;
  let fetched = 0;
  // What compaction leaves of the second transaction: a batch without records.
  world.port.fetch = async (node, request, lane) => {
    fetched++;
    const answer = await fetch.call(world.port, node, request, lane);
    const partitions = answer.partitions.map((each) => {
      const records = Buffer.from(each.records);
      for (let at = 0; at < records.length; at += 12 + records.readInt32BE(at + 8)) {
        if (records.readBigInt64BE(at) === 2n) records.writeInt32BE(0, at + 57);
      }
      return { ...each, records: withCrcs(records) };
    });
    return { ...answer, partitions };
  };
  expect(await read({ until: 6, maxBytesPerPartition: 90 })).toBe(6);
  expect(values).toEqual(['a', 'c']);
  // Six batches; each fetch gives at least one.
  expect(fetched).toBeLessThanOrEqual(7);
});

describe('a compacted log', () => {
  const COMPACTED = { topic: 'compacted', partition: 0 };

  beforeEach(() => world.broker.createTopic(COMPACTED.topic, 1, { 'cleanup.policy': 'compact', 'delete.retention.ms': '1000' }));

  function compact(): void {
    world.broker.roll(COMPACTED.topic);
    world.broker.compact(COMPACTED.topic);
  }
  const batches = (): string[] =>
    world.broker.partition(COMPACTED)!.batches.map((bytes) => {
      const { baseOffset, lastOffset, recordCount } = readBatchHeader(bytes);
      return `${baseOffset}-${lastOffset}: ${recordCount}`;
    });

  it('K11: is read to its end, in as many fetches as it has batches, though most offsets are gone', async () => {
    for (let i = 0; i < 50; i++) await writer.keyed(COMPACTED.topic, `${i % 2}`, `${i}`);
    compact();
    const until = await highWatermark(COMPACTED.topic);
    expect(until).toBe(100);
    world.heard.length = 0;
    expect(await read({ ...COMPACTED, until, maxBytesPerPartition: 1 })).toBe(100);
    expect(values).toEqual(['48', '49']);
    expect(world.count('fetch')).toBeLessThanOrEqual(batches().length + 1);
  });

  it('S4: ends although its last offset has no record: batches at the end may be empty', async () => {
    await writer.keyed(COMPACTED.topic, 'a', '1');
    await writer.write(COMPACTED.topic, 0, 'x', 'x', 'x');
    await writer.end(false);
    await world.clock.advance(1);
    compact();
    // The records of the aborted transaction are gone, its batch is not: the producer goes on behind it.
    expect(batches()).toEqual(['0-0: 1', '1-1: 1', '2-4: 0', '5-5: 1']);
    for (const until of [3, 5, 6]) {
      values = [];
      expect(await read({ ...COMPACTED, until, maxBytesPerPartition: 1 })).toBeGreaterThanOrEqual(until);
      expect(values).toEqual(['1']);
    }
  });

  it('S4: ends although the last records of its last batches are gone', async () => {
    await writer.write(COMPACTED.topic, 0, '1', '2');
    await writer.end(true);
    await writer.keyed(COMPACTED.topic, 'key', '3');
    await writer.keyed(COMPACTED.topic, 'z', null);
    compact();
    expect(await read({ ...COMPACTED, until: 2 })).toBeGreaterThanOrEqual(2);
    expect(values).toEqual([]);
    expect(await read({ ...COMPACTED, until: 7 })).toBe(7);
    expect(values).toEqual(['3', '']);
  });

  it('is read from an offset that is gone as from the next one', async () => {
    for (const value of ['1', '2', '3']) await writer.keyed(COMPACTED.topic, 'a', value);
    compact();
    for (const from of [0, 1, 2, 3, 4]) {
      values = [];
      expect(await read({ ...COMPACTED, from, until: 6 })).toBe(6);
      expect(values).toEqual(['3']);
    }
  });

  it('is compacted while it is read: what was a record may be gone, the end stays', async () => {
    for (let i = 0; i < 10; i++) await writer.keyed(COMPACTED.topic, 'a', `${i}`);
    let calls = 0;
    const apply = (reader: BatchReader): void => {
      keep(reader);
      if (++calls === 2) compact();
    };
    expect(await read({ ...COMPACTED, until: 20, maxBytesPerPartition: 1, apply })).toBe(20);
    expect(values.at(-1)).toBe('9');
    expect(values.length).toBeLessThan(10);
  });

  it('without its tombstones ends all the same', async () => {
    await writer.keyed(COMPACTED.topic, 'a', '1');
    await writer.keyed(COMPACTED.topic, 'a', null);
    compact();
    await world.clock.advance(1_000);
    await writer.keyed(COMPACTED.topic, 'b', '1');
    compact();
    // The marker of what came before the tombstone stays a while longer.
    expect(batches()).toEqual(['1-1: 1', '3-3: 1', '4-4: 1', '5-5: 1']);
    expect(await read({ ...COMPACTED, until: 6 })).toBe(6);
    expect(values).toEqual(['1']);
  });
});

it('records from `until` on are not given, although they came along: a table is never ahead', async () => {
  await writer.committed('changelog', 0, 'a', 'b', 'c', 'd');
  expect(await read({ until: 2 })).toBeGreaterThanOrEqual(2);
  expect(values).toEqual(['a', 'b']);
});

it('no position behind `until` is shown, although a marker there was read: a table would be ahead after a crash', async () => {
  await writer.committed('changelog', 0, 'a');
  let shown = 0;
  const apply = (reader: BatchReader): void => {
    keep(reader);
    shown = reader.nextOffset;
  };
  await read({ until: 1, apply });
  expect([values, shown]).toEqual([['a'], 1]);
});

it('from the middle on, only what follows', async () => {
  await writer.committed('changelog', 0, 'a', 'b', 'c');
  await read({ from: 2, until: 4 });
  expect(values).toEqual(['c']);
});

it('nothing to read asks nothing', async () => {
  expect(await read({ from: 4, until: 4 })).toBe(4);
  expect(world.apis()).toEqual([]);
});

it('the next answer is fetched while this one is applied, and no more than that', async () => {
  for (let i = 0; i < 10; i++) await writer.committed('changelog', 0, `${i}`);
  world.heard.length = 0;
  let release: () => void = () => undefined;
  let applied = 0;
  const reading = begin({
    until: 20,
    maxBytesPerPartition: 90,
    apply: (reader) => {
      keep(reader);
      applied++;
      return new Promise((resolve) => (release = resolve));
    },
  });
  await world.clock.advance(10_000);
  expect(applied).toBe(1);
  expect(world.count('fetch')).toBe(2);
  let done = false;
  void reading.then(() => (done = true));
  while (!done) {
    release();
    await world.clock.advance(200);
  }
  expect(values).toEqual(Array.from({ length: 10 }, (_, i) => `${i}`));
});

it('an open transaction below `until` is waited for', async () => {
  await writer.committed('changelog', 0, 'a');
  await writer.write('changelog', 0, 'b');
  const reading = begin({ until: 3 });
  await world.clock.advance(20_000);
  expect(values).toEqual(['a']);
  await writer.end(true);
  expect(await world.settle(reading)).toBeGreaterThanOrEqual(3);
  expect(values).toEqual(['a', 'b']);
});

it('an open transaction that never ends is an error that says so', async () => {
  await writer.write('changelog', 0, 'a');
  await expect(read({ until: 1, stallAfterMs: 30_000 })).rejects.toThrow(
    /changelog-0 stood still for 30000 ms at offset 0, waiting for 1\. Its last stable offset is 0: a transaction is open/,
  );
});

it('a log that ends before `until` is an error that says so', async () => {
  await writer.committed('changelog', 0, 'a');
  await expect(read({ until: 9, stallAfterMs: 5_000 })).rejects.toMatchObject({
    code: 'POSITION_OUT_OF_RANGE',
    message: expect.stringContaining('The log ends at 2') as string,
  });
});

it('a log whose beginning is gone is an error that says where it begins', async () => {
  await writer.committed('changelog', 0, 'a', 'b');
  const node = await world.settle(world.view.leaderOf('changelog', 0));
  await world.settle(world.port.deleteRecords(node, { partitions: [{ topic: 'changelog', partition: 0, offset: 1 }], timeoutMs: 1_000 }));
  await expect(read({ until: 3 })).rejects.toMatchObject({
    code: 'POSITION_OUT_OF_RANGE',
    where: { topic: 'changelog', partition: 0, offset: 0 },
    message: expect.stringContaining('from 1 to 3') as string,
  });
});

it('what apply throws ends the reading', async () => {
  await writer.committed('changelog', 0, 'a');
  const broken = new Error('the disk is full');
  await expect(
    read({
      until: 2,
      apply: () => {
        throw broken;
      },
    }),
  ).rejects.toBe(broken);
  const { length } = world.heard;
  await world.clock.advance(10_000);
  expect(world.heard).toHaveLength(length);
});

it('an aborted signal ends the reading with its reason, and nothing is applied after it', async () => {
  await writer.write('changelog', 0, 'a');
  const stop = new AbortController();
  const reading = begin({ until: 1, signal: stop.signal });
  await world.clock.advance(1_000);
  const reason = new Error('revoked');
  stop.abort(reason);
  await expect(reading).rejects.toBe(reason);
  await writer.end(true);
  await world.clock.advance(1_000);
  expect(values).toEqual([]);
  expect(world.clock.waiting().timers).toBeLessThanOrEqual(1);
});

it('reads uncommitted when asked: then nothing is waited for', async () => {
  await writer.write('changelog', 0, 'a');
  expect(await read({ until: 1, readCommitted: false })).toBe(1);
  expect(values).toEqual(['a']);
});

it('several logs are read side by side', async () => {
  for (const partition of [0, 1]) for (let i = 0; i < 5; i++) await writer.committed('changelog', partition, `${partition}-${i}`);
  const { port, view, clock } = world;
  const both = [0, 1].map((partition) =>
    readLog(
      { port, view, clock, logger: silentLogger },
      { topic: 'changelog', partition, from: 0, until: 10, lane: 'restore', apply: keep },
    ),
  );
  expect(await world.settle(Promise.all(both))).toEqual([10, 10]);
  expect(values).toHaveLength(10);
});

/** Sets the CRC of each batch to that of its bytes. */
function withCrcs(records: Buffer): Buffer {
  for (let at = 0; at < records.length;) {
    const end = at + 12 + records.readInt32BE(at + 8);
    writeBatchCrc(records, at, end);
    at = end;
  }
  return records;
}
