import { IDLE_BELIEVED_MS, type WatermarkMarker } from './watermark-marker';
import { UPSTREAM_CELL_BYTES } from './watermark-plan';

/** What a text begins with, so that a later version can tell. */
const VERSION = 1;

/** One more of it is still a safe integer. */
const LARGEST_DIFFERENCE = 2 ** 52;

/** In place of a time at which a task said that it is idle. */
const COUNTS = -Infinity;

/**
 * What the upstream tasks of one repartition topic have said of their watermarks, and the least of it. A task that has said nothing holds
 * all back; one that has said it is idle holds nobody back, and when all are idle the greatest watermark holds.
 *
 * Idle is who has said so not long before whoever speaks now, by their clocks: so it is the same whenever the log is read. Between clocks
 * that differ by more, one that is idle counts, until it says so again.
 */
export class UpstreamWatermarks {
  /** The watermark of all of them; -1 while one that counts has said nothing. */
  least = -1;
  /** All of them are idle. */
  idle = false;
  private times: number[] = [];
  private idleAt: number[] = [];
  /** Of the marker that came last. */
  private at = 0;
  private checkpointed!: { readonly times: readonly number[]; readonly idleAt: readonly number[]; readonly at: number };

  /** @param tasks how many there are in the plan; one of a higher number counts from when it speaks */
  constructor(private readonly tasks: number) {
    this.forget();
    this.checkpoint();
  }

  /** Never goes back: what an upstream task says after a restart may be less than what it has said before. */
  said({ task, watermark, idle, at }: WatermarkMarker): void {
    for (let next = this.times.length; next <= task; next++) {
      this.times.push(-1);
      this.idleAt.push(COUNTS);
    }
    this.times[task] = Math.max(this.times[task] as number, watermark);
    this.idleAt[task] = idle ? at : COUNTS;
    this.at = at;
    this.sum();
  }

  checkpoint(): void {
    this.checkpointed = { times: [...this.times], idleAt: [...this.idleAt], at: this.at };
  }

  rollback(): void {
    const { times, idleAt, at } = this.checkpointed;
    this.times = [...times];
    this.idleAt = [...idleAt];
    this.at = at;
    this.sum();
  }

  /** Those beyond the plan too: of a plan that was, they may never speak again. */
  private forget(): void {
    this.times = new Array<number>(this.tasks).fill(-1);
    this.idleAt = new Array<number>(this.tasks).fill(COUNTS);
  }

  private sum(): void {
    let least = Infinity;
    let greatest = -1;
    for (let task = 0; task < this.times.length; task++) {
      const time = this.times[task] as number;
      if (time > greatest) greatest = time;
      const isBelieved = Math.abs(this.at - (this.idleAt[task] as number)) <= IDLE_BELIEVED_MS;
      if (!isBelieved && time < least) least = time;
    }
    this.idle = least === Infinity;
    this.least = this.idle ? greatest : least;
  }

  /**
   * As bytes in a text, for a cell. Differences to the least are kept, as exactly as the bytes allow: a watermark that comes back smaller
   * than it was is late, never early. Who is idle will say it again.
   *
   *   u8 version · u8 shift · varint least known + 1 · for each task a varint: 0 unknown, else 1 + (difference >> shift)
   */
  encode(): string {
    const known = this.times.filter((time) => time >= 0);
    const base = known.length === 0 ? -1 : Math.min(...known);
    const span = Math.max(-1, ...known) - base;
    for (let shift = 0; shift <= 53; shift++) {
      if (span / 2 ** shift >= LARGEST_DIFFERENCE) continue;
      const bytes = [VERSION, shift];
      writeVarint(bytes, base + 1);
      for (const time of this.times) writeVarint(bytes, time < 0 ? 0 : 1 + Math.floor((time - base) / 2 ** shift));
      if (bytes.length <= UPSTREAM_CELL_BYTES) return String.fromCharCode(...bytes);
    }
    // Too many tasks for a byte each: they are unknown until they speak again.
    return '';
  }

  /** What `encode` gave; a text of another version, or none, leaves every task unknown. */
  decode(text: string): void {
    this.forget();
    if (text.charCodeAt(0) === VERSION) this.read(text);
    this.sum();
    this.checkpoint();
  }

  private read(text: string): void {
    const shift = text.charCodeAt(1);
    let at = 2;
    const next = (): number => {
      let value = 0;
      for (let scale = 1; ; scale *= 0x80) {
        const byte = text.charCodeAt(at++);
        value += (byte & 0x7f) * scale;
        if (byte < 0x80) return value;
      }
    };
    const base = next() - 1;
    for (let task = 0; task < this.tasks && at < text.length; task++) {
      const value = next();
      if (value > 0) this.times[task] = base + (value - 1) * 2 ** shift;
    }
  }
}

function writeVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
}
