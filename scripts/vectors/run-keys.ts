import { string } from '../../src/codec/primitives';
import {
  keyFirstKey,
  sessionKey,
  sessionTimeFirstKey,
  timeFirstKey,
  valueAndTimestamp,
  windowStoreKey,
  windowTopicKey,
} from '../../src/codec/store-key';
import { sessionWindowedKey, timeWindowedKey } from '../../src/codec/windowed-key';
import { murmur2, partitionFor, partitionOf } from '../../src/kafka/partitioner';
import type { KeysFile } from './format';
import { expectEqual, type Outcome } from './outcome';

/** Bytes and hashes: what a key is in a topic, in a store and to the partitioner. */
export function runKeys(file: KeysFile): readonly Outcome[] {
  return [
    ...file.murmur2.map((vector) => outcome(`murmur2 of ${vector.text ?? vector.hex}`, (lines) => hashes(vector, lines))),
    ...file.windowedKeys.map((vector) => outcome(`windowed key ${boundsOf(vector)}`, (lines) => windowedKeys(vector, lines))),
    ...file.sessionKeys.map((vector) => outcome(`session key ${boundsOf(vector)}`, (lines) => sessionKeys(vector, lines))),
    ...file.valueAndTimestamp.map((vector) => outcome(`value at ${vector.timestamp}`, (lines) => values(vector, lines))),
  ];
}

function hashes(vector: KeysFile['murmur2'][number], lines: string[]): void {
  const bytes = Buffer.from(vector.hex, 'hex');
  for (const key of vector.text === null ? [bytes] : [bytes, vector.text]) {
    const what = typeof key === 'string' ? 'of the text' : 'of the bytes';
    expectEqual(lines, `murmur2 ${what}`, murmur2(key), vector.murmur2);
    for (const [count, partition] of Object.entries(vector.partitions)) {
      expectEqual(lines, `partition of ${count} ${what}`, partitionFor(key, Number(count)), partition);
    }
  }
  expectEqual(lines, 'toPositive', partitionFor(bytes, 2 ** 31), vector.toPositive);
}

function windowedKeys(vector: KeysFile['windowedKeys'][number], lines: string[]): void {
  const key = Buffer.from(vector.key, 'utf8');
  const start = BigInt(vector.start);
  expectEqual(lines, 'topic key', hex(windowTopicKey(key, start)), vector.topicKeyHex);
  for (const [sequence, expected] of Object.entries(vector.storeKeyHexBySeq)) {
    expectEqual(lines, `store key ${sequence}`, hex(windowStoreKey(key, start, Number(sequence))), expected);
  }
  expectEqual(lines, 'time-first key', hex(timeFirstKey(key, start)), vector.timeFirstHex);
  expectEqual(lines, 'key-first key', hex(keyFirstKey(key, start)), vector.indexHex);
  expectEqual(lines, 'partition of 12', partitionFor(key, 12), vector.partitionOf12);
  if (!isNumber(start)) return;
  const codec = timeWindowedKey(string, () => Number(vector.end));
  const windowed = { key: vector.key, start: Number(start), end: Number(vector.end) };
  const encoded = codec.encode(windowed);
  expectEqual(lines, 'topic key by codec', hex(encoded), vector.topicKeyHex);
  expectEqual(lines, 'partition of 12 by codec', partitionOf(codec, windowed, encoded, 12), vector.partitionOf12);
  expectEqual(
    lines,
    'read by codec',
    JSON.stringify(codec.decode(encoded as Uint8Array)),
    JSON.stringify({ _tag: 'Right', right: windowed }),
  );
}

function sessionKeys(vector: KeysFile['sessionKeys'][number], lines: string[]): void {
  const key = Buffer.from(vector.key, 'utf8');
  const [start, end] = [BigInt(vector.start), BigInt(vector.end)];
  expectEqual(lines, 'topic key', hex(sessionKey(key, start, end)), vector.topicKeyHex);
  expectEqual(lines, 'store key', hex(sessionKey(key, start, end)), vector.storeKeyHex);
  expectEqual(lines, 'time-first key', hex(sessionTimeFirstKey(key, start, end)), vector.timeFirstHex);
  if (!isNumber(start) || !isNumber(end)) return;
  const codec = sessionWindowedKey(string);
  const windowed = { key: vector.key, start: Number(start), end: Number(end) };
  const encoded = codec.encode(windowed);
  expectEqual(lines, 'topic key by codec', hex(encoded), vector.topicKeyHex);
  expectEqual(
    lines,
    'read by codec',
    JSON.stringify(codec.decode(encoded as Uint8Array)),
    JSON.stringify({ _tag: 'Right', right: windowed }),
  );
}

function values(vector: KeysFile['valueAndTimestamp'][number], lines: string[]): void {
  const encoded = valueAndTimestamp(BigInt(vector.timestamp), Buffer.from(vector.valueHex, 'hex'));
  expectEqual(lines, 'bytes', hex(encoded), vector.hex);
}

function outcome(name: string, check: (lines: string[]) => void): Outcome {
  const lines: string[] = [];
  check(lines);
  return { name: `keys/${name}`, result: lines.length === 0 ? 'passed' : 'failed', lines };
}

function boundsOf({ key, start, end }: { readonly key: string; readonly start: string; readonly end: string }): string {
  return `${JSON.stringify(key)} [${start}, ${end})`;
}

function isNumber(time: bigint): boolean {
  return time <= BigInt(Number.MAX_SAFE_INTEGER);
}

function hex(bytes: string | Uint8Array): string {
  return Buffer.from(bytes as Uint8Array).toString('hex');
}
