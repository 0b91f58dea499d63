import fc from 'fast-check';
import type { TopicPartition } from '../../src/kafka/port';
import { Writer } from '../../src/kafkajs/bytes';
import { frame, readAnswer, wireRequest, type Exchange } from '../../src/kafkajs/exchange';
import { exchanges } from '../../src/kafkajs/requests/all';
import { byTopic, byTopicInOrder } from '../../src/kafkajs/requests/by-topic';
import * as cluster from '../../src/kafkajs/requests/cluster';
import * as groups from '../../src/kafkajs/requests/groups';
import * as log from '../../src/kafkajs/requests/log';
import * as topics from '../../src/kafkajs/requests/topics';
import * as transactions from '../../src/kafkajs/requests/transactions';
import { thrownBy } from './rejection';

interface StockEncoder {
  readonly buffer: Buffer;
}
type StockRequest = (question: object) => { readonly apiKey: number; readonly apiVersion: number; encode(): Promise<StockEncoder> };

/** kafkajs' own encoders, where it has the same version: written by other people. */
function stock(path: string): StockRequest {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require(`kafkajs/src/protocol/requests/${path}/request`) as StockRequest;
}
async function expectSameAsStock<Q, A>(exchange: Exchange<Q, A>, question: Q, path: string, stockQuestion: object): Promise<void> {
  const request = stock(path)(stockQuestion);
  const body = (await request.encode()).buffer;
  expect([exchange.key, exchange.version]).toEqual([request.apiKey, request.apiVersion]);
  expect(frame(exchange, 'me', question).subarray(16).toString('hex')).toBe(body.toString('hex'));
}

const hex = (text: string): string => text.replaceAll(/[^0-9a-f]/g, '');
const ascii = (text: string): string => Buffer.from(text).toString('hex');
const body = <Q, A>(exchange: Exchange<Q, A>, question: Q): string => frame(exchange, '', question).subarray(14).toString('hex');
const answer = <Q, A>(exchange: Exchange<Q, A>, text: string): unknown => readAnswer(exchange, Buffer.from(hex(text), 'hex'));

const member = { groupId: 'g', generationId: 7, memberId: 'm', groupInstanceId: 'i' };
const producer = { transactionalId: 't', producerId: 5n, producerEpoch: 2 };

describe('a frame', () => {
  it('has size, API, version, room for the correlation id and the client id in front', () => {
    expect(frame(groups.heartbeat, 'me', member).subarray(0, 16).toString('hex')).toBe(
      hex('00000019 000c 0003 00000000 0002') + ascii('me'),
    );
  });

  it('has tags behind the client id and at the end when the version is flexible', () => {
    const bytes = frame(cluster.findCoordinator, 'me', { key: 'g', type: 'group' });
    expect(bytes.toString('hex')).toBe(hex('00000011 000a 0003 00000000 0002') + ascii('me') + hex('00 02') + ascii('g') + hex('00 00'));
  });

  it('is PROTOCOL when a value does not fit', () => {
    const partitions = [{ topic: 'a', partition: 0, timestamp: 2 ** 60 }];
    const error = thrownBy(() => frame(log.listOffsets, 'me', { readCommitted: true, partitions }));
    expect(error).toMatchObject({ code: 'PROTOCOL', retryable: false });
  });

  it('copies the records of a Produce once, into a buffer that need not grow', () => {
    const records = Buffer.alloc(3_000_000, 1);
    const question = {
      transactionalId: 'täg',
      timeoutMs: 1,
      partitions: [0, 1].map((partition) => ({ topic: 'täg', partition, records })),
    };
    const hint = log.produce.sizeHint!(question);
    const writer = new Writer(hint);
    log.produce.write(writer, question);
    const bytes = writer.finish();
    expect(bytes.length).toBeLessThanOrEqual(hint);
    expect(bytes.buffer.byteLength).toBe(hint);
  });

  it('is made when asked for: what becomes of the records afterwards is not sent', () => {
    const records = Buffer.from('abc');
    const request = wireRequest(
      log.produce,
      'me',
      { transactionalId: null, timeoutMs: 1, partitions: [{ topic: 't', partition: 0, records }] },
      1,
    );
    records.fill(0);
    expect(request.request.frame?.includes('abc')).toBe(true);
  });
});

