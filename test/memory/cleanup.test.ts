import { BatchBuilder, stamp } from '../../src/kafka/batch-encode';
import { BatchReader } from '../../src/kafka/batch-decode';
import type { Compression } from '../../src/kafka/compression';
import type { KafkaPort, ProducerIdentity } from '../../src/kafka/port';
import { attribute, crcHolds, readBatchHeader } from '../../src/kafka/record-batch';
import { memoryBroker, type MemoryBroker } from '../../src/memory/memory-broker';
import { type ManualClock, manualClock } from '../../src/time/manual-clock';
import { Driven } from './driven';

const AT = { topic: 'profiles', partition: 0 };
const COMPACTED = { 'cleanup.policy': 'compact', 'segment.ms': '1000' };
const DAY_MS = 86_400_000;

type Row = readonly [key: string | null, value: string | null, timestamp?: number];

interface Producer extends ProducerIdentity {
  readonly transactionalId: string;
  sequence: number;
}

/** A broker with one topic of one partition, and one client. */
class Setup {
  readonly clock: ManualClock = manualClock();
  readonly broker: MemoryBroker = memoryBroker({ clock: this.clock });
  readonly port: KafkaPort = new Driven(this.clock).port(this.broker.connect('client'));
  /** Of the records that say no other: long before the clock's, whose time the markers carry. */
  readonly start = this.clock.now() - 1_000_000;

  constructor(configs: Readonly<Record<string, string>> = COMPACTED) {
    this.broker.createTopic(AT.topic, 1, configs);
  }

  async write(rows: readonly Row[], producer?: Producer, compression: Compression = 'none'): Promise<number> {
    const builder = new BatchBuilder();
    for (const [key, value, timestamp = 0] of rows) builder.append(this.start + timestamp, key, value);
    const batch = builder.finish({ compression, transactional: producer !== undefined });
    stamp(batch, producer?.producerId ?? -1n, producer?.producerEpoch ?? -1, producer?.sequence ?? -1);
    const transactionalId = producer?.transactionalId ?? null;
    if (producer !== undefined) {
      await this.port.addPartitionsToTxn(1, { ...producer, partitions: [AT] });
      producer.sequence += rows.length;
    }
    const partitions = [{ ...AT, records: Buffer.from(batch.bytes) }];
    const answer = (await this.port.produce(1, { transactionalId, timeoutMs: 1_000, partitions })).partitions[0]!;
    expect(answer.errorCode).toBe(0);
    return answer.baseOffset;
  }

  async producer(transactionalId: string): Promise<Producer> {
    const identity = await this.port.initProducerId(1, { transactionalId, transactionTimeoutMs: 600_000 });
    return { ...identity, transactionalId, sequence: 0 };
  }

  async end(producer: Producer, commit: boolean): Promise<void> {
    expect((await this.port.endTxn(1, { ...producer, commit })).errorCode).toBe(0);
    await this.clock.settle();
  }

  /** Each batch: `base-last`, what it is, and its records' offsets with key and value. */
  log(): string[] {
    return this.broker.partition(AT)!.batches.map((bytes) => {
      const { baseOffset, lastOffset, attributes, recordCount } = readBatchHeader(bytes);
      expect(crcHolds(bytes, 0, bytes.length)).toBe(true);
      const has = (flag: number, letter: string): string => ((attributes & flag) === 0 ? '' : letter);
      const kind = has(attribute.control, 'C') + has(attribute.transactional, 'T') + has(attribute.deleteHorizon, 'H');
      const what = [`${baseOffset}-${lastOffset}`, kind, recordCount === 0 ? 'empty' : '', ...this.records(bytes)];
      return what.filter((part) => part !== '').join(' ');
    });
  }

  records(bytes: Buffer): string[] {
    const reader = new BatchReader(AT);
    reader.reset(bytes, { aborted: [], from: 0, readCommitted: false });
    const text = (start: number, end: number): string => (start < 0 ? 'null' : reader.buffer.toString('utf8', start, end));
    const found: string[] = [];
    while (reader.nextRecord()) {
      const { offset, keyStart, keyEnd, valueStart, valueEnd } = reader;
      found.push(`${offset}:${text(keyStart, keyEnd)}=${text(valueStart, valueEnd)}`);
    }
    return found;
  }
}

