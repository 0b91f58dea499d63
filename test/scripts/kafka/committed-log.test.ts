import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommittedLog } from '../../../scripts/kafka/committed-log';
import type { PlainClient } from '../../../scripts/kafka/plain-client';

/** A batch of format 2, as far as the reader looks at it. */
function batch(base: number, producer: bigint, kind: 'plain' | 'transactional' | 'commit' | 'abort', keys: readonly string[] = []): Buffer {
  const control = kind === 'commit' || kind === 'abort';
  const marker = Buffer.from([0, 0, 0, kind === 'commit' ? 1 : 0]);
  const records = control ? [record(0, marker)] : keys.map((key, at) => record(at, Buffer.from(key)));
  const head = Buffer.alloc(61);
  head.writeBigInt64BE(BigInt(base), 0);
  head.writeInt16BE((kind === 'plain' ? 0 : 0x10) | (control ? 0x20 : 0), 21);
  head.writeInt32BE(records.length - 1, 23);
  head.writeBigInt64BE(1_000n, 27);
  head.writeBigInt64BE(producer, 43);
  head.writeInt32BE(records.length, 57);
  const whole = Buffer.concat([head, ...records]);
  whole.writeInt32BE(whole.length - 12, 8);
  return whole;
}

/** Lengths below 64, so that every zigzag varint is one byte. */
function record(delta: number, key: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from([0, delta * 2, delta * 2, key.length * 2]), key, Buffer.from([1, 0])]);
  return Buffer.concat([Buffer.from([body.length * 2]), body]);
}

/** One partition, given out so many bytes at a time; a batch may be cut off. */
function logOf(batches: readonly Buffer[], start = 0): CommittedLog {
  const client: Pick<PlainClient, 'metadata' | 'startOf' | 'fetch'> = {
    metadata: () =>
      Promise.resolve({
        brokers: [],
        partitions: [{ topic: 't', partition: 0, errorCode: 0, leader: 1, replicas: [1], inSync: [1] }],
      }),
    startOf: () => Promise.resolve(start),
    fetch: (_leader, _topic, _partition, offset) => {
      const rest = batches.filter((each) => Number(each.readBigInt64BE(0)) + each.readInt32BE(57) > offset);
      const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = rest;
      return Promise.resolve({ errorCode: 0, highWatermark: 100, records: Buffer.concat([first, second.subarray(0, second.length - 1)]) });
    },
  };
  return new CommittedLog(client as PlainClient, 't');
}

const keysOf = ({ records }: CommittedLog): (string | null)[] => records.map(({ key }) => key);

describe('the committed log', () => {
  it('holds what was committed, in order of offsets, and nothing that was aborted', async () => {
    const log = await logOf([
      batch(0, 1n, 'transactional', ['a']),
      batch(1, 2n, 'transactional', ['b', 'c']),
      batch(3, -1n, 'plain', ['d']),
      batch(4, 2n, 'commit'),
      batch(5, 1n, 'abort'),
      batch(6, 1n, 'transactional', ['e']),
      batch(7, 1n, 'commit'),
    ]).read();
    expect(keysOf(log)).toEqual(['b', 'c', 'd', 'e']);
    expect(log.undecided).toBe(0);
  });

  it('knows of transactions that are not decided', async () => {
    const log = await logOf([batch(0, 1n, 'transactional', ['a']), batch(1, 2n, 'transactional', ['b']), batch(2, 2n, 'abort')]).read();
    expect(keysOf(log)).toEqual([]);
    expect(log.undecided).toBe(1);
  });

  it('goes on where it stopped', async () => {
    const batches = [batch(0, 1n, 'transactional', ['a'])];
    const log = await logOf(batches).read();
    batches.push(batch(1, 1n, 'commit'), batch(2, -1n, 'plain', ['b']));
    await log.read();
    await log.read();
    expect(keysOf(log)).toEqual(['a', 'b']);
    expect(log.records[0]).toEqual({ partition: 0, offset: 0, timestamp: 1_000, key: 'a', value: null });
  });

  it('begins where the log does, be it in the middle of a batch', async () => {
    expect(keysOf(await logOf([batch(0, -1n, 'plain', ['a', 'b', 'c'])], 1).read())).toEqual(['b', 'c']);
  });

  it('is read by code that imports nothing of ours, and no client of Kafka', () => {
    for (const file of ['committed-log', 'plain-client', 'plain-bytes']) {
      const source = readFileSync(join(__dirname, '../../../scripts/kafka', `${file}.ts`), 'utf8');
      const imports = [...source.matchAll(/from '([^']+)'/g)].map(([, from]) => from);
      expect(imports.filter((from) => !/^(node:|\.\/plain-(client|bytes)$)/.test(from!))).toEqual([]);
    }
  });
});
