import type { Subscriber } from 'rxjs';
import { MillraceError } from '../../src/errors/millrace-error';
import { withHeaders } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import type { ResultWindows } from '../../src/model/window';
import type { EventTime } from '../../src/state/event-time';
import type { Scheduled, SuppressRuntime } from '../../src/state/handle';
import type { Held } from '../../src/state/held';
import type { Cell, Counter, Step } from '../../src/state/scope';
import { processingError, type Receiver } from '../operator';
import { checkedTime } from '../windowed/assign-windows';
import { ClosingRule } from './closing-rule';
import type { Suppression } from './options';

/** Results that one step releases: far below a slice of 10 ms, far above the cost of a step. */
const RESULTS_PER_STEP = 128;

/** One subscription of `suppress`: holds results back, and releases them as event time passes or as they grow too many. */
export class SuppressResults<K, V> implements Receiver<KafkaRecord<K, V | null>> {
  private readonly scope: SuppressRuntime<K, V>['scope'];
  private readonly name: string;
  /** Undefined: until a time limit. */
  private readonly closing: ClosingRule | undefined;
  private readonly limit: number;
  private readonly maxRecords: number;
  private readonly maxBytes: number;
  private readonly fails: boolean;
  private readonly eventTime: EventTime;
  private readonly records: Cell<number>;
  private readonly bytes: Cell<number>;
  private readonly nullKeys: Counter;
  private readonly late: Counter;
  private driven = false;

  constructor(
    private readonly operator: string,
    private readonly store: SuppressRuntime<K, V>,
    { until, maxRecords = Infinity, maxBytes = Infinity, whenFull }: Suppression,
    private readonly destination: Subscriber<KafkaRecord<K, V | null>>,
  ) {
    const { scope, shape } = store;
    this.scope = scope;
    this.name = shape.name;
    this.closing = until === 'windowCloses' ? new ClosingRule(operator, shape) : undefined;
    this.limit = until === 'windowCloses' ? 0 : until.limit;
    this.maxRecords = maxRecords;
    this.maxBytes = maxBytes;
    this.fails = until === 'windowCloses' || whenFull === 'fail';
    this.records = scope.cell(shape.name, 'records', 0);
    this.bytes = scope.cell(shape.name, 'bytes', 0);
    this.nullKeys = scope.counter('dropped-records-total', operator, 'null-key');
    this.late = scope.counter('dropped-records-total', operator, 'late');
    this.eventTime = scope.eventTime(shape.name, () => {
      this.driveWhatIsDue();
    });
    this.eventTime.holdBack(() => store.leastTimestamp);
  }

  meets(windows: ResultWindows): void {
    this.closing?.meets(windows);
  }

  /** Only now is it known how long windows wait: what was due before a restart is released before anything else. */
  subscribed(): void {
    this.closing?.check();
    this.driveWhatIsDue();
  }

  receive(record: KafkaRecord<K, V | null>): void {
    const { key, value, timestamp, headers } = record;
    if (key === null || key === undefined) {
      this.nullKeys.value += 1;
      return;
    }
    this.closing?.check();
    // What an earlier record of this push has made due goes before what this one changes.
    if (this.isDue) this.releaseDue(Infinity);
    this.eventTime.observe(checkedTime(timestamp));
    if (this.closing?.releasesAtEnd === true && this.store.isReleased(key)) this.refuse(value);
    else this.store.hold(key, value, this.closing?.endOf(key) ?? timestamp, timestamp, headers);
    if (this.isFull) this.makeRoom();
    this.driveWhatIsDue();
  }

  /** A second result of a window that has had its final one. */
  private refuse(value: V | null): void {
    if (value !== null) this.late.value += 1;
  }

  // ---- by time

  /** Whoever comes up to here is released. */
  private get until(): number {
    const { value } = this.eventTime;
    return this.closing?.closedUpTo(value) ?? value - this.limit;
  }

  /** No disk. */
  private get isDue(): boolean {
    return this.store.earliest <= this.until;
  }

  private driveWhatIsDue(): void {
    if (this.driven || !this.isDue) return;
    this.driven = true;
    this.scope.drive(this.step);
  }

  private readonly step: Step = () => {
    try {
      if (!this.releaseDue(RESULTS_PER_STEP)) return false;
    } catch (error) {
      this.destination.error(processingError(error, this.operator));
    }
    this.driven = false;
    return true;
  };

  /** False: there is more. */
  private releaseDue(budget: number): boolean {
    for (let left = budget; left > 0 && !this.isStopped; left--) {
      const due = this.store.next(this.until);
      if (due === undefined) return true;
      this.letGo(due);
    }
    return this.isStopped;
  }

  private get isStopped(): boolean {
    return this.scope.failed || this.destination.closed;
  }

  // ---- by size

  private get isFull(): boolean {
    return this.records.value > this.maxRecords || this.bytes.value > this.maxBytes;
  }

  private makeRoom(): void {
    this.releaseDue(Infinity);
    while (this.isFull && !this.isStopped) {
      if (this.fails) throw this.full();
      const oldest = this.store.next(Infinity);
      if (oldest === undefined) return;
      this.letGo(oldest);
    }
  }

  private full(): MillraceError {
    const { name } = this;
    return new MillraceError(
      'SUPPRESS_FULL',
      `the store ${name} holds back ${this.records.value} results of ${this.bytes.value} bytes; allowed are ${this.maxRecords} and ` +
        `${this.maxBytes}. Raise maxRecords or maxBytes, or let windows wait for less (grace)`,
      { where: { store: name } },
    );
  }

  // ----

  private letGo(result: Scheduled<K, Held<V>>): void {
    const { scope, name } = this;
    const { key, identity, time, entry } = result;
    const { value, headers } = entry.value;
    // Before anybody may throw: a result that is skipped is gone as one that was emitted.
    if (value !== null && this.closing?.releasesAtEnd === true && time === this.until) this.store.releasedAtEnd(result);
    else this.store.released(result, Math.max(entry.timestamp, this.eventTime.value));
    // A window whose result is null has none; nor is there a second one.
    if (value === null && this.closing !== undefined) return;
    if (!scope.begin(name, 'release', time, identity)) return;
    this.destination.next(KafkaRecord.of(key, value, entry.timestamp, withHeaders(scope.origin, headers)));
    scope.end();
  }
}