describe('compaction', () => {
  it('leaves what Kafka 4.3.1 left of the same log, pass by pass', async () => {
    const setup = new Setup({ ...COMPACTED, 'delete.retention.ms': '3000' });
    const next = async (rows: readonly Row[], passedMs: number): Promise<void> => {
      await setup.clock.advance(passedMs);
      await setup.write(rows);
      setup.broker.compact(AT.topic);
    };
    await setup.write([['a', '1', 0], ['b', '1', 1]]); // prettier-ignore
    await setup.write([['a', '2', 2]]);
    await setup.write([['b', null, 3], ['x', '1', 4]]); // prettier-ignore
    const one = await setup.producer('one');
    await setup.write([['c', 'aborted', 5], ['a', 'aborted', 5]], one); // prettier-ignore
    await setup.end(one, false);
    setup.broker.compact(AT.topic);
    await setup.write([['d', '1', 6]], one);
    await setup.end(one, true);
    await setup.write([['d', '2', 7], ['e', '2', 8]], one); // prettier-ignore
    await setup.end(one, true);
    const two = await setup.producer('two');
    await setup.write([['f', 'aborted', 9]], two);
    await setup.end(two, false);
    await setup.write([['e', '3', 10]]);
    await next([['z', '1', 2_000]], 0);
    const kept = [
      ...['8-8 T 8:d=1', '9-9 CT', '10-11 T 10:d=2 11:e=2', '12-12 CT', '13-13 T 13:f=aborted', '14-14 CT', '15-15 15:e=3'],
      '16-16 16:z=1',
    ];
    expect(setup.log()).toEqual(['2-2 2:a=2', '3-4 H 3:b=null 4:x=1', '5-6 T empty', '7-7 CT', ...kept]);
    await next([['z', '2', 4_000]], 5_000);
    await next([['z', '3', 6_000]], 5_000);
    // Only the next marker is late enough to begin a segment: until then there is nothing new to compact.
    expect(setup.log()).toHaveLength(4 + kept.length + 2);
    await setup.clock.advance(5_000);
    await setup.write([['g', '3', 8_000]], one);
    await setup.end(one, true);
    await next([['z', '4', 10_000]], 0);
    expect(setup.log()).toEqual([
      ...['2-2 2:a=2', '3-4 H 4:x=1', '7-7 CT', '9-9 CT', '10-11 T 10:d=2', '12-12 CT', '13-13 T empty', '14-14 CT', '15-15 15:e=3'],
      ...['18-18 18:z=3', '19-19 T 19:g=3', '20-20 CT', '21-21 21:z=4'],
    ]);
  });

  it('removes a marker when nothing of its transaction is left, delete.retention.ms after it was seen so', async () => {
    const setup = new Setup({ ...COMPACTED, 'delete.retention.ms': '3000' });
    const pass = async (): Promise<string[]> => {
      await setup.write([['z', '']]);
      setup.broker.roll(AT.topic);
      setup.broker.compact(AT.topic);
      return setup.log().filter((batch) => batch.includes('T'));
    };
    for (const commit of [true, false]) {
      const producer = await setup.producer(`ends ${commit}`);
      await setup.write([['a', 'x']], producer);
      await setup.end(producer, commit);
      // Else its last batch would stay, for its sequence.
      await setup.write([['b', 'x']], producer);
      await setup.end(producer, true);
    }
    await setup.write([['a', 'y'], ['b', 'y']]); // prettier-ignore
    expect(await pass()).toEqual(['1-1 CT', '2-2 T empty', '3-3 CT', '5-5 CT', '6-6 T empty', '7-7 CT']);
    expect(await pass()).toEqual(['1-1 CTH', '2-2 T empty', '3-3 CT', '5-5 CTH', '6-6 T empty', '7-7 CT']);
    await setup.clock.advance(2_999);
    expect(await pass()).toEqual(['1-1 CTH', '2-2 T empty', '3-3 CT', '5-5 CTH', '6-6 T empty', '7-7 CT']);
    await setup.clock.advance(1);
    expect(await pass()).toEqual(['2-2 T empty', '3-3 CT', '6-6 T empty', '7-7 CT']);
  });

  it('tells readers of an aborted transaction for as long as there is something of it', async () => {
    const setup = new Setup();
    const fetchAborted = async (): Promise<number[]> => {
      const partitions = [{ ...AT, offset: 0, maxBytes: 1 << 20, leaderEpoch: -1 }];
      const answer = await setup.port.fetch(1, { maxWaitMs: 0, minBytes: 0, maxBytes: 1 << 20, readCommitted: true, partitions }, 'input');
      return answer.partitions[0]!.aborted.map(({ firstOffset }) => firstOffset);
    };
    const producer = await setup.producer('t');
    for (const key of ['a', 'b']) {
      await setup.write([[key, 'aborted']], producer);
      await setup.end(producer, false);
    }
    for (const expected of [[0, 2], [2]]) {
      await setup.write([['z', '']]);
      setup.broker.roll(AT.topic);
      setup.broker.compact(AT.topic);
      expect(await fetchAborted()).toEqual(expected);
    }
    expect(setup.log().slice(0, 3)).toEqual(['1-1 CTH', '2-2 T empty', '3-3 CT']);
  });

  it('keeps a tombstone for ever when nothing comes after it: a log without news is not cleaned again', async () => {
    const setup = new Setup({ ...COMPACTED, 'delete.retention.ms': '0' });
    await setup.write([['a', '1']]);
    await setup.write([['a', null]]);
    await setup.write([['z', '1']]);
    setup.broker.roll(AT.topic);
    expect(setup.broker.compact(AT.topic)).toBe(1);
    await setup.clock.advance(DAY_MS);
    expect(setup.broker.compact(AT.topic)).toBe(0);
    expect(setup.log()).toEqual(['1-1 H 1:a=null', '2-2 2:z=1']);
    await setup.write([['z', '2']]);
    setup.broker.roll(AT.topic);
    expect(setup.broker.compact(AT.topic)).toBe(1);
    expect(setup.log()).toEqual(['2-2 2:z=1', '3-3 3:z=2']);
  });

  it('never touches the last batch, however often the segment is rolled', async () => {
    const setup = new Setup();
    for (const value of ['1', '2', '3']) await setup.write([['a', value], ['a', value]]); // prettier-ignore
    for (let i = 0; i < 3; i++) {
      setup.broker.roll(AT.topic);
      setup.broker.compact(AT.topic);
    }
    // Nor does it replace anything yet.
    expect(setup.log()).toEqual(['2-3 3:a=2', '4-5 4:a=3 5:a=3']);
  });

  it.each(['gzip', 'lz4'] as const)('writes a batch in %s anew in the same way', async (compression) => {
    const setup = new Setup();
    const long = 'x'.repeat(200);
    await setup.write([['a', long], ['b', long], ['c', long]], undefined, compression); // prettier-ignore
    await setup.write([['a', '']]);
    await setup.write([['z', '']]);
    setup.broker.roll(AT.topic);
    const codec = (): number => readBatchHeader(setup.broker.partition(AT)!.batches[0]!).attributes & attribute.compression;
    const before = codec();
    expect(setup.broker.compact(AT.topic)).toBe(1);
    expect(codec()).toBe(before);
    expect(setup.log()[0]).toBe(`0-2 1:b=${long} 2:c=${long}`);
  });

  it('leaves other topics alone, and knows none that are not there', async () => {
    const setup = new Setup({ 'segment.ms': '1' });
    for (const value of ['1', '2', '3']) await setup.write([['a', value]]);
    setup.broker.roll(AT.topic);
    expect([setup.broker.compact(AT.topic), setup.broker.compact()]).toEqual([0, 0]);
    expect(setup.log()).toHaveLength(3);
    for (const call of ['compact', 'passRetention', 'roll', 'deleteTopic'] as const) {
      expect(() => setup.broker[call]('missing')).toThrow(expect.objectContaining({ code: 'UNKNOWN_TOPIC' }) as Error);
    }
  });

  it('begins a segment after max.compaction.lag.ms, when that is less than segment.ms', async () => {
    const setup = new Setup({ 'cleanup.policy': 'compact', 'max.compaction.lag.ms': '1000' });
    for (const value of ['1', '2']) await setup.write([['a', value]]);
    await setup.write([['b', '1', 1_000]]);
    expect(setup.broker.compact(AT.topic)).toBe(0);
    await setup.write([['b', '2', 1_001]]);
    expect(setup.broker.compact(AT.topic)).toBe(1);
  });
});

