import { PartitionBatches, stamp } from '../../src/kafka/batch-encode';
import { BatchReader, readHeaders } from '../../src/kafka/batch-decode';
import type { Compression } from '../../src/kafka/compression';
import { kafkaCode } from '../../src/kafka/error-codes';
import type { KafkaPort } from '../../src/kafka/port';
import { kafkaBroker } from '../../src/kafkajs/kafka-broker';
import { silentLogger } from '../../src/model/logger';
import { delay } from '../../src/time/clock';
import { systemClock } from '../../src/time/system-clock';
import { kafkaBrokers } from './brokers';

const NO_PRODUCER = [-1n, -1, -1] as const;
const now = systemClock.now();
/** What a broker's own check of each record, and ours, could trip over. */
const RECORDS = [
  { timestamp: now, key: null, value: 'no key' },
  { timestamp: now - 5, key: 'tombstone', value: null },
  { timestamp: 1000, key: '', value: '' },
  { timestamp: now - 1, key: 'grüße', value: '日本語 🙂' },
  ...Array.from({ length: 2000 }, (_, i) => ({ timestamp: now - i, key: `key-${i}`, value: 'value '.repeat(15) + String(i) })),
];

describe('record batches and a real broker', () => {
  let port: KafkaPort;

  beforeAll(() => {
    port = kafkaBroker({ brokers: kafkaBrokers(), clock: systemClock, logger: silentLogger }).connect('record-batch');
  });
  afterAll(() => port.close());

  /** Creates the topic and waits for its leader. */
  async function created(topic: string): Promise<number> {
    await port.createTopics([{ topic, partitions: 1, replicationFactor: 1, configs: { 'retention.ms': '-1' } }], 10_000);
    for (;;) {
      const { topics } = await port.metadata([topic]);
      const leader = topics[0]?.partitions[0]?.leader ?? -1;
      if (leader >= 0) return leader;
      await delay(systemClock, 50);
    }
  }

  it.each(['none', 'gzip', 'lz4'] as const)(
    'what is written with codec %s is accepted, and comes back',
    async (compression: Compression) => {
      const topic = `record-batch-${compression}-${now}`;
      const leader = await created(topic);
      const batches = new PartitionBatches({ topic, partition: 0 }, { maxBytes: 60_000 });
      for (const { timestamp, key, value } of RECORDS) batches.append(timestamp, key, value, [['h', Buffer.from('1')]]);
      for (const batch of batches.drain({ compression, transactional: false })) {
        stamp(batch, ...NO_PRODUCER);
        const request = { transactionalId: null, timeoutMs: 10_000, partitions: [{ topic, partition: 0, records: batch.bytes }] };
        const { partitions } = await port.produce(leader, request);
        expect(partitions).toMatchObject([{ errorCode: kafkaCode.NONE }]);
      }
      expect(await fetched(topic, leader)).toEqual(RECORDS.map((record, offset) => ({ ...record, offset, header: '1' })));
      await port.deleteTopics([topic], 10_000);
    },
  );

  async function fetched(topic: string, leader: number): Promise<unknown[]> {
    const reader = new BatchReader({ topic, partition: 0 });
    const read: unknown[] = [];
    let offset = 0;
    while (offset < RECORDS.length) {
      const partitions = [{ topic, partition: 0, offset, maxBytes: 100_000, leaderEpoch: -1 }];
      const answer = await port.fetch(leader, { maxWaitMs: 500, minBytes: 1, maxBytes: 1 << 20, readCommitted: true, partitions }, 'input');
      const { records, aborted } = answer.partitions[0]!;
      reader.reset(records, { aborted, from: offset, readCommitted: true });
      while (reader.nextRecord()) read.push(currentRecord(reader));
      offset = reader.nextOffset;
    }
    return read;
  }

  function currentRecord(reader: BatchReader): unknown {
    const text = (start: number, end: number): string | null => (start < 0 ? null : reader.buffer.toString('utf8', start, end));
    return {
      offset: reader.offset,
      timestamp: reader.timestamp,
      key: text(reader.keyStart, reader.keyEnd),
      value: text(reader.valueStart, reader.valueEnd),
      header: Buffer.from(readHeaders(reader.buffer, reader.headersStart, reader.headerCount).get('h')!).toString(),
    };
  }
});
