import { readBatchHeader } from '../../../src/kafka/record-batch';
import { positionAfter } from '../../../src/kafka/batch-decode';
import { crcHolds } from '../../../src/kafka/record-batch';
import type { Workbench } from './workbench';

const UNKNOWN_OFFSETS = { highWatermark: -1, lastStableOffset: -1, logStartOffset: -1 };

export function metadataChapter(bench: () => Workbench): void {
  it('names the brokers, and among them the leader of each partition', async () => {
    const topic = await bench().topic(3);
    const { clusterId, brokers, topics } = await bench().port.metadata([topic]);
    expect(clusterId).not.toBe('');
    expect(topics).toHaveLength(1);
    expect(topics[0]).toMatchObject({ topic, errorCode: 0 });
    expect(topics[0]!.topicId).toMatch(/^[0-9a-f]{32}$/);
    expect(topics[0]!.partitions.map(({ partition }) => partition).sort()).toEqual([0, 1, 2]);
    const nodes = brokers.map(({ nodeId }) => nodeId);
    for (const { leader, errorCode } of topics[0]!.partitions) {
      expect(nodes).toContain(leader);
      expect(errorCode).toBe(0);
    }
  });

  it('K17 answers 3 for a topic that does not exist, and the others as always', async () => {
    const topic = await bench().topic();
    const missing = bench().name('missing');
    for (let round = 0; round < 2; round++) {
      const { topics } = await bench().port.metadata([missing, topic]);
      expect(topics.find((each) => each.topic === missing)).toMatchObject({ errorCode: 3, partitions: [] });
      expect(topics.find((each) => each.topic === topic)).toMatchObject({ errorCode: 0 });
    }
  });

  it('describes no topic when none is named', async () => {
    await bench().topic();
    expect((await bench().port.metadata([])).topics).toEqual([]);
  });

  it('names one coordinator for a key, whoever asks', async () => {
    const other = await bench().connect();
    for (const type of ['group', 'transaction'] as const) {
      const key = bench().name(type);
      expect(await bench().coordinator(type, key, other)).toBe(await bench().coordinator(type, key));
    }
  });
}

