import { decompress } from '../kafka/compression';
import { attribute, type BatchHeader, layout } from '../kafka/record-batch';

export interface WalkedRecord {
  readonly offsetDelta: number;
  readonly timestamp: number;
}

interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

/** A zigzag varint of up to ten bytes. Past the end it gives NaN, which no comparison lets through. */
function varint(cursor: Cursor): number {
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = cursor.bytes[cursor.at++];
    if (byte === undefined) return NaN;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

/**
 * Offsets and timestamps of a batch's records, or undefined when the records are not what the header says: another count, lengths
 * that do not add up, offsets that do not count from 0. A broker answers such a batch 87.
 */
export function walkRecords(header: BatchHeader, bytes: Buffer): WalkedRecord[] | undefined {
  const packed = bytes.subarray(layout.records);
  let cursor: Cursor;
  try {
    cursor = { bytes: decompress(header.attributes, packed, ''), at: 0 };
  } catch {
    return undefined;
  }
  const appendTime = (header.attributes & attribute.logAppendTime) !== 0;
  const records: WalkedRecord[] = [];
  while (cursor.at < cursor.bytes.length) {
    const length = varint(cursor);
    const end = cursor.at + length;
    if (!(length > 0 && end <= cursor.bytes.length)) return undefined;
    cursor.at++; // the record's own attributes: none are defined
    const timestampDelta = varint(cursor);
    const offsetDelta = varint(cursor);
    if (offsetDelta !== records.length || Number.isNaN(timestampDelta)) return undefined;
    records.push({ offsetDelta, timestamp: appendTime ? header.maxTimestamp : header.baseTimestamp + timestampDelta });
    cursor.at = end;
  }
  const whole = records.length === header.recordCount && header.recordCount === header.lastOffset - header.baseOffset + 1;
  return whole ? records : undefined;
}
