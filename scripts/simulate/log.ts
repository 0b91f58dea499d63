import type { PartitionView } from '../../src/memory/inspection';

/** A record as it lies in the log. */
export interface LogRecord {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;
const HEAD = 61;

/**
 * What a consumer with read_committed gets of a partition: an own reading of record batches (format 2), so that the product's reader is not
 * its own judge.
 *
 * @param decided producers whose transaction is committed, while its markers may still be on their way
 */
export function committedRecords({ batches }: PartitionView, decided: readonly bigint[] = []): LogRecord[] {
  const found: LogRecord[] = [];
  const open = new Map<bigint, LogRecord[]>();
  for (const batch of batches) {
    const attributes = batch.readInt16BE(21);
    const producer = batch.readBigInt64BE(43);
    const records = readBatch(batch);
    if ((attributes & CONTROL) !== 0) {
      if (records[0]!.key!.readInt16BE(2) === 1) found.push(...(open.get(producer) ?? []));
      open.delete(producer);
    } else if ((attributes & TRANSACTIONAL) !== 0) {
      const pending = open.get(producer);
      if (pending === undefined) open.set(producer, records);
      else pending.push(...records);
    } else {
      found.push(...records);
    }
  }
  for (const producer of decided) found.push(...(open.get(producer) ?? []));
  return found.sort((a, b) => a.offset - b.offset);
}

function readBatch(batch: Buffer): LogRecord[] {
  const base = Number(batch.readBigInt64BE(0));
  const firstTimestamp = Number(batch.readBigInt64BE(27));
  const count = batch.readInt32BE(57);
  if ((batch.readInt16BE(21) & 7) !== 0) throw new Error('a compressed batch');
  const records: LogRecord[] = [];
  const at = new Cursor(batch, HEAD);
  for (let index = 0; index < count; index++) {
    const end = at.varint() + at.position;
    at.position += 1;
    const timestamp = firstTimestamp + at.varint();
    const offset = base + at.varint();
    records.push({ offset, timestamp, key: at.bytes(), value: at.bytes() });
    at.position = end;
  }
  return records;
}

class Cursor {
  constructor(
    private readonly buffer: Buffer,
    public position: number,
  ) {}

  /** A zigzag varint below 2^53. */
  varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.buffer[this.position++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 128) break;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  bytes(): Buffer | null {
    const length = this.varint();
    if (length < 0) return null;
    this.position += length;
    return this.buffer.subarray(this.position - length, this.position);
  }
}