export function produceAndFetchChapter(bench: () => Workbench): void {
  it('gives a batch back as it was written, with the offsets of the log and a CRC that holds', async () => {
    const to = await bench().partition();
    await bench().write(to, 'one', 'two');
    const written = bench().batch([{ key: 'k', value: 'three', timestamp: bench().now() }, { value: null }]);
    expect(await bench().produceBatch(to, written)).toMatchObject({ errorCode: 0, baseOffset: 2, logStartOffset: 0, recordErrors: [] });
    const { records, ...answer } = await bench().fetch({ ...to, offset: 2 });
    expect(answer).toMatchObject({ ...to, errorCode: 0, highWatermark: 4, lastStableOffset: 4, logStartOffset: 0, aborted: [] });
    expect(readBatchHeader(records)).toMatchObject({ baseOffset: 2, lastOffset: 3, size: written.length, leaderEpoch: 0 });
    expect(crcHolds(records, 0, records.length)).toBe(true);
    expect(records.subarray(17)).toEqual(written.subarray(17));
  });

  it('copies what it is given: the sender may overwrite its buffer at once', async () => {
    const to = await bench().partition();
    const leader = await bench().leader(to);
    const records = bench().batch(['kept']);
    const answered = bench().port.produce(leader, { transactionalId: null, timeoutMs: 10_000, partitions: [{ ...to, records }] });
    records.fill(0);
    expect((await answered).partitions[0]).toMatchObject({ errorCode: 0 });
    expect(await bench().read(to)).toEqual(['kept']);
  });

  it('begins with the whole batch that holds the offset asked for', async () => {
    const to = await bench().partition();
    await bench().write(to, 'a', 'b', 'c');
    const { records } = await bench().fetch({ ...to, offset: 2 });
    expect(readBatchHeader(records)).toMatchObject({ baseOffset: 0, lastOffset: 2 });
    expect(await bench().read(to, { from: 2 })).toEqual(['c']);
  });

  it('keeps to maxBytes, but always gives one batch whole', async () => {
    const to = await bench().partition();
    const value = 'x'.repeat(1000);
    for (let i = 0; i < 4; i++) await bench().write(to, value);
    const twoAndAHalf = 2_650;
    const { records } = await bench().fetch({ ...to, maxBytes: twoAndAHalf });
    expect(records.length).toBeLessThanOrEqual(twoAndAHalf);
    expect(positionAfter(records, 0)).toBe(2);
    const small = await bench().fetch({ ...to, offset: 1, maxBytes: 1 }, { maxBytes: 1 });
    expect(positionAfter(small.records, 1)).toBe(2);
  });

  it('divides maxBytes among the partitions of one fetch', async () => {
    // One more than there are brokers: two of them have the same leader.
    const topic = await bench().topic((await bench().port.metadata([])).brokers.length + 1);
    const described = (await bench().port.metadata([topic])).topics[0]!.partitions;
    const leaders = described.map((each) => each.leader);
    const leader = leaders.find((each, index) => leaders.indexOf(each) !== index)!;
    const led = described.filter((each) => each.leader === leader).slice(0, 2);
    for (const { partition } of led) await bench().write({ topic, partition }, 'x'.repeat(1000));
    const partitions = led.map(({ partition }) => ({ topic, partition, offset: 0, maxBytes: 10_000, leaderEpoch: -1 }));
    const request = { maxWaitMs: 0, minBytes: 1, maxBytes: 1_100, readCommitted: true, partitions };
    const answer = await bench().port.fetch(leader, request, 'input');
    expect(answer.partitions.map(({ records }) => positionAfter(records, 0)).sort()).toEqual([0, 1]);
  });

  it('K12 answers a position outside the log 1, and says nothing about its offsets', async () => {
    const to = await bench().partition();
    await bench().write(to, 'a');
    for (const offset of [2, -1]) {
      expect(await bench().fetch({ ...to, offset })).toMatchObject({ errorCode: 1, ...UNKNOWN_OFFSETS, records: Buffer.alloc(0) });
    }
    expect(await bench().fetch({ ...to, offset: 1 })).toMatchObject({ errorCode: 0, highWatermark: 1, records: Buffer.alloc(0) });
  });

  it('answers one partition with its error and the others with their data', async () => {
    const topic = await bench().topic(1);
    await bench().write({ topic, partition: 0 }, 'a');
    const leader = await bench().leader({ topic, partition: 0 });
    const each = { maxBytes: 10_000, leaderEpoch: -1 };
    const request = { maxWaitMs: 0, minBytes: 1, maxBytes: 10_000, readCommitted: true };
    const answer = await bench().port.fetch(
      leader,
      {
        ...request,
        partitions: [
          { topic, partition: 7, offset: 0, ...each },
          { topic, partition: 0, offset: 0, ...each },
        ],
      },
      'input',
    );
    expect(answer.errorCode).toBe(0);
    expect(answer.partitions.find(({ partition }) => partition === 7)).toMatchObject({ errorCode: 3, ...UNKNOWN_OFFSETS });
    expect(answer.partitions.find(({ partition }) => partition === 0)!.records.length).toBeGreaterThan(0);
  });

  it('answers an error at once, however long the fetch would wait', async () => {
    const topic = await bench().topic(2);
    const start = bench().now();
    const answer = await bench().fetch({ topic, partition: 1, offset: 5 }, { maxWaitMs: 20_000 });
    expect(answer.errorCode).toBe(1);
    expect(bench().now() - start).toBeLessThan(10_000);
  });

  it('answers a leader epoch newer than its own 75', async () => {
    const to = await bench().partition();
    expect(await bench().fetch({ ...to, leaderEpoch: 0 })).toMatchObject({ errorCode: 0 });
    expect(await bench().fetch({ ...to, leaderEpoch: 1 })).toMatchObject({ errorCode: 75, ...UNKNOWN_OFFSETS });
  });

  it('lets a fetch at the end wait for what comes', async () => {
    const to = await bench().partition();
    const start = bench().now();
    const waiting = bench().fetch(to, { maxWaitMs: 20_000 });
    await bench().write(to, 'news');
    expect(positionAfter((await waiting).records, 0)).toBe(1);
    expect(bench().now() - start).toBeLessThan(10_000);
  });

  it('lets a fetch wait for minBytes', async () => {
    const to = await bench().partition();
    await bench().write(to, 'a');
    const waiting = bench().fetch(to, { maxWaitMs: 20_000, minBytes: 1_000 });
    await bench().write(to, 'x'.repeat(1_000));
    expect(positionAfter((await waiting).records, 0)).toBe(2);
  });

  it('answers a fetch that found nothing after its time', async () => {
    const to = await bench().partition();
    const start = bench().now();
    expect(await bench().fetch(to, { maxWaitMs: 200 })).toMatchObject({ errorCode: 0, records: Buffer.alloc(0) });
    expect(bench().now() - start).toBeGreaterThanOrEqual(190);
  });

  it('answers other lanes while a fetch waits in one', async () => {
    const to = await bench().partition();
    const leader = await bench().leader(to);
    let isAnswered = false;
    const waiting = bench()
      .fetch(to, { maxWaitMs: 3_000 })
      .finally(() => (isAnswered = true));
    const partitions = [{ ...to, offset: 0, maxBytes: 1_000, leaderEpoch: -1 }];
    await bench().port.fetch(leader, { maxWaitMs: 0, minBytes: 1, maxBytes: 1_000, readCommitted: true, partitions }, 'restore');
    await bench().offsets(to);
    await bench().port.metadata([to.topic]);
    expect(isAnswered).toBe(false);
    await waiting;
  });

  it('answers the fetches of one lane in their order', async () => {
    const to = await bench().partition();
    await bench().write(to, 'a');
    const node = await bench().leader(to);
    const answered: string[] = [];
    const fetch = async (what: string, offset: number, maxWaitMs: number): Promise<void> => {
      const partitions = [{ ...to, offset, maxBytes: 1_000, leaderEpoch: -1 }];
      await bench().port.fetch(node, { maxWaitMs, minBytes: 1, maxBytes: 1_000, readCommitted: true, partitions }, 'input');
      answered.push(what);
    };
    // The broker answers one request per connection at a time.
    await Promise.all([fetch('idle', 1, 300), fetch('busy', 0, 0)]);
    expect(answered).toEqual(['idle', 'busy']);
  });

  it('refuses damaged bytes 2, and keeps nothing of them', async () => {
    const to = await bench().partition();
    const damaged = bench().batch(['a']);
    damaged[damaged.length - 2]! ^= 1;
    expect(await bench().produceBatch(to, damaged)).toMatchObject({ errorCode: 2, baseOffset: -1 });
    expect(await bench().offsets(to)).toEqual({ start: 0, stable: 0, end: 0 });
  });

  it('refuses two batches in one record set 87, and half a batch', async () => {
    const to = await bench().partition();
    const one = bench().batch(['a']);
    expect(await bench().produceBatch(to, Buffer.concat([one, one]))).toMatchObject({ errorCode: 87 });
    expect(await bench().produceBatch(to, one.subarray(0, one.length - 3))).toMatchObject({ errorCode: 87 });
  });

  it('refuses a batch above max.message.bytes 10, counting its header', async () => {
    const one = bench().batch(['x'.repeat(2_000)]);
    const tooSmall = await bench().partition({ 'max.message.bytes': String(one.length - 1) });
    const exact = await bench().partition({ 'max.message.bytes': String(one.length) });
    expect(await bench().produceBatch(tooSmall, one)).toMatchObject({ errorCode: 10 });
    expect(await bench().produceBatch(exact, one)).toMatchObject({ errorCode: 0 });
  });

  it('refuses a timestamp more than an hour ahead 32, and says which record has it', async () => {
    const to = await bench().partition();
    const ahead = { value: 'b', timestamp: bench().now() + 2 * 3_600_000 };
    const answer = await bench().produceBatch(to, bench().batch([{ value: 'a', timestamp: bench().now() }, ahead]));
    expect(answer).toMatchObject({ errorCode: 32, baseOffset: -1, recordErrors: [expect.objectContaining({ index: 1 })] });
    expect(answer.errorMessage).toMatch(/timestamp/i);
  });

  it('refuses one partition of a request and takes the others', async () => {
    const topic = await bench().topic(1);
    const records = bench().batch(['a']);
    const partitions = [
      { topic, partition: 0, records },
      { topic, partition: 5, records },
    ];
    const leader = await bench().leader({ topic, partition: 0 });
    const answer = await bench().port.produce(leader, { transactionalId: null, timeoutMs: 10_000, partitions });
    expect(answer.partitions.find(({ partition }) => partition === 0)).toMatchObject({ errorCode: 0, baseOffset: 0 });
    expect(answer.partitions.find(({ partition }) => partition === 5)).toMatchObject({ errorCode: 3, baseOffset: -1 });
  });
}

