import { BatchReader } from '../../../src/kafka/batch-decode';
import { attribute, readBatchHeader } from '../../../src/kafka/record-batch';
import type { TopicPartition } from '../../../src/kafka/port';
import { TransactionalClient } from './transactional-client';
import type { Workbench } from './workbench';

/** Two aborted transactions and a committed one, interleaved on one partition; what a reader may see of them. */
async function overlapping(bench: Workbench): Promise<{ readonly to: TopicPartition; readonly committed: readonly [number, string][] }> {
  const to = await bench.partition();
  const [first, second, third] = [
    await TransactionalClient.initialised(bench),
    await TransactionalClient.initialised(bench),
    await TransactionalClient.initialised(bench),
  ];
  for (const client of [first, second, third]) await client.join(to);
  const committed: [number, string][] = [];
  await first.produce(to, 'aborted-1a');
  committed.push([(await third.produce(to, 'kept-1')).baseOffset, 'kept-1']);
  await second.produce(to, 'aborted-2a', 'aborted-2b');
  await first.produce(to, 'aborted-1b');
  expect(await second.end(false)).toBe(0);
  await second.settle(false);
  committed.push([await bench.write(to, 'plain'), 'plain']);
  await first.produce(to, 'aborted-1c');
  committed.push([(await third.produce(to, 'kept-2')).baseOffset, 'kept-2']);
  expect(await first.end(false)).toBe(0);
  await first.settle(false);
  committed.push([await bench.write(to, 'between'), 'between']);
  await first.write(to, 'aborted-1d');
  committed.push([(await third.produce(to, 'kept-3')).baseOffset, 'kept-3']);
  expect(await first.end(false)).toBe(0);
  expect(await third.end(true)).toBe(0);
  await bench.stable(to);
  return { to, committed };
}

