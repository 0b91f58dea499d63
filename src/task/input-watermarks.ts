import type { BatchReader } from '../kafka/batch-decode';
import type { Duration } from '../model/duration';
import type { Cell } from '../state/scope';
import type { Clock } from '../time/clock';
import type { InputWatch } from './input-buffer';
import { UpstreamWatermarks } from './upstream-watermarks';
import { IDLE_BELIEVED_MS, readMarker } from './watermark-marker';

/** What feeds something: how far event time has come there, and whether it holds others back. */
export interface Upstream {
  /** Nothing older comes from here, but for what is late; -1: nothing is known. */
  readonly time: number;
  readonly idle: boolean;
}

/** ms without any answer after which what was idle counts again: the broker is not heard of, so that nothing is known of the partition. */
const UNHEARD_MS = 2_000;

/** The watermark of a partition that others write: the greatest timestamp seen in it, less the out-of-orderness. */
export class SourceWatermark implements Upstream, InputWatch {
  idle = false;
  /** Monotonic: since then nothing has come, and all that had come was processed. */
  private silentSince = 0;
  /** Monotonic: the last answer, and thereby the earliest moment at which the next one was asked for. */
  private answeredAt = 0;

  constructor(
    private readonly cell: Cell<number>,
    private readonly outOfOrderness: Duration,
    private readonly idleAfter: Duration | undefined,
    private readonly clock: Clock,
    /** It has become idle, or is no longer. */
    private readonly changed: () => void,
  ) {}

  get time(): number {
    return this.cell.value;
  }

  /** A record is about to be pushed. True: the watermark has moved. */
  observe(timestamp: number): boolean {
    const watermark = timestamp - this.outOfOrderness;
    if (watermark <= this.cell.value) return false;
    this.cell.value = watermark;
    return true;
  }

  /** It counts, until it has been silent for long enough from now on. */
  begin(): void {
    this.idle = false;
    this.silentSince = this.answeredAt = this.clock.monotonic();
  }

  takes(): boolean {
    return false;
  }

  /**
   * Idle is what an answer says that was asked for when the silence had lasted long enough. An answer that was under way, or lay about
   * while this process stood still, says nothing of the time since it was given.
   */
  answered(silent: boolean): void {
    if (this.idleAfter === undefined) return;
    const now = this.clock.monotonic();
    if (!silent) {
      this.silentSince = now;
      this.count();
    } else if (!this.idle && now - this.answeredAt <= UNHEARD_MS && this.answeredAt - this.silentSince >= this.idleAfter) {
      this.idle = true;
      this.changed();
    }
    this.answeredAt = now;
  }

  /** What nobody has heard of for a while is not known to be silent. */
  review(): void {
    if (this.idle && this.clock.monotonic() - this.answeredAt > UNHEARD_MS) this.count();
  }

  private count(): void {
    if (!this.idle) return;
    this.idle = false;
    this.changed();
  }
}

/** The watermark of a repartition topic's partition: what the upstream tasks say of theirs. */
export class RepartitionWatermark implements Upstream, InputWatch {
  private readonly upstream: UpstreamWatermarks;
  private unsaved = false;
  /** All that is in the partition was taken, as of the last answer. */
  private isCaughtUp = false;
  /** Monotonic: when a marker came last. */
  private heardAt = -Infinity;
  private isHeard = false;

  constructor(
    private readonly cell: Cell<string>,
    upstreamTasks: number,
    private readonly clock: Clock,
    private readonly changed: () => void,
  ) {
    this.upstream = new UpstreamWatermarks(upstreamTasks);
  }

  get time(): number {
    return this.upstream.least;
  }

  /** What they say of themselves holds for what was read, and while they are alive. */
  get idle(): boolean {
    return this.upstream.idle && this.isCaughtUp && this.isHeard;
  }

  begin(): void {
    this.upstream.decode(this.cell.value);
    this.unsaved = this.isCaughtUp = this.isHeard = false;
  }

  takes(reader: BatchReader): boolean {
    const marker = readMarker(reader);
    if (marker === undefined) return false;
    this.upstream.said(marker);
    this.unsaved = this.isHeard = true;
    this.heardAt = this.clock.monotonic();
    this.changed();
    return true;
  }

  answered(_silent: boolean, caughtUp: boolean): void {
    if (caughtUp === this.isCaughtUp) return;
    this.isCaughtUp = caughtUp;
    if (this.upstream.idle) this.changed();
  }

  review(): void {
    if (!this.idle || this.clock.monotonic() - this.heardAt <= IDLE_BELIEVED_MS) return;
    this.isHeard = false;
    this.changed();
  }

  /** Before the cells are sealed. */
  save(): void {
    if (!this.unsaved) return;
    this.cell.value = this.upstream.encode();
    this.unsaved = false;
  }

  checkpoint(): void {
    this.upstream.checkpoint();
  }

  rollback(): void {
    this.upstream.rollback();
    this.unsaved = true;
    // What is replayed is there to be pushed again.
    this.isCaughtUp = false;
  }
}

/** For an internal topic whose watermark nobody needs: a marker in it is of a version of the application that needed it. */
export const passOverMarkers: InputWatch = {
  takes: (reader) => readMarker(reader) !== undefined,
  answered: () => undefined,
};