describe('requests that kafkajs encodes too', () => {
  it('Fetch v11 is the same', async () => {
    const partitions = [
      { topic: 'b', partition: 3, offset: 2 ** 40, maxBytes: 1000, leaderEpoch: 4 },
      { topic: 'b', partition: 1, offset: 0, maxBytes: 1000, leaderEpoch: -1 },
      { topic: 'a', partition: 0, offset: 5, maxBytes: 1000, leaderEpoch: -1 },
    ];
    await expectSameAsStock(log.fetch, { maxWaitMs: 500, minBytes: 1, maxBytes: 9_000_000, readCommitted: true, partitions }, 'fetch/v11', {
      replicaId: -1,
      maxWaitTime: 500,
      minBytes: 1,
      maxBytes: 9_000_000,
      isolationLevel: 1,
      topics: [
        {
          topic: 'b',
          partitions: [
            { partition: 3, currentLeaderEpoch: 4, fetchOffset: `${2 ** 40}`, maxBytes: 1000 },
            { partition: 1, fetchOffset: '0', maxBytes: 1000 },
          ],
        },
        { topic: 'a', partitions: [{ partition: 0, fetchOffset: '5', maxBytes: 1000 }] },
      ],
    });
  });

  it('JoinGroup v5 is the same', async () => {
    const metadata = Buffer.from('meta');
    await expectSameAsStock(
      groups.joinGroup,
      {
        groupId: 'g',
        memberId: '',
        groupInstanceId: 'i',
        sessionTimeoutMs: 45_000,
        rebalanceTimeoutMs: 60_000,
        protocolType: 'consumer',
        protocols: [{ name: 'millrace-1', metadata }],
      },
      'joinGroup/v5',
      {
        groupId: 'g',
        memberId: '',
        groupInstanceId: 'i',
        sessionTimeout: 45_000,
        rebalanceTimeout: 60_000,
        protocolType: 'consumer',
        groupProtocols: [{ name: 'millrace-1', metadata }],
      },
    );
  });

  it('SyncGroup v3, Heartbeat v3 and LeaveGroup v3 are the same', async () => {
    const assignment = Buffer.from('mine');
    await expectSameAsStock(groups.syncGroup, { ...member, assignments: [{ memberId: 'm', assignment }] }, 'syncGroup/v3', {
      ...member,
      groupAssignment: [{ memberId: 'm', memberAssignment: assignment }],
    });
    await expectSameAsStock(groups.heartbeat, member, 'heartbeat/v3', { ...member, groupGenerationId: 7 });
    const leaving = { groupId: 'g', members: [{ memberId: 'm', groupInstanceId: null }] };
    await expectSameAsStock(groups.leaveGroup, leaving, 'leaveGroup/v3', leaving);
  });

  it('DeleteRecords v1 and DescribeConfigs v2 are the same', async () => {
    await expectSameAsStock(
      log.deleteRecords,
      { partitions: [{ topic: 'a', partition: 2, offset: -1 }], timeoutMs: 9 },
      'deleteRecords/v1',
      {
        topics: [{ topic: 'a', partitions: [{ partition: 2, offset: '-1' }] }],
        timeout: 9,
      },
    );
    await expectSameAsStock(topics.describeConfigs, { topics: ['a'], names: ['x', 'y'] }, 'describeConfigs/v2', {
      resources: [{ type: 2, name: 'a', configNames: ['x', 'y'] }],
      includeSynonyms: false,
    });
  });

  it('CreateTopics v4 has the layout of v3', async () => {
    const { buffer } = await stock('createTopics/v3')({
      topics: [{ topic: 'a', numPartitions: 3, replicationFactor: -1, configEntries: [{ name: 'retention.ms', value: '-1' }] }],
      timeout: 9,
    }).encode();
    const newTopic = { topic: 'a', partitions: 3, replicationFactor: -1, configs: { 'retention.ms': '-1' } };
    expect(body(topics.createTopics, { topics: [newTopic], timeoutMs: 9 })).toBe(buffer.toString('hex'));
  });
});