export function listOffsetsChapter(bench: () => Workbench): void {
  const ask = async (to: { topic: string; partition: number }, timestamp: number, readCommitted = false): Promise<object> => {
    const request = { readCommitted, partitions: [{ ...to, timestamp }] };
    return (await bench().port.listOffsets(await bench().leader({ ...to, partition: 0 }), request)).partitions[0]!;
  };

  it('answers 0 and 0 for an empty partition', async () => {
    const to = await bench().partition();
    expect(await ask(to, -2)).toEqual({ ...to, errorCode: 0, offset: 0, timestamp: -1, leaderEpoch: 0 });
    expect(await ask(to, -1)).toEqual({ ...to, errorCode: 0, offset: 0, timestamp: -1, leaderEpoch: 0 });
  });

  it('finds the first offset, not the first time, that is at least the one asked for', async () => {
    const to = await bench().partition();
    const base = bench().now() - 100_000;
    await bench().write(to, { value: 'a', timestamp: base }, { value: 'b', timestamp: base + 50 }, { value: 'c', timestamp: base + 30 });
    await bench().write(to, { value: 'd', timestamp: base + 80 });
    expect(await ask(to, base + 20)).toMatchObject({ offset: 1, timestamp: base + 50 });
    expect(await ask(to, base)).toMatchObject({ offset: 0, timestamp: base });
    expect(await ask(to, base + 51)).toMatchObject({ offset: 3, timestamp: base + 80 });
    expect(await ask(to, base + 81)).toMatchObject({ errorCode: 0, offset: -1, timestamp: -1, leaderEpoch: -1 });
  });

  it('answers 3 for a partition that does not exist', async () => {
    const to = await bench().partition();
    expect(await ask({ ...to, partition: 4 }, -1)).toMatchObject({ errorCode: 3, offset: -1 });
  });
}

