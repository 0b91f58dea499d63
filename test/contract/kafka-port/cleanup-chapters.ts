import { attribute, readBatchHeader } from '../../../src/kafka/record-batch';
import { BatchReader } from '../../../src/kafka/batch-decode';
import type { TopicPartition } from '../../../src/kafka/port';
import { TransactionalClient } from './transactional-client';
import type { RecordToWrite, Workbench } from './workbench';

const SEGMENT_MS = 1_000;
const COMPACTED = { 'cleanup.policy': 'compact', 'segment.ms': String(SEGMENT_MS), 'min.cleanable.dirty.ratio': '0' };

/** Long enough ago that nothing is too new, and every marker, stamped by the broker, begins a segment behind it. */
const AGE_MS = 1_000_000;

/** Records on a time of their own: `segment` counts up by more than segment.ms, so that a record of a later one begins a new file. */
class Times {
  readonly #start: number;

  constructor(bench: Workbench) {
    this.#start = bench.now() - AGE_MS;
  }

  record(segment: number, key: string, value: string | null): RecordToWrite {
    return { key, value, timestamp: this.at(segment) };
  }

  at(segment: number): number {
    return this.#start + segment * 2 * SEGMENT_MS;
  }
}

/** Each batch as `base-last`, with its count of records; `C` control, `T` transactional, `H` with a delete horizon. */
async function batchesOf(bench: Workbench, name: TopicPartition): Promise<string[]> {
  const found: string[] = [];
  let { start: offset } = await bench.offsets(name);
  for (;;) {
    const { errorCode, records } = await bench.fetch({ ...name, offset }, { readCommitted: false });
    expect(errorCode).toBe(0);
    const before = offset;
    for (let at = 0; at + 61 <= records.length;) {
      const { baseOffset, lastOffset, recordCount, attributes, size } = readBatchHeader(records, at);
      if (at + size > records.length) break;
      const kind = (attributes & attribute.control) !== 0 ? 'C' : (attributes & attribute.transactional) !== 0 ? 'T' : '';
      const horizon = (attributes & attribute.deleteHorizon) !== 0 ? 'H' : '';
      found.push(`${baseOffset}-${lastOffset} ${kind}${horizon}${recordCount}`);
      offset = lastOffset + 1;
      at += size;
    }
    if (offset === before) return found;
  }
}

/** `offset key=value`, as a reader of committed records sees them. */
async function recordsOf(bench: Workbench, name: TopicPartition): Promise<string[]> {
  const reader = new BatchReader(name);
  const found: string[] = [];
  let { start: offset } = await bench.offsets(name);
  for (;;) {
    const { records, aborted } = await bench.fetch({ ...name, offset });
    reader.reset(records, { aborted, from: offset, readCommitted: true });
    while (reader.nextRecord()) {
      const key = reader.buffer.toString('utf8', reader.keyStart, reader.keyEnd);
      const value = reader.valueStart < 0 ? 'null' : reader.buffer.toString('utf8', reader.valueStart, reader.valueEnd);
      found.push(`${reader.offset} ${key}=${value}`);
    }
    if (reader.nextOffset === offset) return found;
    offset = reader.nextOffset;
  }
}

/** Waits until there are these batches. */
async function expectBatches(bench: Workbench, name: TopicPartition, expected: readonly string[]): Promise<void> {
  let last: readonly string[] = [];
  await bench
    .cleanedUp('it is compacted', async () => {
      last = await batchesOf(bench, name);
      return last.join() === expected.join() || undefined;
    })
    .catch(() => undefined);
  expect(last).toEqual(expected);
}