describe('requests that kafkajs has not', () => {
  it('Metadata v10 asks by name and lets nothing be created', () => {
    expect(body(cluster.metadata, ['ab'])).toBe(hex(`00 02 ${'00'.repeat(16)} 03 ${ascii('ab')} 00 00 00 00 00`));
  });

  it('Produce v8', () => {
    const partitions = [{ topic: 'a', partition: 1, records: Buffer.from([1, 2]) }];
    expect(body(log.produce, { transactionalId: 't', timeoutMs: 9, partitions })).toBe(
      hex(`0001 ${ascii('t')} ffff 00000009 00000001 0001 ${ascii('a')} 00000001 00000001 00000002 0102`),
    );
  });

  it('ListOffsets v5', () => {
    expect(body(log.listOffsets, { readCommitted: true, partitions: [{ topic: 'a', partition: 1, timestamp: -2 }] })).toBe(
      hex(`ffffffff 01 00000001 0001 ${ascii('a')} 00000001 00000001 ffffffff fffffffffffffffe`),
    );
  });

  it('InitProducerId v4 with and without a producer', () => {
    expect(body(transactions.initProducerId, { transactionalId: 't', transactionTimeoutMs: 9 })).toBe(
      hex(`00 02 ${ascii('t')} 00000009 ffffffffffffffff ffff 00`),
    );
    const current = { producerId: 5n, producerEpoch: 2 };
    expect(body(transactions.initProducerId, { transactionalId: 't', transactionTimeoutMs: 9, current })).toBe(
      hex(`00 02 ${ascii('t')} 00000009 0000000000000005 0002 00`),
    );
  });

  it('DescribeGroups v5, and its answer', () => {
    expect(body(groups.describeGroup, 'g')).toBe(hex(`00 02 02 ${ascii('g')} 00 00`));
    const member = `02 ${ascii('m')} 02 ${ascii('i')} 02 ${ascii('c')} 03 ${ascii('/h')} 03 abcd 02 ef 00`;
    const other = `02 ${ascii('n')} 00 02 ${ascii('c')} 03 ${ascii('/h')} 01 01 00`;
    const group = `0000 02 ${ascii('g')} 02 ${ascii('s')} 02 ${ascii('t')} 02 ${ascii('p')} 03 ${member} ${other} 80000000 00`;
    const common = { clientId: 'c', clientHost: '/h' };
    expect(answer(groups.describeGroup, `00 00000007 02 ${group} 00`)).toEqual({
      throttleMs: 7,
      answer: {
        errorCode: 0,
        members: [
          { memberId: 'm', groupInstanceId: 'i', ...common, metadata: Buffer.from('abcd', 'hex') },
          { memberId: 'n', groupInstanceId: null, ...common, metadata: Buffer.alloc(0) },
        ],
      },
    });
  });

  it('DescribeTransactions v0, and its answer', () => {
    expect(body(transactions.describeTransactions, ['t', 'u'])).toBe(hex(`00 03 02 ${ascii('t')} 02 ${ascii('u')} 00`));
    const of = (id: string, rest: string): string => `02 ${ascii(id)} ${rest}`;
    const open = of('t', `08 ${ascii('Ongoing')} 0000c350 0000000000000009 0000000000000005 0002 02 02 ${ascii('a')} 02 00000003 00 00`);
    const unknown = of('u', '01 00000000 ffffffffffffffff ffffffffffffffff ffff 01 00');
    expect(answer(transactions.describeTransactions, `00 00000007 03 0000 ${open} 0069 ${unknown} 00`)).toEqual({
      throttleMs: 7,
      answer: {
        transactions: [
          { transactionalId: 't', errorCode: 0, state: 'Ongoing', timeoutMs: 50_000, producerId: 5n, producerEpoch: 2 },
          { transactionalId: 'u', errorCode: 105, state: '', timeoutMs: 0, producerId: -1n, producerEpoch: -1 },
        ],
      },
    });
  });

  it('AddPartitionsToTxn v3, AddOffsetsToTxn v3, EndTxn v3', () => {
    const head = `00 02 ${ascii('t')} 0000000000000005 0002`;
    expect(body(transactions.addPartitionsToTxn, { ...producer, partitions: [{ topic: 'a', partition: 3 }] })).toBe(
      hex(`${head} 02 02 ${ascii('a')} 02 00000003 00 00`),
    );
    expect(body(transactions.addOffsetsToTxn, { ...producer, groupId: 'g' })).toBe(hex(`${head} 02 ${ascii('g')} 00`));
    expect(body(transactions.endTxn, { ...producer, commit: true })).toBe(hex(`${head} 01 00`));
  });

  it('TxnOffsetCommit v3 carries member and generation', () => {
    const partitions = [{ topic: 'a', partition: 3, offset: 9, metadata: 'c' }];
    expect(body(transactions.txnOffsetCommit, { ...producer, ...member, partitions })).toBe(
      hex(
        `00 02 ${ascii('t')} 02 ${ascii('g')} 0000000000000005 0002 00000007 02 ${ascii('m')} 02 ${ascii('i')}
         02 02 ${ascii('a')} 02 00000003 0000000000000009 ffffffff 02 ${ascii('c')} 00 00 00`,
      ),
    );
  });

  it('OffsetCommit v7 and OffsetFetch v7', () => {
    const partitions = [{ topic: 'a', partition: 3, offset: 9, metadata: 'c' }];
    expect(body(groups.offsetCommit, { ...member, partitions })).toBe(
      hex(
        `0001 ${ascii('g')} 00000007 0001 ${ascii('m')} 0001 ${ascii('i')}
         00000001 0001 ${ascii('a')} 00000001 00000003 0000000000000009 ffffffff 0001 ${ascii('c')}`,
      ),
    );
    expect(body(groups.offsetFetch, { groupId: 'g', requireStable: true, partitions: [{ topic: 'a', partition: 3 }] })).toBe(
      hex(`00 02 ${ascii('g')} 02 02 ${ascii('a')} 02 00000003 00 01 00`),
    );
  });

  it('DeleteTopics v5', () => {
    expect(body(topics.deleteTopics, { topics: ['ab'], timeoutMs: 9 })).toBe(hex(`00 02 03 ${ascii('ab')} 00000009 00`));
  });
});

