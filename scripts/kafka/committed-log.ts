/**
 * What a consumer with read_committed gets of a topic, read from the brokers' logs batch by batch, markers and aborted transactions included.
 * Imports nothing of millrace, nor of a Kafka client: it is the judge of them.
 */
import type { PlainClient } from './plain-client';

export interface CommittedRecord {
  readonly partition: number;
  readonly offset: number;
  readonly timestamp: number;
  readonly key: string | null;
  readonly value: string | null;
}

const HEAD = 61;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const COMPRESSION = 0x07;
/** The leader moved, or is not known yet: the next look asks anew. */
const LEADER_MOVED = new Set([3, 5, 6, 9, 74, 75, 78]);

class PartitionLog {
  position = -1;
  readonly committed: CommittedRecord[] = [];
  private readonly open = new Map<bigint, CommittedRecord[]>();

  constructor(readonly partition: number) {}

  /** Transactions that are neither committed nor aborted yet. */
  get undecided(): number {
    return this.open.size;
  }

  /** Takes whole batches; gives whether there were any. */
  take(records: Buffer): boolean {
    let at = 0;
    while (at + HEAD <= records.length) {
      const size = 12 + records.readInt32BE(at + 8);
      if (at + size > records.length) break;
      this.batch(records.subarray(at, at + size));
      at += size;
    }
    return at > 0;
  }

  private batch(batch: Buffer): void {
    const base = Number(batch.readBigInt64BE(0));
    const next = base + batch.readInt32BE(23) + 1;
    if (next <= this.position) return;
    const attributes = batch.readInt16BE(21);
    const producer = batch.readBigInt64BE(43);
    if ((attributes & COMPRESSION) !== 0) throw new Error(`partition ${this.partition}, offset ${base}: a compressed batch`);
    if ((attributes & CONTROL) !== 0) this.marker(producer, markerType(batch));
    else if ((attributes & TRANSACTIONAL) !== 0) this.pending(producer).push(...this.records(batch, base));
    else this.committed.push(...this.records(batch, base));
    this.position = next;
  }

  private marker(producer: bigint, type: number): void {
    if (type === 1) this.committed.push(...(this.open.get(producer) ?? []));
    this.open.delete(producer);
  }

  private pending(producer: bigint): CommittedRecord[] {
    const known = this.open.get(producer);
    if (known !== undefined) return known;
    const fresh: CommittedRecord[] = [];
    this.open.set(producer, fresh);
    return fresh;
  }

  private records(batch: Buffer, base: number): CommittedRecord[] {
    const firstTimestamp = Number(batch.readBigInt64BE(27));
    const cursor = new Varints(batch, HEAD);
    return Array.from({ length: batch.readInt32BE(57) }, () => {
      const end = cursor.number() + cursor.at;
      cursor.at += 1;
      const timestamp = firstTimestamp + cursor.number();
      const offset = base + cursor.number();
      const record = { partition: this.partition, offset, timestamp, key: cursor.text(), value: cursor.text() };
      cursor.at = end;
      return record;
    }).filter(({ offset }) => offset >= this.position); // of a batch that was fetched from its middle
  }
}

/** 0: aborted, 1: committed. */
function markerType(batch: Buffer): number {
  const cursor = new Varints(batch, HEAD);
  cursor.number();
  cursor.at += 1;
  cursor.number();
  cursor.number();
  cursor.number();
  return batch.readInt16BE(cursor.at + 2);
}

class Varints {
  constructor(
    private readonly buffer: Buffer,
    public at: number,
  ) {}

  /** Zigzag, below 2^53. */
  number(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.buffer[this.at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 128) break;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  text(): string | null {
    const length = this.number();
    if (length < 0) return null;
    this.at += length;
    return this.buffer.toString('utf8', this.at - length, this.at);
  }
}

/** The committed part of one topic, as far as it has been read. */
export class CommittedLog {
  private readonly logs = new Map<number, PartitionLog>();

  constructor(
    private readonly client: PlainClient,
    readonly topic: string,
  ) {}

  /** Reads on to the high watermark of every partition; one whose leader is moving is left for the next time. */
  async read(): Promise<this> {
    const { partitions } = await this.client.metadata([this.topic]);
    for (const { partition, leader } of partitions) {
      if (leader < 0) continue;
      const log = this.logs.get(partition) ?? new PartitionLog(partition);
      this.logs.set(partition, log);
      if (log.position < 0) log.position = await this.client.startOf(leader, this.topic, partition);
      for (;;) {
        const { errorCode, records } = await this.client.fetch(leader, this.topic, partition, log.position);
        if (errorCode !== 0 && !LEADER_MOVED.has(errorCode)) throw new Error(`Fetch of ${this.topic}-${partition}: error ${errorCode}`);
        if (errorCode !== 0 || !log.take(records)) break;
      }
    }
    return this;
  }

  /** In order of each partition. */
  get records(): readonly CommittedRecord[] {
    return [...this.logs.values()].flatMap(({ committed }) => [...committed].sort((a, b) => a.offset - b.offset));
  }

  get count(): number {
    return [...this.logs.values()].reduce((sum, { committed }) => sum + committed.length, 0);
  }

  /** Transactions in it that are neither committed nor aborted yet. */
  get undecided(): number {
    return [...this.logs.values()].reduce((sum, log) => sum + log.undecided, 0);
  }
}