export function compactionChapter(bench: () => Workbench): void {
  it('keeps the last record of each key where it is: offsets stay, with gaps between them', async () => {
    const to = await bench().partition(COMPACTED);
    const times = new Times(bench());
    await bench().write(to, times.record(0, 'a', '1'), times.record(0, 'b', '1'), times.record(0, 'c', '1'));
    await bench().write(to, times.record(0, 'a', '2'), times.record(0, 'b', '2'));
    await bench().write(to, times.record(0, 'a', '3'));
    await bench().write(to, times.record(1, 'a', '4'));
    await expectBatches(bench(), to, ['0-2 1', '3-4 1', '5-5 1', '6-6 1']);
    expect(await recordsOf(bench(), to)).toEqual(['2 c=1', '4 b=2', '5 a=3', '6 a=4']);
    expect(await bench().offsets(to)).toEqual({ start: 0, stable: 7, end: 7 });
  });

  it('leaves out whole batches: a fetch in the gap begins with the next one, and stays in one segment', async () => {
    const to = await bench().partition(COMPACTED);
    const times = new Times(bench());
    for (const value of ['1', '2', '3']) await bench().write(to, times.record(0, 'a', value));
    await bench().write(to, times.record(0, 'b', '1'));
    await bench().write(to, times.record(1, 'b', '2'), times.record(1, 'b', '3'));
    await expectBatches(bench(), to, ['2-2 1', '3-3 1', '4-5 2']);
    const { records } = await bench().fetch({ ...to, offset: 1 });
    expect(readBatchHeader(records)).toMatchObject({ baseOffset: 2, lastOffset: 2 });
    expect(records).toHaveLength(readBatchHeader(records).size + readBatchHeader(records, readBatchHeader(records).size).size);
  });

  it('keeps the last batch of what it has compacted, though empty: a position reaches the end', async () => {
    const to = await bench().partition(COMPACTED);
    const times = new Times(bench());
    await bench().write(to, times.record(0, 'a', '1'));
    const client = await TransactionalClient.initialised(bench());
    await client.write(to, times.record(0, 'b', 'aborted'));
    await client.settle(false); // the marker, stamped now, begins a segment
    await bench().stable(to);
    await expectBatches(bench(), to, ['0-0 1', '1-1 T0', '2-2 C1']);
    expect(await recordsOf(bench(), to)).toEqual(['0 a=1']);
  });

  it('S4 removes what was aborted, not what it would have replaced', async () => {
    const to = await bench().partition(COMPACTED);
    const times = new Times(bench());
    await bench().write(to, times.record(0, 'a', 'kept'));
    const client = await TransactionalClient.initialised(bench());
    await client.write(to, times.record(0, 'a', 'aborted'));
    await client.settle(false);
    await bench().stable(to);
    await client.write(to, times.record(0, 'b', 'committed'));
    await client.settle(true);
    await bench().stable(to);
    await bench().write(to, { key: 'z', value: 'later', timestamp: bench().now() + 2 * SEGMENT_MS });
    await expectBatches(bench(), to, ['0-0 1', '2-2 C1', '3-3 T1', '4-4 C1', '5-5 1']);
    expect(await recordsOf(bench(), to)).toEqual(['0 a=kept', '3 b=committed', '5 z=later']);
    expect(await bench().read(to, { readCommitted: false })).toEqual(['kept', 'committed', 'later']);
  });

  it('keeps the last batch of a producer, though empty: it goes on with its sequence', async () => {
    const to = await bench().partition(COMPACTED);
    const times = new Times(bench());
    const client = await TransactionalClient.initialised(bench());
    await client.write(to, times.record(0, 'a', '1'), times.record(0, 'a', '2'));
    await client.settle(true);
    await bench().stable(to);
    await bench().write(to, { key: 'a', value: '3', timestamp: bench().now() });
    await bench().write(to, { key: 'z', value: '', timestamp: bench().now() + 2 * SEGMENT_MS });
    await expectBatches(bench(), to, ['0-1 T0', '2-2 C1', '3-3 1', '4-4 1']);
    await client.join(to);
    expect(await client.produce(to, times.record(0, 'b', '1'))).toMatchObject({ errorCode: 0, baseOffset: 5 });
    expect(await client.settle(true)).toBe(0);
    await bench().stable(to);
    expect(await recordsOf(bench(), to)).toEqual(['3 a=3', '4 z=', '5 b=1']);
  });

  it('does not go beyond the segment in which a transaction is open', async () => {
    const to = await bench().partition(COMPACTED);
    const times = new Times(bench());
    await bench().write(to, times.record(0, 'a', '1'));
    await bench().write(to, times.record(0, 'a', '2'));
    await bench().write(to, times.record(1, 'b', '1'));
    await bench().write(to, times.record(1, 'b', '2'));
    const client = await TransactionalClient.initialised(bench());
    await client.write(to, times.record(1, 'a', 'open'));
    await bench().write(to, times.record(2, 'z', '1'));
    await expectBatches(bench(), to, ['1-1 1', '2-2 1', '3-3 1', '4-4 T1', '5-5 1']);
    await client.settle(true);
    await bench().stable(to);
    await expectBatches(bench(), to, ['3-3 1', '4-4 T1', '5-5 1', '6-6 C1']);
  });

  it('keeps a tombstone when it first meets it, and removes it in a later pass once delete.retention.ms are over', async () => {
    const to = await bench().partition({ ...COMPACTED, 'delete.retention.ms': '1' });
    const times = new Times(bench());
    await bench().write(to, times.record(0, 'a', '1'), times.record(0, 'b', '1'));
    await bench().write(to, times.record(0, 'a', null), times.record(0, 'c', '1'));
    await bench().write(to, times.record(1, 'z', '1'));
    await expectBatches(bench(), to, ['0-1 1', '2-3 H2', '4-4 1']);
    expect(await recordsOf(bench(), to)).toEqual(['1 b=1', '2 a=null', '3 c=1', '4 z=1']);
    await bench().pause(10);
    await bench().write(to, times.record(2, 'z', '2'));
    await expectBatches(bench(), to, ['0-1 1', '2-3 H1', '4-4 1', '5-5 1']);
    expect(await recordsOf(bench(), to)).toEqual(['1 b=1', '3 c=1', '4 z=1', '5 z=2']);
  });

  it('keeps the times of records whose batch it writes anew', async () => {
    const to = await bench().partition(COMPACTED);
    const times = new Times(bench());
    const late = { key: 'c', value: '1', timestamp: times.at(0) + 7 };
    await bench().write(to, times.record(0, 'a', '1'), times.record(0, 'b', null), late);
    await bench().write(to, times.record(1, 'a', '2'));
    await bench().write(to, times.record(2, 'a', '3'));
    await expectBatches(bench(), to, ['0-2 H2', '3-3 1', '4-4 1']);
    const reader = new BatchReader(to);
    reader.reset((await bench().fetch(to)).records, { aborted: [], from: 0, readCommitted: true });
    const found = [];
    while (reader.nextRecord()) found.push([reader.offset, reader.timestamp]);
    expect(found.slice(0, 2)).toEqual([
      [1, times.at(0)],
      [2, times.at(0) + 7],
    ]);
    const ask = { readCommitted: false, partitions: [{ ...to, timestamp: times.at(0) + 1 }] };
    const [answer] = (await bench().port.listOffsets(await bench().leader(to), ask)).partitions;
    expect(answer).toMatchObject({ errorCode: 0, offset: 2, timestamp: times.at(0) + 7 });
  });

  it('leaves alone what is newer than min.compaction.lag.ms', async () => {
    const to = await bench().partition({ ...COMPACTED, 'min.compaction.lag.ms': String(AGE_MS / 2) });
    const times = new Times(bench());
    const recent = bench().now();
    for (const value of ['1', '2']) await bench().write(to, times.record(0, 'a', value));
    for (const value of ['1', '2']) await bench().write(to, { key: 'b', value, timestamp: recent });
    await bench().write(to, { key: 'z', value: '1', timestamp: recent + 2 * SEGMENT_MS });
    await expectBatches(bench(), to, ['1-1 1', '2-2 1', '3-3 1', '4-4 1']);
  });

  it('takes no record without a key: 87, and says which', async () => {
    for (const policy of ['compact', 'compact,delete']) {
      const to = await bench().partition({ 'cleanup.policy': policy });
      const message = `Compacted topic cannot accept message without key in topic partition ${to.topic}-0`;
      const answer = await bench().produceBatch(to, bench().batch([{ key: 'k', value: 'v' }, { value: 'v' }, 'v']));
      expect(answer).toMatchObject({ errorCode: 87, baseOffset: -1, logStartOffset: 0 });
      expect(answer.recordErrors).toEqual([
        { index: 1, message },
        { index: 2, message },
      ]);
      expect(answer.errorMessage).toMatch(/^One or more records have been rejected due to 2 record errors in total/);
      expect(await bench().offsets(to)).toEqual({ start: 0, stable: 0, end: 0 });
    }
  });

  it('answers a record that is too late 32, also beside one without a key', async () => {
    const to = await bench().partition({ 'cleanup.policy': 'compact' });
    const late = { key: 'k', value: 'v', timestamp: bench().now() + 7_200_000 };
    const answer = await bench().produceBatch(to, bench().batch([{ value: 'v' }, late]));
    expect(answer).toMatchObject({ errorCode: 32, recordErrors: [{ index: 0 }, { index: 1 }] });
  });
}

