import { MillraceError } from '../errors/millrace-error';
import { PartitionBatches, type BatchesMark, type EncodedBatch } from '../kafka/batch-encode';
import type { Compression } from '../kafka/compression';
import { partitionOf } from '../kafka/partitioner';
import { encodeInPassing, PassingBytes } from '../codec/passing-bytes';
import { acceptsNull, type BytesInPassing, type Codec, type Codecs, type SliceCodec } from '../model/codec';
import type { Outgoing } from '../model/outgoing';

/** What the outbox needs of a topic that is written. */
export interface OutboxTopic {
  readonly name: string;
  readonly partitions: number;
  /** `max.message.bytes`: the largest batch the topic takes. */
  readonly maxBytes: number;
}

export interface SealedBatch {
  readonly topic: string;
  readonly partition: number;
  readonly batch: EncodedBatch;
}

export interface OutboxMark {
  readonly partitions: ReadonlyMap<PartitionBatches, BatchesMark>;
  readonly watched: number;
  readonly records: number;
}

const nothing: BatchesMark = { batches: 0, last: undefined, records: 0, bytes: 0 };

type Headers = ReadonlyMap<string, Uint8Array>;

interface Destination {
  readonly topic: OutboxTopic;
  readonly partitions: (PartitionBatches | undefined)[];
}

/** What a task has emitted and not sealed yet, encoded at once: one growing batch for each topic partition written to. */
export class Outbox {
  /** Records since the last drain. */
  records = 0;
  private readonly destinations = new Map<string, Destination>();
  private watched: Outgoing[] = [];
  private readonly keyRoom = new PassingBytes();
  private readonly valueRoom = new PassingBytes();

  constructor(
    private readonly topicNamed: (name: string) => OutboxTopic,
    private readonly isWatched: (topic: string) => boolean,
    /** Where records without a key go: the task's own number, so that replay chooses the same. */
    private readonly keyless: number,
    private readonly compression: Compression,
  ) {}

  /** @throws ENCODE, NULL_KEY, NULL_VALUE, RECORD_TOO_LARGE. */
  add(outgoing: Outgoing): void {
    const { destination } = outgoing;
    this.append(destination.name, destination, outgoing.key, outgoing, outgoing.origin.headers);
    if (this.isWatched(destination.name)) this.watched.push(outgoing);
  }

  /** @throws ENCODE, NULL_KEY, NULL_VALUE, RECORD_TOO_LARGE. */
  append(
    topic: string,
    codecs: Codecs<unknown, unknown>,
    key: unknown,
    record: { readonly value: unknown; readonly timestamp: number },
    headers: Headers,
  ): void {
    const keyBytes = encode(codecs.key, key, topic, 'key', this.keyRoom);
    const valueBytes = encode(codecs.value, record.value, topic, 'value', this.valueRoom);
    const destination = this.destinationOf(topic);
    const count = destination.topic.partitions;
    const partition = keyBytes === null ? this.keyless % count : partitionOf(codecs.key, key, keyBytes, count);
    this.batchesOf(destination, partition).append(record.timestamp, keyBytes, valueBytes, headers);
    this.records++;
  }

  /** For records whose bytes and partition are known: changelogs. Looked up once, used for every record. */
  batches(topic: string, partition: number): Pick<PartitionBatches, 'append'> {
    return this.batchesOf(this.destinationOf(topic), partition);
  }

  /** To every partition of a topic: what is no record, and is not counted as one. */
  appendToAll(topic: string, timestamp: number, headers: Headers): void {
    const destination = this.destinationOf(topic);
    for (let partition = 0; partition < destination.topic.partitions; partition++) {
      this.batchesOf(destination, partition).append(timestamp, null, null, headers);
    }
  }

  mark(): OutboxMark {
    const partitions = new Map<PartitionBatches, BatchesMark>();
    for (const { partitions: all } of this.destinations.values()) {
      for (const batches of all) if (batches !== undefined && !batches.isEmpty) partitions.set(batches, batches.mark());
    }
    return { partitions, watched: this.watched.length, records: this.records };
  }

  truncate(mark: OutboxMark): void {
    for (const { partitions: all } of this.destinations.values()) {
      for (const batches of all) {
        if (batches === undefined || batches.isEmpty) continue;
        const kept = mark.partitions.get(batches);
        batches.truncate(kept ?? nothing);
      }
    }
    this.watched.length = mark.watched;
    this.records = mark.records;
  }

  clear(): void {
    this.truncate({ partitions: new Map(), watched: 0, records: 0 });
  }

  /** Takes everything, in the order it was emitted within each partition. */
  drain(): { readonly batches: readonly SealedBatch[]; readonly watched: readonly Outgoing[]; readonly records: number } {
    const batches: SealedBatch[] = [];
    for (const { topic, partitions } of this.destinations.values()) {
      for (const [partition, open] of partitions.entries()) {
        if (open === undefined || open.isEmpty) continue;
        for (const batch of open.drain({ compression: this.compression, transactional: true }))
          batches.push({ topic: topic.name, partition, batch });
      }
    }
    const { watched, records } = this;
    this.watched = [];
    this.records = 0;
    return { batches, watched, records };
  }

  private destinationOf(name: string): Destination {
    let destination = this.destinations.get(name);
    if (destination === undefined) {
      destination = { topic: this.topicNamed(name), partitions: [] };
      this.destinations.set(name, destination);
    }
    return destination;
  }

  private batchesOf(destination: Destination, partition: number): PartitionBatches {
    let batches = destination.partitions[partition];
    if (batches === undefined) {
      batches = new PartitionBatches({ topic: destination.topic.name, partition }, { maxBytes: destination.topic.maxBytes });
      destination.partitions[partition] = batches;
    }
    return batches;
  }
}

function encode(
  codec: Codec<unknown>,
  value: unknown,
  topic: string,
  part: 'key' | 'value',
  room: BytesInPassing,
): string | Uint8Array | null {
  if (value === null || value === undefined) return encodeNull(codec, topic, part);
  try {
    return encodeInPassing(codec, value, room);
  } catch (cause) {
    throw new MillraceError('ENCODE', `the ${part} of a record for topic "${topic}" does not encode: ${String(cause)}`, {
      cause,
      where: { topic },
    });
  }
}

function encodeNull(codec: Codec<unknown>, topic: string, part: 'key' | 'value'): null {
  if ((codec as SliceCodec<unknown>)[acceptsNull] === true) return null;
  throw new MillraceError(
    part === 'key' ? 'NULL_KEY' : 'NULL_VALUE',
    `a record for topic "${topic}" has a null ${part}, but its codec takes none: declare the ${part} with nullable(), or filter such records`,
    { where: { topic } },
  );
}