export function isolationChapter(bench: () => Workbench): void {
  it('hides an open transaction, and what lies behind it, from those who read committed', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    await bench().write(to, 'before');
    await client.write(to, 'open');
    await bench().write(to, 'behind');
    expect(await bench().offsets(to)).toEqual({ start: 0, stable: 1, end: 3 });
    expect(await bench().read(to)).toEqual(['before']);
    expect(await bench().fetch({ ...to, offset: 1 })).toMatchObject({ errorCode: 0, lastStableOffset: 1, records: Buffer.alloc(0) });
    expect(await bench().read(to, { readCommitted: false })).toEqual(['before', 'open', 'behind']);
    await client.end(true);
    await bench().stable(to);
    expect(await bench().read(to)).toEqual(['before', 'open', 'behind']);
  });

  it('lets a fetch at the last stable offset wait for the end of the transaction', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    await client.write(to, 'open');
    const waiting = bench().fetch(to, { maxWaitMs: 20_000 });
    await client.end(true);
    expect((await waiting).records.length).toBeGreaterThan(0);
  });

  it('K8 shows no aborted record of overlapping transactions, wherever a fetch begins', async () => {
    const { to, committed } = await overlapping(bench());
    const { end } = await bench().offsets(to);
    for (let from = 0; from <= end; from++) {
      const expected = committed.filter(([offset]) => offset >= from).map(([, value]) => value);
      expect({ from, values: await bench().read(to, { from }) }).toEqual({ from, values: expected });
    }
  });

  it('K8 shows none of them to a reader who fetches little at a time', async () => {
    const { to, committed } = await overlapping(bench());
    const reader = new BatchReader(to);
    const values: string[] = [];
    const { end } = await bench().offsets(to);
    for (let offset = 0; offset < end; offset = reader.nextOffset) {
      const { records, aborted } = await bench().fetch({ ...to, offset, maxBytes: 1 });
      reader.reset(records, { aborted, from: offset, readCommitted: true });
      while (reader.nextRecord()) values.push(reader.buffer.toString('utf8', reader.valueStart, reader.valueEnd));
      expect(reader.nextOffset).toBeGreaterThan(offset);
    }
    expect(values).toEqual(committed.map(([, value]) => value));
  });

  it('lists aborted transactions in the order of their markers', async () => {
    const to = await bench().partition();
    const [first, second] = [await TransactionalClient.initialised(bench()), await TransactionalClient.initialised(bench())];
    await first.write(to, 'a');
    await second.write(to, 'b');
    await second.end(false);
    await second.settle(false);
    await first.end(false);
    await bench().stable(to);
    const { aborted } = await bench().fetch(to);
    expect(aborted).toEqual([
      { producerId: second.identity.producerId, firstOffset: 1 },
      { producerId: first.identity.producerId, firstOffset: 0 },
    ]);
    expect((await bench().fetch(to, { readCommitted: false })).aborted).toEqual([]);
  });

  it('K9 hides all of an aborted transaction that holds a key of four zero bytes', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    await client.join(to);
    for (let i = 0; i < 3; i++) await client.produce(to, { key: Buffer.alloc(4), value: `aborted-${String(i)}` });
    await client.end(false);
    await bench().stable(to);
    await bench().write(to, { key: Buffer.alloc(4), value: 'kept' });
    expect(await bench().read(to)).toEqual(['kept']);
  });

  it('K10 writes markers as control batches that take one offset each', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    await client.write(to, 'a');
    await client.end(false);
    expect(await bench().stable(to)).toBe(2);
    await client.write(to, 'b');
    await client.end(true);
    expect(await bench().stable(to)).toBe(4);
    for (const [offset, type] of [
      [1, 0],
      [3, 1],
    ] as const) {
      const { records } = await bench().fetch({ ...to, offset });
      const header = readBatchHeader(records);
      expect(header).toMatchObject({ baseOffset: offset, lastOffset: offset, recordCount: 1, baseSequence: -1, ...client.identity });
      expect(header.attributes & (attribute.control | attribute.transactional)).toBe(attribute.control | attribute.transactional);
      // length 1 byte, attributes, timestamp and offset deltas, key length, then the key: version and type
      expect(records.readInt16BE(61 + 5)).toBe(0);
      expect(records.readInt16BE(61 + 7)).toBe(type);
    }
  });

  it('K10 ends behind a marker: there is a position, and nothing to read', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    await client.write(to, 'a');
    await client.end(false);
    const end = await bench().stable(to);
    expect(await bench().read(to)).toEqual([]);
    expect(await bench().fetch({ ...to, offset: end })).toMatchObject({ errorCode: 0, lastStableOffset: end, records: Buffer.alloc(0) });
  });

  it('K20 counts a trailing marker in the end offset', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    await client.write(to, 'a', 'b');
    await client.end(true);
    await bench().stable(to);
    expect(await bench().offsets(to)).toEqual({ start: 0, stable: 3, end: 3 });
  });

  it('knows no time of a transaction that is still open', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    const timestamp = bench().now();
    await client.write(to, { value: 'open', timestamp });
    const ask = async (readCommitted: boolean): Promise<number> => {
      const request = { readCommitted, partitions: [{ ...to, timestamp }] };
      return (await bench().port.listOffsets(await bench().leader(to), request)).partitions[0]!.offset;
    };
    expect(await ask(true)).toBe(-1);
    expect(await ask(false)).toBe(0);
    await client.end(true);
  });
}

