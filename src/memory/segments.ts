import type { BatchHeader } from '../kafka/record-batch';

export interface SegmentLimits {
  /** segment.ms, in the time of the records: what is appended later than this after a segment's first batch begins another. */
  readonly segmentMs: number;
  readonly segmentBytes: number;
}

/** Where the files of a log begin. Only whole ones are compacted or removed, and never the last one, which is being written. */
export class Segments {
  /** Base offsets, ascending; the last one is the active segment's. */
  #bases = [0];
  /** Of the active segment's first batch; undefined: it is empty. */
  #firstTimestamp: number | undefined;
  #bytes = 0;

  constructor(private readonly limits: SegmentLimits) {}

  get active(): number {
    return this.#bases.at(-1)!;
  }

  /** Begins another segment when the batch, about to be appended at `offset`, is too much or too late for the active one. */
  append(offset: number, { maxTimestamp, size }: BatchHeader): void {
    const first = this.#firstTimestamp;
    const isLate = first !== undefined && maxTimestamp - first > this.limits.segmentMs;
    if (isLate || this.#bytes + size > this.limits.segmentBytes) this.#begin(offset);
    this.#firstTimestamp ??= maxTimestamp;
    this.#bytes += size;
  }

  /** As if the log's last batch had been the first of another segment. */
  roll({ baseOffset, maxTimestamp, size }: BatchHeader): void {
    if (baseOffset <= this.active) return;
    this.#begin(baseOffset);
    this.#firstTimestamp = maxTimestamp;
    this.#bytes = size;
  }

  /** Compaction puts neighbours before `until` together, as long as they were small enough before it. */
  merge(until: number, bytesOf: (base: number) => number): void {
    const merged: number[] = [];
    let bytes = Infinity;
    for (const base of this.#bases.filter((each) => each < until)) {
      const size = bytesOf(base);
      if (bytes + size > this.limits.segmentBytes) {
        merged.push(base);
        bytes = 0;
      }
      bytes += size;
    }
    this.#bases = [...merged, ...this.#bases.filter((base) => base >= until)];
  }

  /** Base offset of the segment that holds `offset`. */
  baseOf(offset: number): number {
    return this.#bases.findLast((base) => base <= offset) ?? this.#bases[0]!;
  }

  /** Where the segment that holds `offset` ends; for the active one nowhere. */
  endOf(offset: number): number {
    return this.#bases.find((base) => base > offset) ?? Infinity;
  }

  /** Forgets segments that end at or before `offset`; the active one is emptied when the log is. */
  deleteBefore(offset: number, endOffset: number): void {
    if (offset === endOffset) {
      this.#bases = [endOffset];
      this.#firstTimestamp = undefined;
      this.#bytes = 0;
      return;
    }
    const first = this.baseOf(offset);
    this.#bases = this.#bases.filter((base) => base >= first);
  }

  #begin(offset: number): void {
    if (offset > this.active) this.#bases.push(offset);
    this.#firstTimestamp = undefined;
    this.#bytes = 0;
  }
}
