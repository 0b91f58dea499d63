import type { Subscriber } from 'rxjs';
import { withHeaders } from '../../src/model/origin';
import { KafkaRecord } from '../../src/model/record';
import type { BufferRuntime, Waiting } from '../../src/state/buffer-entries';
import type { EventTime } from '../../src/state/event-time';
import type { Step } from '../../src/state/scope';
import { processingError, type Receiver } from '../operator';
import { checkedTime } from '../windowed/assign-windows';
import type { RowJoin } from './row-join';

/** Records that one step releases: far below a slice of 10 ms, far above the cost of a step. */
const RECORDS_PER_STEP = 128;

/** One subscription of a join with grace: records wait, and are joined as event time passes them. */
export class JoinInTime<K, V, T, R> implements Receiver<KafkaRecord<K, V>> {
  private readonly scope: BufferRuntime<K, V>['scope'];
  private readonly name: string;
  private readonly eventTime: EventTime;
  private driven = false;

  constructor(
    private readonly operator: string,
    private readonly buffer: BufferRuntime<K, V>,
    private readonly grace: number,
    private readonly join: RowJoin<K, V, T, R>,
    private readonly destination: Subscriber<KafkaRecord<K, R>>,
  ) {
    const { scope, shape } = buffer;
    this.scope = scope;
    this.name = shape.name;
    this.eventTime = scope.eventTime(shape.name, () => {
      this.driveWhatIsDue();
    });
    this.eventTime.holdBack(() => this.buffer.next(Infinity)?.time ?? Infinity);
  }

  /** What was due before a restart is joined before anything else. */
  subscribed(): void {
    this.driveWhatIsDue();
  }

  receive(record: KafkaRecord<K, V>): void {
    if (!this.join.takes(record)) return;
    const { key, value, timestamp, headers } = record;
    // What an earlier record of this push has made due goes before this one.
    if (this.isDue) this.releaseDue(Infinity);
    if (key === null || key === undefined) {
      this.join.emit(record);
      return;
    }
    this.eventTime.observe(checkedTime(timestamp));
    if (timestamp < this.until) this.join.emit(record);
    else this.buffer.keep(key, value, timestamp, headers);
    this.driveWhatIsDue();
  }

  /** Whoever comes up to here has waited long enough. */
  private get until(): number {
    return this.eventTime.value - this.grace;
  }

  /** No disk. */
  private get isDue(): boolean {
    return this.buffer.earliest <= this.until;
  }

  private driveWhatIsDue(): void {
    if (this.driven || !this.isDue) return;
    this.driven = true;
    this.scope.drive(this.step);
  }

  private readonly step: Step = () => {
    try {
      if (!this.releaseDue(RECORDS_PER_STEP)) return false;
    } catch (error) {
      this.destination.error(processingError(error, this.operator));
    }
    this.driven = false;
    return true;
  };

  /** False: there is more. */
  private releaseDue(budget: number): boolean {
    for (let left = budget; left > 0 && !this.isStopped; left--) {
      const due = this.buffer.next(this.until);
      if (due === undefined) return true;
      this.joinWaiting(due);
    }
    return this.isStopped;
  }

  private get isStopped(): boolean {
    return this.scope.failed || this.destination.closed;
  }

  private joinWaiting(waiting: Waiting<K, V>): void {
    const { scope } = this;
    const { key, identity, time, entry } = waiting;
    const { value, headers } = entry.value;
    // Before anybody may throw: a record that is skipped is gone as one that was joined.
    this.buffer.letGo(waiting, Math.max(time, this.eventTime.value));
    if (!scope.begin(this.name, 'release', time, identity)) return;
    this.join.emit(KafkaRecord.of(key.key, value as V, time, withHeaders(scope.origin, headers)));
    scope.end();
  }
}
