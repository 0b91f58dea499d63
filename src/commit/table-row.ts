import { MillraceError } from '../errors/millrace-error';
import type { BatchReader } from '../kafka/batch-decode';
import type { Codec } from '../model/codec';
import type { TableRow } from '../state/restore-table';
import type { RecordDecoder } from '../task/record-decoder';

/**
 * The row that a record of a table's topic leaves, for a restore: the value's bytes as they are, but the key in the form that its codec
 * writes, by which the task looks it up. Undefined for what a task passes over too: no key, or bytes that do not decode. That a policy has
 * let it pass is certain: restoring ends where the group has committed.
 */
export function tableRow(decoder: RecordDecoder, key: Codec<unknown>, reader: BatchReader): TableRow | undefined {
  try {
    const record = decoder.decode(reader);
    if (record.key === null || record.key === undefined) return undefined;
    const { buffer, valueStart, valueEnd } = reader;
    const value = valueStart < 0 ? null : buffer.subarray(valueStart, valueEnd);
    return { key: key.encode(record.key), value, timestamp: record.timestamp };
  } catch (cause) {
    if (cause instanceof MillraceError) return undefined;
    throw cause;
  }
}
