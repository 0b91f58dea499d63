/* eslint-disable @typescript-eslint/no-require-imports -- kafkajs' record codec is not exported: an independent second opinion on bytes */
interface KafkajsRecord {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer | Buffer[]>>;
}

export interface KafkajsDecoded {
  readonly firstOffset: string;
  readonly lastOffsetDelta: number;
  readonly firstTimestamp: string;
  readonly maxTimestamp: string;
  readonly producerId: string;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly inTransaction: boolean;
  readonly records: readonly {
    readonly offset: string;
    readonly timestamp: string;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers: Readonly<Record<string, Buffer | Buffer[]>>;
  }[];
}

interface EncodedByKafkajs {
  readonly buffer: Buffer;
}

interface BatchToEncode {
  readonly compression: number;
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
  readonly lastOffsetDelta: number;
  readonly transactional: boolean;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly firstSequence: number;
  readonly records: readonly unknown[];
}

const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object;
const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0') as (record: KafkajsRecord) => unknown;
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (decoder: object) => Promise<KafkajsDecoded>;
const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0') as {
  RecordBatch: (batch: BatchToEncode) => Promise<EncodedByKafkajs>;
};

/** kafkajs' codecs by number: 0 none, 1 gzip. It has no others of its own. */
export async function encodedByKafkajs(batch: Omit<BatchToEncode, 'records'>, records: readonly KafkajsRecord[]): Promise<Buffer> {
  const encoded = await RecordBatch({ ...batch, records: records.map(encodeRecord) });
  return encoded.buffer;
}

export function decodedByKafkajs(bytes: Buffer): Promise<KafkajsDecoded> {
  return decodeBatch(new Decoder(bytes));
}
