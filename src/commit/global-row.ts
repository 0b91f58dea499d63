import { MillraceError } from '../errors/millrace-error';
import { BatchReader } from '../kafka/batch-decode';
import type { FetchedChunk } from '../kafka/partition-sink';
import type { Topic } from '../model/topic';
import type { GlobalRow } from '../state/global-rows';
import { verdictOf } from '../task/input-buffer';
import { RecordDecoder } from '../task/record-decoder';

/** Reads one partition of a global table's topic. Null keys are passed over; what does not decode is for the topic's policy. */
export class GlobalRowReader {
  private readonly decoder: RecordDecoder;
  private readonly reader: BatchReader;

  constructor(
    private readonly topic: Topic<unknown, unknown>,
    partition: number,
    /** A record was passed over, and why. */
    private readonly dropped: (reason: 'null-key' | 'decode') => void,
    { checkCrc = true }: { readonly checkCrc?: boolean } = {},
  ) {
    const { name, key, value, keyless, options } = topic;
    this.decoder = new RecordDecoder({ topic: name, partition, key, value, keyless, feedsTable: true, timestamp: options.timestamp });
    this.reader = new BatchReader({ topic: name, partition }, { checkCrc });
  }

  /** @throws DECODE, INVALID_TIMESTAMP under the policy `fail` */
  rowsOf({ records, aborted, from }: Pick<FetchedChunk, 'records' | 'aborted' | 'from'>): GlobalRow[] {
    this.reader.reset(records, { aborted, from, readCommitted: true });
    return this.rowsIn(this.reader);
  }

  rowsIn(reader: BatchReader): GlobalRow[] {
    const rows: GlobalRow[] = [];
    while (reader.nextRecord()) {
      const row = this.rowOf(reader);
      if (row !== undefined) rows.push(row);
    }
    return rows;
  }

  private rowOf(reader: BatchReader): GlobalRow | undefined {
    if (reader.keyStart < 0) {
      this.dropped('null-key');
      return undefined;
    }
    try {
      const { key, timestamp } = this.decoder.decode(reader);
      const { buffer, valueStart, valueEnd } = reader;
      return { key, value: valueStart < 0 ? null : buffer.subarray(valueStart, valueEnd), timestamp };
    } catch (cause) {
      if (!(cause instanceof MillraceError)) throw cause;
      if (verdictOf(this.topic.options.onDecodeError ?? 'fail', cause) !== 'skip') throw cause;
      this.dropped('decode');
      return undefined;
    }
  }
}