export function deleteRecordsChapter(bench: () => Workbench): void {
  const remove = async (to: { topic: string; partition: number }, offset: number): Promise<number> => {
    const request = { timeoutMs: 10_000, partitions: [{ ...to, offset }] };
    return (await bench().port.deleteRecords(await bench().leader({ ...to, partition: 0 }), request)).partitions[0]!.errorCode;
  };

  it('moves the start of the log, and answers what lies before it 1', async () => {
    const to = await bench().partition();
    for (const value of ['a', 'b', 'c']) await bench().write(to, value);
    expect(await remove(to, 2)).toBe(0);
    expect(await bench().offsets(to)).toEqual({ start: 2, stable: 3, end: 3 });
    expect(await bench().fetch({ ...to, offset: 1 })).toMatchObject({ errorCode: 1, ...UNKNOWN_OFFSETS });
    expect(await bench().fetch({ ...to, offset: 2 })).toMatchObject({ errorCode: 0, logStartOffset: 2 });
    expect(await bench().read(to, { from: 2 })).toEqual(['c']);
  });

  it('gives a batch that begins before the start whole', async () => {
    const to = await bench().partition();
    await bench().write(to, 'a', 'b', 'c');
    expect(await remove(to, 1)).toBe(0);
    const { records } = await bench().fetch({ ...to, offset: 1 });
    expect(readBatchHeader(records).baseOffset).toBe(0);
    expect(await bench().read(to, { from: 1 })).toEqual(['b', 'c']);
  });

  it('takes -1 for the high watermark', async () => {
    const to = await bench().partition();
    await bench().write(to, 'a', 'b');
    expect(await remove(to, -1)).toBe(0);
    expect(await bench().offsets(to)).toEqual({ start: 2, stable: 2, end: 2 });
    expect(await bench().write(to, 'c')).toBe(2);
  });

  it('does nothing below the start, and answers 1 above the high watermark', async () => {
    const to = await bench().partition();
    await bench().write(to, 'a', 'b');
    expect(await remove(to, 1)).toBe(0);
    expect(await remove(to, 0)).toBe(0);
    expect(await remove(to, 3)).toBe(1);
    expect((await bench().offsets(to)).start).toBe(1);
  });

  it('answers 3 for a partition that does not exist, and 44 where the policy forbids it', async () => {
    expect(await remove({ ...(await bench().partition()), partition: 3 }, 0)).toBe(3);
    const compacted = await bench().partition({ 'cleanup.policy': 'compact' });
    await bench().write(compacted, { key: 'k', value: 'v' });
    expect(await remove(compacted, 1)).toBe(44);
  });
}

