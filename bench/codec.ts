import { isRight } from 'fp-ts/Either';
import * as t from 'io-ts';
import { json } from '../src/codec/json';
import { string } from '../src/codec/primitives';
import { sliceDecoder } from '../src/codec/slice-decoder';
import { BatchReader, InputRecord } from '../src/kafka/batch-decode';
import { BatchBuilder, PartitionBatches, stamp } from '../src/kafka/batch-encode';
import type { Codec } from '../src/model/codec';
import { KafkaRecord } from '../src/model/record';
import { measureRate, numberOption, printRate, type Rate, type Rounds } from './rounds';

const SOURCE = { topic: 'page-views', partition: 0 };
const RECORDS_A_BATCH = 1000;
/** Each answer about 1.2 MB: what one partition gives at a time. */
const BATCHES_AN_ANSWER = 10;
const START = 1_700_000_000_000;

const numbered = (prefix: string, i: number): string => `${prefix}${String(i).padStart(12 - prefix.length, '0')}`;
/** 12 bytes each. */
const keys = Array.from({ length: RECORDS_A_BATCH }, (_, i) => numbered('user-', i * 7919));
/** 100 bytes each. */
const values = keys.map((key, i) => `{"user":"${key}","page":"/products/${i % 100}","kind":"page_view","spent":${i}`.padEnd(99, ' ') + '}');
const keyBytes = keys.map((key) => Buffer.from(key));
const valueBytes = values.map((value) => Buffer.from(value));

function fetchedAnswer(): Buffer {
  const batches: Buffer[] = [];
  for (let batch = 0; batch < BATCHES_AN_ANSWER; batch++) {
    const builder = new BatchBuilder();
    for (let i = 0; i < RECORDS_A_BATCH; i++) builder.append(START + i, keys[i]!, values[i]!);
    const encoded = builder.finish({ compression: 'none', transactional: true });
    stamp(encoded, 1n, 0, 0);
    encoded.bytes.writeBigInt64BE(BigInt(batch * RECORDS_A_BATCH), 0);
    batches.push(encoded.bytes);
  }
  return Buffer.concat(batches);
}

const PageView = t.type({ user: t.string, page: t.string, kind: t.literal('page_view'), spent: t.number });

const set = { aborted: [], from: 0, readCommitted: true };
let sink = 0;

function decodePlaces(answer: Buffer, checkCrc: boolean): () => number {
  const reader = new BatchReader(SOURCE, { checkCrc });
  return () => {
    reader.reset(answer, set);
    let records = 0;
    while (reader.nextRecord()) {
      sink ^= reader.valueEnd;
      records++;
    }
    return records;
  };
}

/** As an input does it: key and value decoded, origin and record made. */
function decodeRecords<V>(answer: Buffer, codec: Codec<V>): () => number {
  const reader = new BatchReader(SOURCE);
  const decodeKey = sliceDecoder(string);
  const decodeValue = sliceDecoder(codec);
  return () => {
    reader.reset(answer, set);
    let records = 0;
    while (reader.nextRecord()) {
      const key = decodeKey(reader.buffer, reader.keyStart, reader.keyEnd);
      const value = decodeValue(reader.buffer, reader.valueStart, reader.valueEnd);
      if (isRight(key) && isRight(value)) {
        const record = KafkaRecord.of(key.right, value.right, reader.timestamp, new InputRecord(SOURCE, reader));
        sink ^= record.timestamp;
      }
      records++;
    }
    return records;
  };
}

function encodeBatches<T extends string | Uint8Array>(keysToWrite: readonly T[], valuesToWrite: readonly T[]): () => number {
  const batches = new PartitionBatches(SOURCE, { maxBytes: 1_048_588 });
  return () => {
    for (let i = 0; i < RECORDS_A_BATCH; i++) batches.append(START + i, keysToWrite[i]!, valuesToWrite[i]!);
    for (const batch of batches.drain({ compression: 'none', transactional: true })) {
      stamp(batch, 1n, 0, 0);
      sink ^= batch.bytes.length;
    }
    return RECORDS_A_BATCH;
  };
}

/** Records of a 12-byte key and a 100-byte value, on one thread, with no broker. */
export async function run(args: readonly string[]): Promise<object> {
  const rounds: Rounds = { rounds: numberOption(args, 'rounds', 9), roundMs: numberOption(args, 'round-ms', 300) };
  const answer = fetchedAnswer();
  const works: Readonly<Record<string, () => number>> = {
    decode: decodePlaces(answer, true),
    decodeWithoutCrc: decodePlaces(answer, false),
    decodeToTextRecords: decodeRecords(answer, string),
    decodeToJsonRecords: decodeRecords(answer, json(PageView)),
    encodeTexts: encodeBatches(keys, values),
    encodeBytes: encodeBatches(keyBytes, valueBytes),
  };
  const rates: Record<string, Rate> = {};
  for (const [name, work] of Object.entries(works)) {
    rates[name] = measureRate(work, rounds);
    printRate(name, rates[name]);
  }
  return Promise.resolve({ ...rounds, keyBytes: 12, valueBytes: 100, recordsPerSecond: rates, sink: Math.sign(sink) });
}