export function retentionChapter(bench: () => Workbench): void {
  // A broker looks for what is too old every 5 minutes, but when it also compacts a topic, with every look for that. The lag keeps it from
  // compacting, which would put segments together.
  const KEPT_A_MINUTE = {
    ...COMPACTED,
    'cleanup.policy': 'compact,delete',
    'retention.ms': '60000',
    'min.compaction.lag.ms': String(9 * AGE_MS),
  };

  it('goes by the times of the records, segment by segment from the oldest: the log start moves', async () => {
    const to = await bench().partition(KEPT_A_MINUTE);
    const times = new Times(bench());
    const soon = bench().now() + 600_000;
    await bench().write(to, times.record(0, 'a', '1'), times.record(0, 'b', '1'));
    await bench().write(to, times.record(1, 'c', '1'));
    await bench().write(to, { key: 'd', value: 'not yet', timestamp: soon });
    await bench().write(to, times.record(3, 'e', 'old, beside one that is not'));
    await bench().write(to, { key: 'f', value: 'not yet', timestamp: soon + 2 * SEGMENT_MS });
    const start = await bench().cleanedUp('the log start moves', async () => (await bench().offsets(to)).start || undefined);
    expect(start).toBe(3);
    expect(await recordsOf(bench(), to)).toEqual(['3 d=not yet', '4 e=old, beside one that is not', '5 f=not yet']);
    expect(await bench().offsets(to)).toEqual({ start: 3, stable: 6, end: 6 });
    expect(await bench().fetch({ ...to, offset: 2 })).toMatchObject({ errorCode: 1, logStartOffset: -1 });
    expect(await bench().fetch({ ...to, offset: 3 })).toMatchObject({ errorCode: 0, logStartOffset: 3 });
  });

  it('may leave nothing: the log begins where it ends, and goes on from there', async () => {
    const to = await bench().partition(KEPT_A_MINUTE);
    const times = new Times(bench());
    await bench().write(to, times.record(0, 'a', '1'));
    await bench().write(to, times.record(1, 'b', '1'));
    await bench().cleanedUp('all is gone', async () => (await bench().offsets(to)).start === 2 || undefined);
    expect(await bench().offsets(to)).toEqual({ start: 2, stable: 2, end: 2 });
    expect(await bench().write(to, { key: 'c', value: '1', timestamp: bench().now() })).toBe(2);
    expect(await recordsOf(bench(), to)).toEqual(['2 c=1']);
  });
}

