import { readInt32, readInt64, writeInt32, writeInt64 } from '../codec/int64-bytes';
import { MillraceError } from '../errors/millrace-error';
import { readHeaders, type BatchReader } from '../kafka/batch-decode';

/**
 * What an upstream task says of its watermark, as a record of its own in a repartition topic: no key, no value, one header. It holds for
 * what this task has written to the partition before it, since it is in the same log and in the transaction of what it speaks of.
 *
 *   u8 version · u8 flags (1: idle) · i32 task · i64 watermark · i64 wall clock
 */
export interface WatermarkMarker {
  /** Number of the upstream task. */
  readonly task: number;
  /** It writes no record older than this any more; -1: nothing is known. */
  readonly watermark: number;
  /** It does not hold others back. */
  readonly idle: boolean;
  /** Wall clock of the one who says it, ms since the epoch. */
  readonly at: number;
}

/** ms after which a task that is idle says so again. */
export const IDLE_SAID_EVERY_MS = 2_000;

/** ms for which it is believed: who is dead reads nothing of what comes in meanwhile, and is not idle. */
export const IDLE_BELIEVED_MS = 5_000;

const HEADER = '__millrace.watermark';
const VERSION = 1;
const IDLE = 1;
const BYTES = 22;

export type MarkerHeaders = ReadonlyMap<string, Uint8Array>;

export function markerHeaders({ task, watermark, idle, at }: WatermarkMarker): MarkerHeaders {
  const bytes = new Uint8Array(BYTES);
  bytes[0] = VERSION;
  bytes[1] = idle ? IDLE : 0;
  writeInt32(bytes, task, 2);
  writeInt64(bytes, watermark, 6);
  writeInt64(bytes, at, 14);
  return new Map([[HEADER, bytes]]);
}

/** A record of a user's that would be taken for a marker (it came with the header) goes without it. */
export function withoutMarker(headers: MarkerHeaders): MarkerHeaders {
  if (!headers.has(HEADER)) return headers;
  return new Map([...headers].filter(([name]) => name !== HEADER));
}

/**
 * The marker that the reader has just read, undefined for any other record.
 * @throws PROTOCOL for a marker of a later version
 */
export function readMarker(reader: BatchReader): WatermarkMarker | undefined {
  if (reader.keyStart >= 0 || reader.valueStart >= 0 || reader.headerCount !== 1) return undefined;
  const bytes = readHeaders(reader.buffer, reader.headersStart, 1).get(HEADER);
  if (bytes === undefined) return undefined;
  if (bytes[0] === VERSION && bytes.length === BYTES) {
    const idle = ((bytes[1] as number) & IDLE) !== 0;
    return { task: readInt32(bytes, 2), watermark: readInt64(bytes, 6), idle, at: readInt64(bytes, 14) };
  }
  throw new MillraceError(
    'PROTOCOL',
    `a watermark marker of format ${String(bytes[0])}, this version reads format ${String(VERSION)}: a newer version of millrace writes to this topic`,
  );
}
