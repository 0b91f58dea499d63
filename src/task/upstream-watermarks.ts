import { UPSTREAM_CELL_BYTES } from './watermark-plan';

/** What a text begins with, so that a later version can tell. */
const VERSION = 1;

/** Twice of it is still a safe integer. */
const LARGEST_DIFFERENCE = 2 ** 50;

/**
 * What the upstream tasks of one repartition topic have said of their watermarks, and the least of it. A task that has said nothing holds
 * all back; one that has said it is idle holds nobody back, and when all are idle the greatest watermark holds.
 */
export class UpstreamWatermarks {
  /** The watermark of all of them; -1 while one that counts has said nothing. */
  least = -1;
  /** All of them are idle. */
  idle = false;
  private times: number[];
  private idles: boolean[];
  private checkpointed: { readonly times: number[]; readonly idles: boolean[] };

  /** @param tasks how many there are in the plan; one of a higher number counts from when it speaks */
  constructor(tasks: number) {
    this.times = new Array<number>(tasks).fill(-1);
    this.idles = new Array<boolean>(tasks).fill(false);
    this.checkpointed = { times: this.times, idles: this.idles };
    this.checkpoint();
  }

  /** Never goes back: what an upstream task says after a restart may be less than what it has said before. */
  said(task: number, watermark: number, idle: boolean): void {
    for (let next = this.times.length; next <= task; next++) {
      this.times.push(-1);
      this.idles.push(false);
    }
    this.times[task] = Math.max(this.times[task] as number, watermark);
    this.idles[task] = idle;
    this.sum();
  }

  checkpoint(): void {
    this.checkpointed = { times: [...this.times], idles: [...this.idles] };
  }

  rollback(): void {
    this.times = [...this.checkpointed.times];
    this.idles = [...this.checkpointed.idles];
    this.sum();
  }

  private sum(): void {
    let least = Infinity;
    let greatest = -1;
    this.times.forEach((time, task) => {
      if (time > greatest) greatest = time;
      if (this.idles[task] !== true && time < least) least = time;
    });
    this.idle = least === Infinity;
    this.least = this.idle ? greatest : least;
  }

  /**
   * As bytes in a text, for a cell. Differences to the least are kept, as exactly as the bytes allow: a watermark that comes back smaller
   * than it was is late, never early.
   *
   *   u8 version · u8 shift · varint least known + 1 · for each task a varint: 0 unknown, 1 unknown and idle,
   *   else 2 + 2 · (difference >> shift) + idle
   */
  encode(): string {
    const known = this.times.filter((time) => time >= 0);
    const base = known.length === 0 ? -1 : Math.min(...known);
    const span = Math.max(-1, ...known) - base;
    for (let shift = 0; shift <= 53; shift++) {
      if (span / 2 ** shift >= LARGEST_DIFFERENCE) continue;
      const bytes = [VERSION, shift];
      writeVarint(bytes, base + 1);
      this.times.forEach((time, task) => {
        const idle = this.idles[task] === true;
        if (time < 0) writeVarint(bytes, idle ? 1 : 0);
        else writeVarint(bytes, 2 + 2 * Math.floor((time - base) / 2 ** shift) + (idle ? 1 : 0));
      });
      if (bytes.length <= UPSTREAM_CELL_BYTES) return String.fromCharCode(...bytes);
    }
    // Too many tasks for a byte each: they are unknown until they speak again.
    return '';
  }

  /** What `encode` gave; a text of another version, or none, leaves every task unknown. */
  decode(text: string): void {
    this.times.fill(-1);
    this.idles.fill(false);
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
    for (let task = 0; at < text.length; task++) {
      const value = next();
      const time = value < 2 ? -1 : base + Math.floor((value - 2) / 2) * 2 ** shift;
      this.times[task] = time;
      this.idles[task] = value % 2 === 1;
    }
  }
}

function writeVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
}
