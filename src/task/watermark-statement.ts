import { CombinedWatermark } from './combined-watermark';
import type { Upstream } from './input-watermarks';
import { markerHeaders, type MarkerHeaders } from './watermark-marker';

/** ms between two markers of a task in one repartition topic, while records keep coming; when they pause, it is said at once. */
const SAY_EVERY_MS = 1_000;

/** Writes a marker to every partition of a repartition topic. */
export type SayToAll = (internalTopic: string, timestamp: number, headers: MarkerHeaders) => void;

const NOTHING_SAID = { watermark: -1, idle: false, at: -Infinity };

/** What is said of this task in one repartition topic. */
export class WatermarkStatement {
  private said: { readonly watermark: number; readonly idle: boolean; readonly at: number } = NOTHING_SAID;
  private checkpointed = NOTHING_SAID;
  private readonly combined: CombinedWatermark;

  constructor(
    private readonly topic: string,
    private readonly task: number,
    feeds: readonly Upstream[],
  ) {
    this.combined = new CombinedWatermark(feeds);
  }

  /** There is something that those behind do not know. */
  get isNews(): boolean {
    const { combined, said } = this;
    combined.combine();
    return combined.idle !== said.idle || combined.time > said.watermark;
  }

  /** True: it was said. @param quiet no record was pushed since it was asked last */
  sayIfDue(now: number, quiet: boolean, say: SayToAll): boolean {
    if (!this.isNews) return false;
    const isDue = quiet || this.combined.idle !== this.said.idle || now - this.said.at >= SAY_EVERY_MS;
    if (isDue) this.say(now, say);
    return isDue;
  }

  /** In front of the records that follow: others must not go on without it. */
  sayThatItCounts(now: number, say: SayToAll): void {
    if (!this.said.idle) return;
    this.combined.combine();
    if (!this.combined.idle) this.say(now, say);
  }

  get saysIdle(): boolean {
    return this.said.idle;
  }

  reset(): void {
    this.said = this.checkpointed = NOTHING_SAID;
  }

  checkpoint(): void {
    this.checkpointed = this.said;
  }

  rollback(): void {
    this.said = this.checkpointed;
  }

  private say(now: number, say: SayToAll): void {
    const { time, idle } = this.combined;
    const watermark = Math.max(time, this.said.watermark);
    say(this.topic, Math.max(0, watermark), markerHeaders({ task: this.task, watermark, idle }));
    this.said = { watermark, idle, at: now };
  }
}