export function idempotenceChapter(bench: () => Workbench): void {
  it('K4 takes many batches in flight in their order', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    const leader = await bench().leader(to);
    const batches = Array.from({ length: 20 }, (_, i) => client.batch(to, [`${String(i)}a`, `${String(i)}b`], 2 * i, false));
    const answers = await Promise.all(
      batches.map((records) =>
        bench().port.produce(leader, { transactionalId: null, timeoutMs: 10_000, partitions: [{ ...to, records }] }),
      ),
    );
    expect(answers.map(({ partitions }) => partitions[0]!.baseOffset)).toEqual(batches.map((_, i) => 2 * i));
    expect(await bench().read(to)).toEqual(batches.flatMap((_, i) => [`${String(i)}a`, `${String(i)}b`]));
  });

  it('K3 answers a repeat of one of the last five batches with its first offset, and keeps one copy', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    const batches = Array.from({ length: 6 }, (_, i) => client.batch(to, [String(i)], i, false));
    for (const batch of batches) await bench().produceBatch(to, batch);
    for (let i = 1; i < 6; i++) expect(await bench().produceBatch(to, batches[i]!)).toMatchObject({ errorCode: 0, baseOffset: i });
    expect(await bench().produceBatch(to, batches[0]!)).toMatchObject({ errorCode: 45, baseOffset: -1 });
    expect(await bench().read(to)).toEqual(['0', '1', '2', '3', '4', '5']);
  });

  it('answers a gap 45, and a used sequence with another size', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    await bench().produceBatch(to, client.batch(to, ['a'], 0, false));
    expect(await bench().produceBatch(to, client.batch(to, ['c'], 2, false))).toMatchObject({ errorCode: 45 });
    expect(await bench().produceBatch(to, client.batch(to, ['a', 'b'], 0, false))).toMatchObject({ errorCode: 45 });
    expect(await bench().produceBatch(to, client.batch(to, ['b'], 1, false))).toMatchObject({ errorCode: 0, baseOffset: 1 });
  });

  it('lets a producer that a partition does not know begin anywhere, and one of a new epoch at 0 only', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    const old = client.identity;
    expect(await bench().produceBatch(to, client.batch(to, ['a'], 7, false))).toMatchObject({ errorCode: 0 });
    await client.begin(old);
    expect(await bench().produceBatch(to, client.batch(to, ['b'], 8, false))).toMatchObject({ errorCode: 45 });
    expect(await bench().produceBatch(to, client.batch(to, ['b'], 0, false))).toMatchObject({ errorCode: 0 });
    const stale = bench().batch(['c'], { ...old, sequence: 8 });
    expect(await bench().produceBatch(to, stale)).toMatchObject({ errorCode: 47 });
  });

  it('remembers sequences across an abort: a used one is answered as a repeat of the aborted batch, and is lost', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    await client.join(to);
    const first = await client.produceBatch(to, client.batch(to, ['aborted'], 0));
    await client.end(false);
    await bench().stable(to);
    await client.join(to);
    expect(await client.produceBatch(to, client.batch(to, ['new data'], 0))).toMatchObject({ errorCode: 0, baseOffset: first.baseOffset });
    await client.end(true);
    await bench().stable(to);
    expect(await bench().read(to)).toEqual([]);
  });

  it('forgets them with the epoch: after InitProducerId sequences begin at 0', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    await client.write(to, 'aborted');
    await client.end(false);
    await client.begin(client.identity);
    await client.write(to, 'new data');
    await client.end(true);
    await bench().stable(to);
    expect(await bench().read(to)).toEqual(['new data']);
  });

  it('answers an old copy 48 until its partition is in the transaction, then as a repeat', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    await client.join(to);
    const copy = client.batch(to, ['once'], 0);
    await client.produceBatch(to, copy);
    await client.end(true);
    await bench().stable(to);
    expect(await client.settle(true)).toBe(0);
    expect(await client.produceBatch(to, copy)).toMatchObject({ errorCode: 48 });
    await client.join(to);
    expect(await client.produceBatch(to, copy)).toMatchObject({ errorCode: 0, baseOffset: 0 });
    await client.end(true);
    await bench().stable(to);
    expect(await bench().read(to)).toEqual(['once']);
  });

  it('answers 45 to the next batch when an old copy was the first one of the transaction, until that has ended', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    await client.join(to);
    const copy = client.batch(to, ['once'], 0);
    await client.produceBatch(to, copy);
    await client.end(true);
    await bench().stable(to);
    await client.join(to);
    await client.produceBatch(to, copy);
    expect(await client.produceBatch(to, client.batch(to, ['next'], 1))).toMatchObject({ errorCode: 45 });
    await client.end(false);
    await bench().stable(to);
    await client.join(to);
    expect(await client.produceBatch(to, client.batch(to, ['next'], 1))).toMatchObject({ errorCode: 0 });
    await client.end(true);
  });
}
