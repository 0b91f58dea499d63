import { CombinedWatermark } from './combined-watermark';
import type { Upstream } from './input-watermarks';
import type { Clock } from '../time/clock';
import { IDLE_SAID_EVERY_MS, markerHeaders, type MarkerHeaders } from './watermark-marker';

/** ms between two markers of a task in one repartition topic, while records keep coming; when they pause, it is said at once. */
const SAY_EVERY_MS = 1_000;

/** Writes a marker to every partition of a repartition topic. */
export type SayToAll = (internalTopic: string, timestamp: number, headers: MarkerHeaders) => void;

interface Said {
  readonly watermark: number;
  readonly idle: boolean;
  /** Monotonic. */
  readonly at: number;
}

/** What is said of this task in one repartition topic. */
export class WatermarkStatement {
  /** Undefined since the task has begun: what was said before it did may be that it is idle. */
  private said: Said | undefined;
  private checkpointed: Said | undefined;
  private readonly combined: CombinedWatermark;

  constructor(
    private readonly topic: string,
    private readonly task: number,
    feeds: readonly Upstream[],
    private readonly clock: Clock,
  ) {
    this.combined = new CombinedWatermark(feeds);
  }

  /** There is something that those behind do not know. */
  get isNews(): boolean {
    const { combined, said } = this;
    combined.combine();
    return said === undefined || combined.idle !== said.idle || combined.time > said.watermark;
  }

  /** True: it was said. @param quiet no record was pushed since it was asked last */
  sayIfDue(quiet: boolean, say: SayToAll): boolean {
    const isDue = this.isNews ? quiet || this.isUrgent : this.isForgotten;
    if (isDue) this.say(say);
    return isDue;
  }

  /** In front of the records that follow: others must not go on without it. */
  sayThatItCounts(say: SayToAll): void {
    if (!this.mayPassForIdle) return;
    this.combined.combine();
    if (!this.combined.idle) this.say(say);
  }

  get mayPassForIdle(): boolean {
    return this.said === undefined || this.said.idle;
  }

  reset(): void {
    this.said = this.checkpointed = undefined;
  }

  checkpoint(): void {
    this.checkpointed = this.said;
  }

  rollback(): void {
    this.said = this.checkpointed;
  }

  private get isUrgent(): boolean {
    const { said } = this;
    return said === undefined || this.combined.idle !== said.idle || this.clock.monotonic() - said.at >= SAY_EVERY_MS;
  }

  /** Who is idle is believed for a while only. */
  private get isForgotten(): boolean {
    const { said } = this;
    return said?.idle === true && this.clock.monotonic() - said.at >= IDLE_SAID_EVERY_MS;
  }

  private say(say: SayToAll): void {
    const { time, idle } = this.combined;
    const watermark = Math.max(time, this.said?.watermark ?? -1);
    say(this.topic, Math.max(0, watermark), markerHeaders({ task: this.task, watermark, idle, at: this.clock.now() }));
    this.said = { watermark, idle, at: this.clock.monotonic() };
  }
}
