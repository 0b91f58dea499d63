import type { Subscriber } from 'rxjs';
import { KafkaRecord } from '../../src/model/record';
import type { JoinShape } from '../../src/model/join';
import type { Origin } from '../../src/model/origin';
import type { EventTime } from '../../src/state/event-time';
import type { JoinRuntime } from '../../src/state/join-entries';
import { LEFT, RIGHT, type Side } from '../../src/state/join-rows';
import type { Cell } from '../../src/state/scope';
import type { JoinKind } from './options';
import { type Span, spansOf } from './spans';

const nobody: readonly Side[] = [];

export interface JoinWays<L, R, J> {
  /** Is given no undefined that `kind` rules out. */
  readonly join: (left: L | undefined, right: R | undefined) => J;
  readonly kind: JoinKind;
  /** Late records meet whom the store of the JVM would still show. */
  readonly joinsLate: boolean;
}

/** What the two sides of one subscription share: their store, how far event time has come, and what becomes of a pair. */
export class OpenJoin<K, L, R, J> {
  readonly store: JoinRuntime<K, L | R>;
  readonly operator: string;
  readonly destination: Subscriber<KafkaRecord<K, J>>;
  readonly eventTime: EventTime;
  /** By side. */
  readonly spans: readonly Span[];
  /** Whose records come out alone. */
  readonly alone: readonly Side[];
  readonly joinsLate: boolean;
  /**
   * What event time was when rows were last closed. It may lag behind: a record without a key or a value moves event time, but closes
   * nothing.
   */
  private readonly closedTo: Cell<number>;
  /** By side: the greatest time of a row kept. */
  private readonly greatest: readonly Cell<number>[];
  private readonly join: JoinWays<L, R, J>['join'];

  constructor(
    operator: string,
    store: JoinRuntime<K, L | R>,
    { join, kind, joinsLate }: JoinWays<L, R, J>,
    destination: Subscriber<KafkaRecord<K, J>>,
    advanced: () => void,
  ) {
    const { scope, shape } = store;
    const { joinWindows } = shape as JoinShape;
    this.operator = operator;
    this.store = store;
    this.join = join;
    this.destination = destination;
    this.joinsLate = joinsLate;
    this.spans = spansOf(joinWindows);
    this.alone = kind === 'inner' ? nobody : kind === 'left' ? [LEFT] : [RIGHT, LEFT];
    this.eventTime = scope.eventTime(shape.name, advanced);
    this.closedTo = kind === 'inner' ? { value: -1 } : scope.cell(shape.name, 'closedTo', -1);
    this.greatest = ['greatestRight', 'greatestLeft'].map((name) =>
      joinsLate ? scope.cell(shape.name, name, -Infinity) : { value: -Infinity },
    );
    const furthest = Math.max(...this.spans.map(({ lateAfter }) => lateAfter));
    this.eventTime.holdBack(() => this.closedBy - furthest);
  }

  /** The event time by which rows have closed. */
  get closedBy(): number {
    return this.alone.length === 0 ? this.eventTime.value : this.closedTo.value;
  }

  /** Rows close by what event time is now. */
  close(): void {
    const { value } = this.eventTime;
    if (value > this.closedTo.value) this.closedTo.value = value;
  }

  /** Of one side: rows of earlier times are needed by nobody. */
  removableBefore(side: Side): number {
    const span = this.spans[side]!;
    if (!this.joinsLate) return this.closedBy - span.neededFor;
    return Math.min(this.closedBy - span.closesAfter, this.greatest[side]!.value - span.retention + 1);
  }

  /** Does Kafka Streams show a row of this time, to a late record too? */
  shows(side: Side, time: number): boolean {
    const span = this.spans[side]!;
    return time > this.greatest[side]!.value - span.retention || this.eventTime.value - time <= span.closesAfter;
  }

  kept(side: Side, time: number): void {
    const greatest = this.greatest[side]!;
    if (time > greatest.value) greatest.value = time;
  }

  emitPair(key: K, left: L, right: R, timestamp: number, origin: Origin): void {
    const { join } = this;
    this.destination.next(KafkaRecord.of(key, join(left, right), timestamp, origin));
  }

  emitAlone(side: Side, key: K, value: L | R, timestamp: number, origin: Origin): void {
    const { join } = this;
    const result = side === LEFT ? join(value as L, undefined) : join(undefined, value as R);
    this.destination.next(KafkaRecord.of(key, result, timestamp, origin));
  }

  /** The subscription has ended: nothing may be emitted or changed any more. */
  stopped(): boolean {
    return this.store.scope.failed || this.destination.closed;
  }
}