describe('retention', () => {
  it('removes also the segment that is being written when all of it is too old', async () => {
    const setup = new Setup({ 'retention.ms': '999999' });
    await setup.write([['a', '1']]);
    await setup.write([[null, '2', 5]]);
    expect(setup.broker.passRetention(AT.topic)).toBe(0);
    await setup.clock.advance(6);
    expect(setup.broker.passRetention(AT.topic)).toBe(2);
    expect(setup.broker.partition(AT)).toMatchObject({ logStartOffset: 2, highWatermark: 2, batches: [] });
    expect(await setup.write([['a', '3', 1_000_000]])).toBe(2);
  });

  it('removes records of an open transaction, too: the last stable offset is never below the log start', async () => {
    const setup = new Setup({ 'retention.ms': '1000', 'segment.ms': '1000' });
    await setup.write([['a', 'open']], await setup.producer('t'));
    await setup.write([['b', '1', 2_000]]);
    expect(setup.broker.partition(AT)).toMatchObject({ lastStableOffset: 0, highWatermark: 2 });
    setup.broker.passRetention();
    expect(setup.broker.partition(AT)).toMatchObject({ logStartOffset: 2, lastStableOffset: 2, highWatermark: 2 });
  });

  it('goes by the latest record of what compaction has put together', async () => {
    const setup = new Setup({ ...COMPACTED, 'cleanup.policy': 'compact,delete', 'retention.ms': '60000' });
    await setup.write([['a', '1']]);
    await setup.write([['b', '1', 1_000_000]]);
    await setup.write([['c', '1', 1_002_000]]);
    setup.broker.compact(AT.topic);
    expect(setup.broker.passRetention(AT.topic)).toBe(0);
    await setup.clock.advance(60_001);
    expect(setup.broker.passRetention(AT.topic)).toBe(2);
  });

  it('removes the oldest segments beyond retention.bytes', async () => {
    const setup = new Setup({ 'segment.ms': '1000', 'retention.ms': '-1', 'retention.bytes': '150' });
    for (const segment of [0, 1, 2, 3]) await setup.write([['a', '', 2_000 * segment]]); // 69 bytes each
    expect(setup.broker.passRetention(AT.topic)).toBe(1);
    expect(setup.broker.passRetention(AT.topic)).toBe(0);
  });

  it('keeps everything with retention.ms=-1, and what is only compacted', async () => {
    for (const configs of [{ 'retention.ms': '-1' }, { ...COMPACTED, 'retention.ms': '1' }]) {
      const setup = new Setup(configs);
      await setup.write([['a', '1']]);
      await setup.clock.advance(30 * DAY_MS);
      expect(setup.broker.passRetention()).toBe(0);
    }
  });
});

