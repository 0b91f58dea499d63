import { isLeft } from 'fp-ts/Either';
import { MillraceError } from '../errors/millrace-error';
import { InputRecord, type BatchReader } from '../kafka/batch-decode';
import { acceptsNull, decodeSlice, type Codec, type SliceCodec } from '../model/codec';
import { KafkaRecord } from '../model/record';
import type { Duration } from '../model/duration';
import type { Where } from '../model/where';

/** What decoding needs of a topic's declaration. */
export interface RecordDeclaration {
  /** The topic's name on the cluster. */
  readonly topic: string;
  readonly partition: number;
  readonly key: Codec<unknown>;
  readonly value: Codec<unknown>;
  readonly keyless: boolean;
  readonly timestamp: ((value: unknown) => number) | undefined;
  /** A null value is a deletion, whatever the codec says of nulls. */
  readonly feedsTable?: boolean;
  /** Timestamps beyond `now()` + `ms` are refused; undefined: none is. */
  readonly maxFuture?: { readonly ms: Duration; readonly now: () => number } | undefined;
}

/** Bytes of one partition → records; errors name topic, partition, offset and path. */
export class RecordDecoder {
  private readonly place: { readonly topic: string; readonly partition: number };
  private readonly key: (buffer: Buffer, start: number, end: number) => unknown;
  private readonly value: (buffer: Buffer, start: number, end: number) => unknown;
  private readonly nullKey: boolean;
  private readonly nullValue: boolean;
  /** Of the record whose key was given last. */
  timestamp = -1;
  /** The latest timestamp that is taken, as of the last look at the clock. */
  private latest: number;

  constructor(private readonly declaration: RecordDeclaration) {
    const { topic, partition, key, value } = declaration;
    this.place = { topic, partition };
    this.key = decoderOf(key);
    this.value = decoderOf(value);
    this.nullKey = (key as SliceCodec<unknown>)[acceptsNull] === true;
    this.nullValue = declaration.feedsTable === true || (value as SliceCodec<unknown>)[acceptsNull] === true;
    this.latest = declaration.maxFuture === undefined ? Infinity : -Infinity;
  }

  /**
   * The record the reader has just read.
   * @throws DECODE, NULL_KEY, NULL_VALUE, INVALID_TIMESTAMP
   */
  decode(reader: BatchReader): KafkaRecord<unknown, unknown> {
    const key = this.keyOf(reader);
    const value = this.valueOf(reader);
    const timestamp = this.timestampOf(reader, value);
    return KafkaRecord.of(key, value, timestamp, new InputRecord(this.place, reader));
  }

  /** Checks it as `decode` does, and gives only its key; its timestamp is `timestamp` then. @throws as `decode` */
  keyOfChecked(reader: BatchReader): unknown {
    const key = this.keyOf(reader);
    this.timestamp = this.timestampOf(reader, this.valueOf(reader));
    return key;
  }

  private keyOf(reader: BatchReader): unknown {
    if (this.declaration.keyless) return null;
    if (reader.keyStart < 0) {
      if (this.nullKey) return null;
      throw this.error(reader, 'NULL_KEY', 'the key is null; declare the key codec with nullable(), or the topic without a key');
    }
    const key = this.key(reader.buffer, reader.keyStart, reader.keyEnd);
    if (key instanceof Undecodable) throw this.undecodable(reader, 'key', key);
    return key;
  }

  private valueOf(reader: BatchReader): unknown {
    if (reader.valueStart < 0) {
      if (this.nullValue) return null;
      throw this.error(reader, 'NULL_VALUE', 'the value is null (a tombstone); declare the value codec with nullable()');
    }
    const value = this.value(reader.buffer, reader.valueStart, reader.valueEnd);
    if (value instanceof Undecodable) throw this.undecodable(reader, 'value', value);
    return value;
  }

  private timestampOf(reader: BatchReader, value: unknown): number {
    const extract = this.declaration.timestamp;
    const timestamp = extract === undefined || value === null ? reader.timestamp : extract(value);
    if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
      throw this.error(reader, 'INVALID_TIMESTAMP', `the timestamp ${String(timestamp)} is not a whole number of ms in 0 … 2^53 - 1`);
    }
    if (timestamp > this.latest) this.checkFuture(reader, timestamp);
    return timestamp;
  }

  private checkFuture(reader: BatchReader, timestamp: number): void {
    const { maxFuture } = this.declaration;
    if (maxFuture === undefined) return;
    const now = maxFuture.now();
    this.latest = now + maxFuture.ms;
    if (timestamp <= this.latest) return;
    throw this.error(
      reader,
      'INVALID_TIMESTAMP',
      `the timestamp ${String(timestamp)} lies ${String(timestamp - now)} ms ahead of the clock, and the topic's maxFuture is ${String(maxFuture.ms)}`,
    );
  }

  private undecodable(reader: BatchReader, part: 'key' | 'value', { cause }: Undecodable): MillraceError {
    const path = cause instanceof MillraceError ? cause.where.path : undefined;
    return this.error(reader, 'DECODE', `the ${part} does not decode: ${cause.message}`, {
      cause,
      ...(path === undefined ? {} : { path }),
    });
  }

  private error(
    reader: BatchReader,
    code: 'DECODE' | 'NULL_KEY' | 'NULL_VALUE' | 'INVALID_TIMESTAMP',
    what: string,
    more: { readonly cause?: unknown; readonly path?: string } = {},
  ): MillraceError {
    const { topic, partition } = this.place;
    const where: Where = { topic, partition, offset: reader.offset, ...(more.path === undefined ? {} : { path: more.path }) };
    return new MillraceError(code, `topic "${topic}", partition ${String(partition)}, offset ${String(reader.offset)}: ${what}`, {
      where,
      cause: more.cause,
    });
  }
}

class Undecodable {
  constructor(readonly cause: Error) {}
}

/** One closure a codec, chosen once: the hot path neither slices the buffer nor looks for a method. */
function decoderOf(codec: Codec<unknown>): (buffer: Buffer, start: number, end: number) => unknown {
  const inPlace = (codec as SliceCodec<unknown>)[decodeSlice];
  if (inPlace !== undefined) {
    return (buffer, start, end) => {
      const decoded = inPlace(buffer, start, end);
      return isLeft(decoded) ? new Undecodable(decoded.left) : decoded.right;
    };
  }
  return (buffer, start, end) => {
    const decoded = codec.decode(buffer.subarray(start, end));
    return isLeft(decoded) ? new Undecodable(decoded.left) : decoded.right;
  };
}
