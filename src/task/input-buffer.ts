import { MillraceError } from '../errors/millrace-error';
import { BatchReader } from '../kafka/batch-decode';
import type { FetchedChunk } from '../kafka/partition-sink';
import type { Policy, Verdict } from '../model/policy';
import type { KafkaRecord } from '../model/record';
import { RecordDecoder, type RecordDeclaration } from './record-decoder';

/** An input as its topic declares it. */
export interface InputDeclaration extends RecordDeclaration {
  readonly onDecodeError: Policy;
}

/** Who follows an input beside the records that are pushed: its watermark. */
export interface InputWatch {
  /** The record that the reader has just read, without key and value, is none of the user's: taken, and not pushed. Everything before it was pushed. */
  takes(reader: BatchReader): boolean;
  /**
   * The broker has answered. `caughtUp`: nothing is left to be pushed, and up to the last stable offset there is no more. `silent`: besides,
   * nothing came.
   */
  answered(silent: boolean, caughtUp: boolean): void;
}

/** A place in an input that a replay can go back to. */
export interface InputMark {
  readonly offset: number;
}

/**
 * One input of a task: fetched chunks, read record by record, kept until committed so that an undone push can be replayed.
 * The head record is decoded ahead, because event time may come from its value.
 */
export class InputBuffer {
  /** The next record, decoded; undefined when nothing is buffered or the head cannot be decoded (`failure`). */
  head: KafkaRecord<unknown, unknown> | undefined;
  /** Set when the head record cannot be decoded and the policy says fail. */
  failure: MillraceError | undefined;
  /** The position after everything the broker has given so far, and the ends it told with the last answer. */
  fetchedTo: number;
  /** The last stable offset as last told; -1: nothing was told yet. */
  lastStableOffset = -1;
  /** Bytes held, read ones that are not committed yet included. */
  bytes = 0;
  /** Its fetches wait until some of it is committed. */
  paused = false;
  private readonly chunks: FetchedChunk[] = [];
  private reading = 0;
  private readonly reader: BatchReader;
  private open = false;
  private next: number;
  private readonly decoder: RecordDecoder;

  constructor(
    readonly declaration: InputDeclaration,
    position: number,
    private readonly onSkipped: () => void,
    private readonly watch?: InputWatch,
  ) {
    this.next = position;
    this.fetchedTo = position;
    this.reader = new BatchReader({ topic: declaration.topic, partition: declaration.partition });
    this.decoder = new RecordDecoder(declaration);
  }

  /** The next offset to process: what is committed. Control batches, aborted and skipped records before the head are behind it. */
  get position(): number {
    return this.head === undefined && this.failure === undefined ? this.next : this.headOffset;
  }
  private headOffset = -1;

  /** Nothing to read now, although the broker has more, or may have. */
  get isStarving(): boolean {
    return this.isEmpty && (this.lastStableOffset < 0 || this.fetchedTo < this.lastStableOffset);
  }

  /** Nothing to read now. */
  get isEmpty(): boolean {
    return this.head === undefined && this.failure === undefined;
  }

  private get isCaughtUp(): boolean {
    return this.isEmpty && !this.isStarving && !this.paused;
  }

  append(chunk: FetchedChunk): void {
    this.fetchedTo = chunk.next;
    this.lastStableOffset = chunk.lastStableOffset;
    this.chunks.push(chunk);
    this.bytes += chunk.records.length;
    if (this.isEmpty) this.load();
    this.watch?.answered(false, this.isCaughtUp);
  }

  /** An answer without records. */
  told(next: number, lastStableOffset: number): void {
    this.fetchedTo = Math.max(this.fetchedTo, next);
    this.lastStableOffset = lastStableOffset;
    this.watch?.answered(this.isCaughtUp, this.isCaughtUp);
  }

  /** Steps behind the head record. */
  advance(): void {
    this.head = undefined;
    this.load();
  }

  mark(): InputMark {
    return { offset: this.position };
  }

  /** Goes back to a mark that was not released yet. */
  rewind(mark: InputMark): void {
    this.head = undefined;
    this.failure = undefined;
    this.next = mark.offset;
    this.reading = this.chunks.findIndex((chunk) => chunk.next > mark.offset);
    if (this.reading < 0) this.reading = this.chunks.length;
    this.open = false;
    this.load();
  }

  /** Everything below `offset` is committed and is never replayed. */
  release(offset: number): void {
    while (this.reading > 0 && (this.chunks[0]?.next ?? Infinity) <= offset) {
      const chunk = this.chunks.shift();
      this.bytes -= chunk?.records.length ?? 0;
      this.reading--;
    }
  }

  private load(): void {
    for (;;) {
      if (!this.open) {
        const chunk = this.chunks[this.reading];
        if (chunk === undefined) return;
        this.reader.reset(chunk.records, { aborted: chunk.aborted, from: this.next, readCommitted: true });
        this.open = true;
      }
      if (this.reader.nextRecord()) {
        if (this.decodeHead()) return;
      } else {
        const chunk = this.chunks[this.reading];
        this.next = Math.max(this.next, chunk?.next ?? 0);
        this.open = false;
        this.reading++;
      }
    }
  }

  /** False: the record is skipped. */
  private decodeHead(): boolean {
    const { reader } = this;
    this.headOffset = reader.offset;
    this.next = reader.offset + 1;
    try {
      if (reader.valueStart < 0 && reader.keyStart < 0 && this.watch?.takes(reader) === true) return false;
      this.head = this.decoder.decode(reader);
      return true;
    } catch (cause) {
      return this.undecodable(cause instanceof MillraceError ? cause : this.foreign(cause));
    }
  }

  /** A codec or timestamp function that throws instead of giving a Left. */
  private foreign(cause: unknown): MillraceError {
    const { topic, partition } = this.declaration;
    const { offset } = this.reader;
    const place = `topic "${topic}", partition ${String(partition)}, offset ${String(offset)}`;
    return new MillraceError('DECODE', `${place}: ${String(cause)}`, { cause, where: { topic, partition, offset } });
  }

  private undecodable(error: MillraceError): boolean {
    const verdict = verdictOf(this.declaration.onDecodeError, error);
    if (verdict === 'skip') {
      this.onSkipped();
      return false;
    }
    this.failure = error;
    return true;
  }
}

/** The verdict of a policy on an error whose place is known. */
export function verdictOf(policy: Policy, error: MillraceError): Verdict {
  if (typeof policy !== 'function') return policy;
  const { topic = '', partition = -1, offset = -1, operator } = error.where;
  return policy({ error, topic, partition, offset, ...(operator === undefined ? {} : { operator }) });
}