export function recreationChapter(bench: () => Workbench): void {
  /** Deletes the topic, and creates it anew with as many partitions. */
  const recreate = async (topic: string, partitions = 1): Promise<void> => {
    expect((await bench().port.deleteTopics([topic], 10_000)).topics).toEqual([expect.objectContaining({ topic, errorCode: 0 })]);
    await bench().eventually('it is gone', async () => (await bench().port.metadata([topic])).topics[0]!.errorCode === 3 || undefined);
    await bench().eventually('it is back', async () => {
      const created = await bench().port.createTopics([{ topic, partitions, replicationFactor: -1, configs: {} }], 10_000);
      return created.topics[0]!.errorCode === 0 || undefined;
    });
    await bench().eventually('it is led', () =>
      bench()
        .isLed(topic, partitions)
        .then((isLed) => isLed || undefined),
    );
  };

  it('begins at offset 0 again: what was read and written before is not there', async () => {
    const to = await bench().partition();
    await bench().write(to, 'a', 'b');
    await recreate(to.topic);
    expect(await bench().offsets(to)).toEqual({ start: 0, stable: 0, end: 0 });
    expect(await bench().write(to, 'c')).toBe(0);
    expect(await bench().read(to)).toEqual(['c']);
  });

  it('K12 answers a position of before 1 while it is out of range, with the epoch of before, too', async () => {
    const to = await bench().partition();
    await bench().write(to, 'a', 'b');
    await recreate(to.topic);
    expect(await bench().fetch({ ...to, offset: 2, leaderEpoch: 0 })).toMatchObject({ errorCode: 1, highWatermark: -1 });
    await bench().write(to, 'c', 'd', 'e');
    // Nothing in these requests tells that it is another topic: only its id in the metadata does.
    expect(await bench().read(to, { from: 2 })).toEqual(['e']);
  });

  it('answers 3 while there is no topic, also a fetch that waits', async () => {
    const to = await bench().partition();
    const leader = await bench().leader(to);
    const fetch = (maxWaitMs: number): Promise<number> => {
      const partitions = [{ ...to, offset: 0, maxBytes: 1_000, leaderEpoch: 0 }];
      const request = { maxWaitMs, minBytes: 1, maxBytes: 1_000, readCommitted: true, partitions };
      return bench()
        .port.fetch(leader, request, 'input')
        .then((answer) => answer.partitions[0]!.errorCode);
    };
    const waiting = fetch(20_000);
    await bench().port.deleteTopics([to.topic], 10_000);
    expect(await waiting).toBe(3);
    expect(await fetch(0)).toBe(3);
    const request = { transactionalId: null, timeoutMs: 1_000, partitions: [{ ...to, records: bench().batch(['x']) }] };
    expect((await bench().port.produce(leader, request)).partitions[0]).toMatchObject({ errorCode: 3, baseOffset: -1 });
    await bench().port.createTopics([{ ...to, partitions: 1, replicationFactor: -1, configs: {} }], 10_000);
  });

  it('lets a transaction go on in the new topic, which knows it by its name', async () => {
    const to = await bench().partition();
    const client = await TransactionalClient.initialised(bench());
    await client.write(to, 'before');
    await recreate(to.topic);
    expect(await client.produce(to, 'after')).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(await client.settle(true)).toBe(0);
    expect(await bench().stable(to)).toBe(2);
    expect(await bench().read(to)).toEqual(['after']);
  });

  it('begins without committed offsets: the groups forget those of a deleted topic', async () => {
    const to = await bench().partition();
    const groupId = bench().name('group');
    const node = await bench().coordinator('group', groupId);
    const member = { groupId, memberId: '', generationId: -1, groupInstanceId: null };
    const committed = await bench().code('OffsetCommit', async () => {
      const answer = await bench().port.offsetCommit(node, { ...member, partitions: [{ ...to, offset: 5, metadata: 'm' }] });
      return answer.partitions[0]!;
    });
    expect(committed).toBe(0);
    await recreate(to.topic);
    const forgotten = await bench().eventually('they are forgotten', async () => {
      const answer = await bench().port.offsetFetch(node, { groupId, requireStable: true, partitions: [to] });
      return answer.partitions[0]!.offset === -1 ? answer.partitions[0] : undefined;
    });
    expect(forgotten).toMatchObject({ errorCode: 0, offset: -1, metadata: '' });
  });
}
