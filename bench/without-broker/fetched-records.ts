import { int64 } from '../../src/codec/primitives';
import { writeInt64 } from '../../src/codec/int64-bytes';
import { BatchBuilder, stamp } from '../../src/kafka/batch-encode';
import type { FetchedChunk } from '../../src/kafka/partition-sink';
import { layout } from '../../src/kafka/record-batch';

const RECORDS_PER_BATCH = 2_000;
const VALUE = int64.encode(1);

export interface SyntheticRecords {
  readonly records: number;
  /** Bytes of a key. */
  readonly keyOf: (number: number) => Uint8Array;
  /** Event time, ms. */
  readonly timeOf: (number: number) => number;
}

/** Answers of a broker, one batch each, made as they are asked for: a text key, the number 1, a timestamp. */
export function* fetchedRecords({ records, keyOf, timeOf }: SyntheticRecords): Generator<FetchedChunk, undefined> {
  for (let from = 0; from < records; from += RECORDS_PER_BATCH) {
    const next = Math.min(records, from + RECORDS_PER_BATCH);
    const builder = new BatchBuilder();
    for (let number = from; number < next; number++) builder.append(timeOf(number), keyOf(number), VALUE);
    const batch = builder.finish({ compression: 'none', transactional: false });
    stamp(batch, -1n, -1, -1);
    writeInt64(batch.bytes, from, layout.baseOffset);
    yield { records: batch.bytes, aborted: [], from, next, highWatermark: records, lastStableOffset: records, logStartOffset: 0 };
  }
  return undefined;
}
