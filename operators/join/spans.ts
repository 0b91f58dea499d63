import type { JoinWindows } from '../../src/model/join';
import type { Duration } from '../../src/model/duration';
import { LEFT, RIGHT, type Side } from '../../src/state/join-rows';

/**
 * How far records of one side reach, in ms: written as distances from event time, so that nothing exceeds 2^53. A record of time t is
 * `closed` once event time - t > `closesAfter`, and so on.
 */
export class Span {
  readonly side: Side;
  /** Partners lie in [t - back, t + ahead]. */
  readonly back: Duration;
  readonly ahead: Duration;
  /** Beyond: no partner in time can come; one that waits comes out alone. */
  readonly closesAfter: Duration;
  /** Beyond: it comes too late itself. Its own time counts as well, where all partners lie before it. */
  readonly lateAfter: Duration;
  /** Beyond: no record that comes in time can meet it. */
  readonly neededFor: Duration;
  /** before + after + grace: how long Kafka Streams keeps it behind the greatest time of its side. */
  readonly retention: Duration;

  constructor(side: Side, { before, after, grace = 0 }: JoinWindows) {
    this.side = side;
    this.back = side === LEFT ? before : after;
    this.ahead = side === LEFT ? after : before;
    this.closesAfter = this.ahead + grace;
    this.lateAfter = Math.max(0, this.ahead) + grace;
    this.neededFor = this.ahead + Math.max(0, this.back) + grace;
    this.retention = before + after + grace;
  }
}

/** By side. */
export function spansOf(windows: JoinWindows): readonly Span[] {
  return [new Span(RIGHT, windows), new Span(LEFT, windows)];
}
