import type { Duration } from '../model/duration';
import type { Clock } from '../time/clock';
import type { InputBuffer } from './input-buffer';

/** One of several inputs that meet in operators. */
export interface MeetingInput {
  /** `sourceKey`. */
  readonly key: string;
  readonly buffer: InputBuffer;
  /** Inputs that meet it, be it by way of others. */
  readonly meets: readonly string[];
  /** Inputs that feed it through repartitions: nothing comes of waiting for it instead of reading these. */
  readonly fedBy: readonly string[];
}

/**
 * Whether an input has to wait for one that it meets and that is empty, so that records are pushed in order of time (`maxTaskIdle`,
 * KIP-695). Inputs that do not meet never wait for each other: a task that reads its own repartition would wait for itself.
 */
export class InputWaiting {
  /** Monotonic: when the next look is worth while though nothing came; as of the last time it was asked. */
  until = Infinity;
  /** Monotonic, by key: since when an input is empty and read to its end. */
  private readonly emptySince = new Map<string, number>();

  constructor(
    private readonly maxTaskIdle: Duration,
    private readonly clock: Clock,
  ) {}

  /** Before a round of `mustWait`. */
  ask(inputs: readonly MeetingInput[]): void {
    this.until = Infinity;
    for (const { key, buffer } of inputs) if (!buffer.isEmpty) this.emptySince.delete(key);
  }

  mustWait(input: MeetingInput, inputs: readonly MeetingInput[]): boolean {
    if (this.maxTaskIdle < 0) return false;
    for (const other of inputs) {
      if (!other.buffer.isEmpty || !input.meets.includes(other.key)) continue;
      if (other.buffer.isStarving) return true;
      if (this.maxTaskIdle > 0 && !other.fedBy.includes(input.key) && this.isPatientWith(other)) return true;
    }
    return false;
  }

  private isPatientWith({ key }: MeetingInput): boolean {
    const now = this.clock.monotonic();
    const since = this.emptySince.get(key) ?? now;
    this.emptySince.set(key, since);
    const until = since + this.maxTaskIdle;
    if (until <= now) return false;
    this.until = Math.min(this.until, until);
    return true;
  }
}