export function adminChapter(bench: () => Workbench): void {
  const create = async (topic: string, partitions = 1, configs = {}, replicationFactor = -1): Promise<number> => {
    const answer = await bench().port.createTopics([{ topic, partitions, replicationFactor, configs }], 10_000);
    return answer.topics[0]!.errorCode;
  };

  it('answers 36 for a topic that exists, 17 for a name Kafka does not allow', async () => {
    expect(await create(await bench().topic())).toBe(36);
    for (const name of ['bad name', '..', 'x'.repeat(250), 'ä']) expect(await create(name)).toBe(17);
  });

  it('answers 37, 38 and 40 for partitions, replicas and settings that cannot be', async () => {
    expect(await create(bench().name('topic'), 0)).toBe(37);
    expect(await create(bench().name('topic'), 1, {}, 99)).toBe(38);
    expect(await create(bench().name('topic'), 1, { 'no.such.setting': '1' })).toBe(40);
    expect(await create(bench().name('topic'), 1, { 'retention.ms': 'long' })).toBe(40);
  });

  it('creates each topic of a request by itself', async () => {
    const existing = await bench().topic();
    const fresh = bench().name('topic');
    const each = { partitions: 1, replicationFactor: -1, configs: {} };
    const answer = await bench().port.createTopics(
      [
        { topic: existing, ...each },
        { topic: fresh, ...each },
      ],
      10_000,
    );
    expect(answer.topics.find(({ topic }) => topic === existing)!.errorCode).toBe(36);
    expect(answer.topics.find(({ topic }) => topic === fresh)!.errorCode).toBe(0);
    await bench().port.deleteTopics([fresh], 10_000);
  });

  it('keeps settings, and names the defaults of the others', async () => {
    const topic = await bench().topic(1, { 'cleanup.policy': 'compact', 'retention.ms': '-1', 'message.timestamp.type': 'CreateTime' });
    const names = ['cleanup.policy', 'retention.ms', 'max.message.bytes', 'message.timestamp.type', 'segment.bytes', 'delete.retention.ms'];
    const answer = (await bench().port.describeConfigs([topic], names)).topics[0]!;
    expect(answer).toMatchObject({ topic, errorCode: 0 });
    expect(Object.fromEntries(answer.configs)).toEqual({
      'cleanup.policy': 'compact',
      'retention.ms': '-1',
      'max.message.bytes': '1048588',
      'message.timestamp.type': 'CreateTime',
      'segment.bytes': '1073741824',
      'delete.retention.ms': '86400000',
    });
  });

  it('names the defaults where nothing was set', async () => {
    const topic = await bench().topic();
    const names = ['cleanup.policy', 'retention.ms'];
    const { configs } = (await bench().port.describeConfigs([topic], names)).topics[0]!;
    expect(Object.fromEntries(configs)).toEqual({ 'cleanup.policy': 'delete', 'retention.ms': '604800000' });
  });

  it('answers 3 for settings of a topic that does not exist', async () => {
    expect((await bench().port.describeConfigs([bench().name('missing')], ['retention.ms'])).topics[0]!.errorCode).toBe(3);
  });

  it('deletes a topic, and gives one created anew under its name another id', async () => {
    const topic = await bench().topic();
    const before = (await bench().port.metadata([topic])).topics[0]!.topicId;
    expect((await bench().port.deleteTopics([topic], 10_000)).topics).toEqual([expect.objectContaining({ topic, errorCode: 0 })]);
    await bench().eventually('it is gone', async () => (await bench().port.metadata([topic])).topics[0]!.errorCode === 3 || undefined);
    expect((await bench().port.deleteTopics([topic], 10_000)).topics[0]!.errorCode).toBe(3);
    await bench().eventually('it is back', async () => (await create(topic)) === 0 || undefined);
    const after = await bench().eventually('it is known', async () => {
      const { errorCode, topicId } = (await bench().port.metadata([topic])).topics[0]!;
      return errorCode === 0 ? topicId : undefined;
    });
    expect(after).toMatch(/^[0-9a-f]{32}$/);
    expect(after).not.toBe(before);
  });
}
