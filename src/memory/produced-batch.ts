import { attribute, type BatchHeader, crcHolds, layout, MAGIC, readBatchHeader } from '../kafka/record-batch';
import { brokerCode } from './broker-code';
import { RecordWalk } from './record-walk';

export interface RecordError {
  readonly index: number;
  readonly message: string;
}

export interface Refusal {
  readonly errorCode: number;
  readonly errorMessage: string | null;
  readonly recordErrors: readonly RecordError[];
}

export interface BatchLimits {
  readonly maxMessageBytes: number;
  /** message.timestamp.after.max.ms */
  readonly maxAheadMs: number;
  readonly logAppendTime: boolean;
  /** A compacted topic takes no record without a key. */
  readonly needsKeys: boolean;
}

export function refusal(errorCode: number, errorMessage: string | null = null, recordErrors: readonly RecordError[] = []): Refusal {
  return { errorCode, errorMessage, recordErrors };
}

/** The header of a record set that is exactly one whole batch of format 2; what a broker looks at before anything else. */
export function soleBatch(records: Buffer): BatchHeader | Refusal {
  if (records.length < layout.records) return refusal(brokerCode.INVALID_RECORD);
  const header = readBatchHeader(records);
  if (header.magic > MAGIC) return refusal(brokerCode.CORRUPT_MESSAGE, `Invalid magic found in record: ${header.magic}`);
  if (header.magic !== MAGIC || header.size !== records.length) return refusal(brokerCode.INVALID_RECORD);
  return header;
}

/** Why the log of the partition does not take the batch, or undefined. */
export function refuseBatch(partition: string, header: BatchHeader, bytes: Buffer, limits: BatchLimits, now: number): Refusal | undefined {
  if (bytes.length > limits.maxMessageBytes) return refusal(brokerCode.MESSAGE_TOO_LARGE);
  if (!crcHolds(bytes, 0, bytes.length)) return refusal(brokerCode.CORRUPT_MESSAGE);
  if ((header.attributes & attribute.control) !== 0) return refusal(brokerCode.INVALID_RECORD);
  const latest = limits.logAppendTime ? Infinity : now + limits.maxAheadMs;
  const errors: RecordError[] = [];
  let isLate = false;
  const walk = new RecordWalk(header, bytes);
  while (walk.next()) {
    const { index, timestamp, keyLength } = walk;
    if (limits.needsKeys && keyLength < 0) {
      errors.push({ index, message: `Compacted topic cannot accept message without key in topic partition ${partition}` });
    } else if (timestamp > latest) {
      isLate = true;
      errors.push({ index, message: `Timestamp ${timestamp} is out of range: it is after ${latest}` });
    }
  }
  if (!walk.isSound) return refusal(brokerCode.INVALID_RECORD);
  return errors.length === 0 ? undefined : refusedRecords(errors, isLate);
}

/** A time that cannot be outweighs all else. */
function refusedRecords(errors: readonly RecordError[], isLate: boolean): Refusal {
  if (isLate) return refusal(brokerCode.INVALID_TIMESTAMP, 'One or more records have been rejected due to invalid timestamp', errors);
  const shown = errors.slice(0, 3).map(({ index, message }) => `RecordError(batchIndex=${index}, message='${message}')`);
  const message =
    `One or more records have been rejected due to ${errors.length} record errors in total, ` +
    `and only showing the first three errors at most: [${shown.join(', ')}]`;
  return refusal(brokerCode.INVALID_RECORD, message, errors);
}
