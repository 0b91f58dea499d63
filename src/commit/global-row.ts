import { MillraceError } from '../errors/millrace-error';
import { BatchReader } from '../kafka/batch-decode';
import type { FetchedChunk } from '../kafka/partition-sink';
import type { Topic } from '../model/topic';
import type { GlobalRows } from '../state/global-rows';
import { verdictOf } from '../task/input-buffer';
import { RecordDecoder } from '../task/record-decoder';

/** Reads one partition of a global table's topic. Null keys are passed over; what does not decode is for the topic's policy. */
export class GlobalRowReader {
  private readonly decoder: RecordDecoder;
  private readonly reader: BatchReader;

  constructor(
    private readonly topic: Topic<unknown, unknown>,
    private readonly partition: number,
    /** A record was passed over, and why. */
    private readonly dropped: (reason: 'null-key' | 'decode') => void,
    { checkCrc = true }: { readonly checkCrc?: boolean } = {},
  ) {
    const { name, key, value, keyless, options } = topic;
    this.decoder = new RecordDecoder({ topic: name, partition, key, value, keyless, feedsTable: true, timestamp: options.timestamp });
    this.reader = new BatchReader({ topic: name, partition }, { checkCrc });
  }

  /** @throws DECODE, INVALID_TIMESTAMP under the policy `fail` */
  applyChunk({ records, aborted, from, next }: Pick<FetchedChunk, 'records' | 'aborted' | 'from' | 'next'>, rows: GlobalRows): void {
    this.reader.reset(records, { aborted, from, readCommitted: true });
    this.applyAll(this.reader, rows);
    rows.hasReadTo(this.partition, next);
  }

  /** Gives the number of rows. */
  applyAll(reader: BatchReader, rows: GlobalRows): number {
    let applied = 0;
    while (reader.nextRecord()) if (this.apply(reader, rows)) applied++;
    return applied;
  }

  /** False: it is passed over. */
  private apply(reader: BatchReader, rows: GlobalRows): boolean {
    if (reader.keyStart < 0) {
      this.dropped('null-key');
      return false;
    }
    let key: unknown;
    try {
      key = this.decoder.keyOfChecked(reader);
    } catch (cause) {
      if (!(cause instanceof MillraceError)) throw cause;
      if (verdictOf(this.topic.options.onDecodeError ?? 'fail', cause) !== 'skip') throw cause;
      this.dropped('decode');
      return false;
    }
    if (reader.valueStart < 0) rows.delete(key);
    else rows.put(key, reader.buffer, reader.valueStart, reader.valueEnd, this.decoder.timestamp);
    return true;
  }
}