it.each([
  [{ 'segment.ms': '0' }, /segment\.ms: Value must be at least 1/],
  [{ 'segment.bytes': '1000' }, /segment\.bytes: Value must be at least 1048576/],
  [{ 'retention.ms': '-2' }, /retention\.ms: Value must be at least -1/],
  [{ 'min.compaction.lag.ms': '10', 'max.compaction.lag.ms': '5' }, /min\.compaction\.lag\.ms \(10\) > max\.compaction\.lag\.ms \(5\)/],
  [{ 'cleanup.policy': 'none' }, /Invalid value none for configuration cleanup\.policy/],
])('a topic with %j is refused, as by Kafka', (configs, message) => {
  expect(() => new Setup(configs as Record<string, string>)).toThrow(message);
});

it('a topic that is deleted and created anew has another id and nothing of the old one', async () => {
  const setup = new Setup();
  const idOf = async (): Promise<string> => (await setup.port.metadata([AT.topic])).topics[0]!.topicId;
  await setup.write([['a', '1']]);
  const before = await idOf();
  setup.broker.deleteTopic(AT.topic);
  expect(setup.broker.partition(AT)).toBeUndefined();
  setup.broker.createTopic(AT.topic, 1, COMPACTED);
  expect(await idOf()).not.toBe(before);
  expect(setup.broker.partition(AT)).toMatchObject({ logStartOffset: 0, highWatermark: 0 });
});
