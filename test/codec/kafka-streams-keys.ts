import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

interface Murmur2Vector {
  readonly text: string | null;
  readonly hex: string;
  readonly murmur2: number;
  readonly toPositive: number;
  readonly partitions: Readonly<Record<string, number>>;
}

/** Times are strings: some are above 2^53. */
interface WindowedKeyVector {
  readonly key: string;
  readonly start: string;
  readonly end: string;
  readonly topicKeyHex: string;
  readonly storeKeyHexBySeq: Readonly<Record<string, string>>;
  readonly timeFirstHex: string;
  readonly indexHex: string;
  readonly partitionOf12: number;
}

interface SessionKeyVector {
  readonly key: string;
  readonly start: string;
  readonly end: string;
  readonly topicKeyHex: string;
  readonly storeKeyHex: string;
  readonly timeFirstHex: string;
}

interface KeyVectors {
  readonly murmur2: readonly Murmur2Vector[];
  readonly windowedKeys: readonly WindowedKeyVector[];
  readonly sessionKeys: readonly SessionKeyVector[];
  readonly valueAndTimestamp: readonly { readonly timestamp: string; readonly valueHex: string; readonly hex: string }[];
}

const file = resolve(__dirname, '../vectors/keys.json');

/** The bytes Kafka Streams writes, recorded from its own serializers. */
export const keyVectors = JSON.parse(readFileSync(file, 'utf8')) as KeyVectors;

export const hex = (bytes: string | Uint8Array): string => Buffer.from(bytes as Uint8Array).toString('hex');