describe('answers', () => {
  it('a Fetch keeps what each partition says beside the error of another', () => {
    expect(
      answer(
        log.fetch,
        `00000007 0000 00000000 00000001 0001 ${ascii('a')} 00000002
         00000000 0001 ffffffffffffffff ffffffffffffffff ffffffffffffffff ffffffff ffffffff ffffffff
         00000001 0000 0000000000000009 0000000000000008 0000000000000001 00000001 0000000000000005 0000000000000002 ffffffff 00000002 0102`,
      ),
    ).toEqual({
      throttleMs: 7,
      answer: {
        errorCode: 0,
        partitions: [
          {
            topic: 'a',
            partition: 0,
            errorCode: 1,
            highWatermark: -1,
            lastStableOffset: -1,
            logStartOffset: -1,
            aborted: [],
            records: Buffer.alloc(0),
          },
          {
            topic: 'a',
            partition: 1,
            errorCode: 0,
            highWatermark: 9,
            lastStableOffset: 8,
            logStartOffset: 1,
            aborted: [{ producerId: 5n, firstOffset: 2 }],
            records: Buffer.from([1, 2]),
          },
        ],
      },
    });
  });

  it('a Produce says which record was refused and why', () => {
    expect(
      answer(
        log.produce,
        `00000001 0001 ${ascii('a')} 00000001 00000001 0020 ffffffffffffffff ffffffffffffffff ffffffffffffffff
         00000001 00000002 0002 ${ascii('no')} 0003 ${ascii('bad')} 00000009`,
      ),
    ).toEqual({
      throttleMs: 9,
      answer: {
        partitions: [
          {
            topic: 'a',
            partition: 1,
            errorCode: 32,
            baseOffset: -1,
            logStartOffset: -1,
            recordErrors: [{ index: 2, message: 'no' }],
            errorMessage: 'bad',
          },
        ],
      },
    });
  });

  it('a LeaveGroup answers the refusal of a member', () => {
    expect(answer(groups.leaveGroup, `00000000 0000 00000001 0001 ${ascii('m')} ffff 0019`)).toEqual({
      throttleMs: 0,
      answer: { errorCode: 25 },
    });
  });

  it('a JoinGroup does not keep the memory of the answer alive', () => {
    const payload = Buffer.from(
      hex(`00000000 0000 00000001 0001 ${ascii('p')} 0001 ${ascii('m')} 0001 ${ascii('m')} 00000001 0001 ${ascii('m')} ffff 00000002 0102`),
      'hex',
    );
    const { answer: joined } = readAnswer(groups.joinGroup, payload);
    payload.fill(0);
    expect(joined.members).toEqual([{ memberId: 'm', groupInstanceId: null, metadata: Buffer.from([1, 2]) }]);
  });

  it('a truncated answer is PROTOCOL and names the request', () => {
    const error = thrownBy(() => answer(groups.heartbeat, '00000000'));
    expect(error.code).toBe('PROTOCOL');
    expect(error.message).toContain('Heartbeat v3');
  });
});

describe('partitions below their topic', () => {
  const partitions = fc.array(fc.record({ topic: fc.constantFrom('a', 'b', 'c'), partition: fc.nat(9) }));
  const flat = (grouped: readonly { readonly partitions: readonly TopicPartition[] }[]): TopicPartition[] =>
    grouped.flatMap((topic) => topic.partitions);

  it('has every partition once and every topic once', () => {
    fc.assert(
      fc.property(partitions, (all) => {
        const grouped = byTopic(all);
        expect(new Set(flat(grouped))).toEqual(new Set(all));
        expect(flat(grouped)).toHaveLength(all.length);
        expect(new Set(grouped.map(({ topic }) => topic)).size).toBe(grouped.length);
        for (const { topic, partitions: below } of grouped) expect(below.every((partition) => partition.topic === topic)).toBe(true);
      }),
    );
  });

  it('keeps the order of a fetch', () => {
    fc.assert(
      fc.property(partitions, (all) => {
        expect(flat(byTopicInOrder(all))).toEqual(all);
      }),
    );
  });
});

it('each API is asked in one version', () => {
  expect(new Set(exchanges.map(({ key }) => key)).size).toBe(exchanges.length);
});
